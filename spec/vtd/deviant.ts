import { hex, reasonName } from '../bits.js';
import type { FindingIdentity } from '../interface/judgement.js';
import type { Deviation, DeviceRequest, Piece, RegisterAccess, Successor } from '../interface/model.js';
import { condition, type FaultCondition, REQUEST_REASONS } from './conditions.js';
import { lenientTranslation } from './lenient.js';
import { differingFields, registerContents } from './registers.js';
import type { Outcome, PageRequest } from './request.js';
import { join, pageOutcomes, pagesOf, pageWays, type RequestContext, recordedWays, type Way } from './requests.js';
import { settledReader } from './settled.js';
import type { VtdState } from './state.js';

/** Departures: what a unit that breaks a rule may have done instead. Used only when nothing admitted fits. */

type Page = PageRequest & { readonly offset: number };

/** Departures of a request: of one of its pages while the others do what is admitted, or of all in the same manner. */
export function deviantWays(
  state: VtdState,
  request: DeviceRequest,
  context: RequestContext,
  seen: readonly bigint[],
): readonly Way[] {
  const pages = pagesOf(request);
  const through = (broken: (at: number) => boolean): readonly Way[] =>
    pages.reduce<readonly Way[]>(
      (ways, page, at) =>
        ways.flatMap((way) => {
          const next = broken(at) ? deviantPage(way.next, page, context, seen) : pageWays(way.next, page, context);
          return next.filter((each) => sameManner(way, each)).map((each) => joinDeviant(way, each));
        }),
      [{ next: state, pieces: [], clauses: [], evidence: [], labels: [request.access] }],
    );
  const single = pages.flatMap((_, broken) => through((at) => at === broken));
  return pages.length === 1 ? single : [...single, ...through(() => true)];
}

/** Two departures of one request are only looked at together when they are of one kind. */
function sameManner(first: Way, second: Way): boolean {
  const [a, b] = [first.deviation?.identities[0]?.kind, second.deviation?.identities[0]?.kind];
  return a === undefined || b === undefined || a === b;
}

/** One way after another, with the identities of both departures. */
function joinDeviant(first: Way, second: Way): Way {
  const joined = join(first, second);
  if (first.deviation === undefined || second.deviation === undefined) return joined;
  const identities = [...first.deviation.identities];
  for (const identity of second.deviation.identities) {
    if (!identities.some((each) => each.discriminator === identity.discriminator)) identities.push(identity);
  }
  return { ...joined, deviation: { ...first.deviation, identities } };
}

function deviantPage(state: VtdState, page: Page, context: RequestContext, seen: readonly bigint[]): readonly Way[] {
  if (state.unknown !== undefined || state.pending.setRoot !== undefined) return [];
  return pageOutcomes(state, page, context).flatMap((outcome) => {
    if (outcome.kind === 'blocked') return insteadOfBlocking(state, page, outcome, context, seen);
    if (outcome.kind === 'translated') return insteadOfTranslating(state, page, outcome, seen);
    if (outcome.kind === 'interrupt')
      return refused(state, page, ['VTD-IAR-001'], 'DWORD write to FEEx', 'interrupt', outcome);
    return [];
  });
}

type Blocked = Outcome & { readonly kind: 'blocked' };
type Translated = Outcome & { readonly kind: 'translated' };

function insteadOfBlocking(
  state: VtdState,
  page: Page,
  outcome: Blocked,
  context: RequestContext,
  seen: readonly bigint[],
): readonly Way[] {
  const silent = outcome.faultProcessingDisabled && outcome.conditions.every((each) => each.qualified);
  const identify = (kind: string, observed: string): readonly FindingIdentity[] =>
    outcome.conditions.flatMap((each) =>
      each.causes.map((cause) => ({
        clause: each.clause,
        kind,
        discriminator: `${cause}: ${reasonName(each.reason)}→${observed}`,
      })),
    );
  const expected = `blocked, ${silent ? 'not recorded (FPD=1)' : `recorded as ${reasonNames(outcome.conditions)}`}`;
  const letThrough = destinations(state, page, context, seen).map((address) =>
    way(state, page, { kind: 'memory', address }, outcome, {
      identities: identify('access-let-through', 'let through'),
      expected,
      observed: `let through to 0x${address.toString(16)}`,
    }),
  );
  const unrecorded = way(state, page, { kind: 'blocked' }, outcome, {
    identities: identify('fault-not-recorded', 'no record'),
    expected,
    observed: 'no fault recorded',
  });
  const ignored = modeIgnored(state, page, outcome, context, expected);
  return silent
    ? [...recordedDespiteFpd(state, page, outcome, expected), ...letThrough]
    : [...ignored, unrecorded, ...letThrough, ...otherReasons(state, page, outcome, expected, identify)];
}

/** VTD-GCMD-018 broken: the latched TTM is not looked at, and the tables are walked as in legacy mode. */
function modeIgnored(
  state: VtdState,
  page: Page,
  outcome: Blocked,
  context: RequestContext,
  expected: string,
): readonly Way[] {
  const [refusal] = outcome.conditions;
  if (refusal?.clause !== 'VTD-GCMD-018' || state.root === undefined) return [];
  const legacy = { ...state, root: { ...state.root, mode: 0 } };
  const deviation: Deviation = {
    identities: [
      {
        clause: refusal.clause,
        kind: 'mode-ignored',
        discriminator: `${refusal.causes[0]}: ${reasonName(refusal.reason)}→as in legacy mode`,
      },
    ],
    expected,
    observed: 'what legacy mode would do',
  };
  return pageWays(legacy, page, context).flatMap((each): readonly Way[] =>
    each.undecided === undefined ? [{ ...each, next: { ...each.next, root: state.root }, deviation }] : [],
  );
}

/** VTD-FLT-004 broken: recorded although FPD=1. */
function recordedDespiteFpd(state: VtdState, page: Page, outcome: Blocked, expected: string): readonly Way[] {
  return outcome.conditions.flatMap((each) =>
    recordedWays(state, page, [each], outcome.evidence).map((recorded) => ({
      ...recorded,
      deviation: {
        identities: [
          {
            clause: 'VTD-FLT-004',
            kind: 'fault-recorded',
            discriminator: `context-entry.FPD=1: ${reasonName(each.reason)} silent→recorded`,
          },
        ],
        expected,
        observed: `fault ${reasonName(each.reason)} recorded`,
      },
    })),
  );
}

function otherReasons(
  state: VtdState,
  page: Page,
  outcome: Blocked,
  expected: string,
  identify: (kind: string, observed: string) => readonly FindingIdentity[],
): readonly Way[] {
  const admitted = new Set(outcome.conditions.map((each) => each.reason));
  return REQUEST_REASONS.filter((reason) => !admitted.has(reason)).flatMap((reason) =>
    recordedAs(state, page, reason, outcome, {
      identities: identify('other-reason', reasonName(reason)),
      expected,
      observed: `recorded as ${reasonName(reason)}`,
    }),
  );
}

function insteadOfTranslating(
  state: VtdState,
  page: Page,
  outcome: Translated,
  seen: readonly bigint[],
): readonly Way[] {
  const size = outcome.labels.find((label) => label.startsWith('page:') || label === 'pass-through') ?? 'untranslated';
  const special = outcome.clauses.includes('VTD-IAR-006') ? 'output beside FEEx in a page that overlaps it' : size;
  const clause = outcome.clauses.includes('VTD-IAR-006') ? 'VTD-IAR-006' : (outcome.clauses.at(-1) ?? 'VTD-SS-024');
  const elsewhere = seen
    .filter((address) => address !== outcome.address)
    .map((address) =>
      way(state, page, { kind: 'memory', address }, outcome, {
        identities: [{ clause, kind: 'wrong-address', discriminator: `${special}: output→another address` }],
        expected: `0x${outcome.address.toString(16)}`,
        observed: `0x${address.toString(16)}`,
      }),
    );
  return [...elsewhere, ...refused(state, page, [clause], special, `0x${outcome.address.toString(16)}`, outcome)];
}

/** An access that is admitted is refused: recorded with some reason, or silently. */
function refused(
  state: VtdState,
  page: Page,
  clauses: readonly string[],
  what: string,
  expected: string,
  outcome: Pick<Outcome, 'evidence'>,
): readonly Way[] {
  const deviation = (observed: string): Deviation => ({
    identities: clauses.map((clause) => ({
      clause,
      kind: 'access-refused',
      discriminator: `${what}: translated→${observed}`,
    })),
    expected,
    observed: `refused, ${observed}`,
  });
  return [
    ...REQUEST_REASONS.flatMap((reason) => recordedAs(state, page, reason, outcome, deviation(reasonName(reason)))),
    way(state, page, { kind: 'blocked' }, outcome, deviation('no record')),
  ];
}

/** Recorded with a reason that is not admitted; the address is the request's, as in any record. */
function recordedAs(
  state: VtdState,
  page: Page,
  reason: number,
  outcome: Pick<Outcome, 'evidence'>,
  deviation: Deviation,
): readonly Way[] {
  const recorded: FaultCondition = { ...condition(reason, 'VTD-FREC-002', 'other reason'), addressRecorded: true };
  return recordedWays(state, page, [recorded], outcome.evidence).map((each) => ({ ...each, deviation }));
}

/** Where a request that should be blocked may have gone. */
function destinations(
  state: VtdState,
  page: Page,
  context: RequestContext,
  seen: readonly bigint[],
): readonly bigint[] {
  const lenient =
    state.root === undefined || state.root.table < 0n
      ? undefined
      : lenientTranslation(page, state.root, state.caps, settledReader(state, state.root, context.view).read);
  return [...new Set([...(lenient === undefined ? [] : [lenient]), ...seen])];
}

function way(
  state: VtdState,
  page: Page,
  effect: Piece['effect'],
  outcome: Pick<Outcome, 'evidence'>,
  deviation: Deviation,
): Way {
  const pieces = [{ offset: page.offset, bytes: page.bytes, effect }];
  return { next: state, pieces, clauses: [], evidence: outcome.evidence, labels: [], deviation };
}

function reasonNames(conditions: readonly FaultCondition[]): string {
  return [...new Set(conditions.map((each) => reasonName(each.reason)))].join(' or ');
}

/** The clause that a field of a register falls under. */
const FIELD_CLAUSES: Readonly<Record<string, string>> = {
  VER: 'VTD-REG-001',
  CAP: 'VTD-REG-001',
  ECAP: 'VTD-REG-001',
  'GSTS.TES': 'VTD-GCMD-001',
  'GSTS.SRTPS': 'VTD-GCMD-002',
  RTADDR: 'VTD-REG-005',
  CCMD: 'VTD-INV-012',
  IOTLB: 'VTD-INV-013',
  'FSTS.PFO': 'VTD-FREC-008',
  'FSTS.PPF': 'VTD-FREC-005',
  'FSTS.FRI': 'VTD-FREC-006',
  FECTL: 'VTD-REG-003',
  'FRCD.F': 'VTD-REG-011',
  'FRCD.PV': 'VTD-FREC-R01',
  'FRCD.EXE': 'VTD-FREC-R01',
  'FRCD.PRIV': 'VTD-FREC-R01',
  FRCD: 'VTD-FREC-002',
};

/** A register reads as it must not: named by the fields in which it differs from the nearest lawful content. The unit goes on as if it had read right. */
export function deviantReading(
  state: VtdState,
  access: RegisterAccess,
  observed: bigint,
  context: RequestContext,
): readonly Successor<VtdState>[] {
  if (state.unknown !== undefined) return [];
  const contents = registerContents(state, access, context.view) ?? [];
  const [nearest] = contents
    .map((content) => ({ content, fields: differingFields(content, access, observed) }))
    .sort((a, b) => a.fields.length - b.fields.length);
  if (nearest === undefined) return [];
  const { content, fields } = nearest;
  const identities = fields.map((each): FindingIdentity => {
    const name = `${access.register}.${each.name}`;
    const clause = FIELD_CLAUSES[name] ?? FIELD_CLAUSES[access.register] ?? 'VTD-REG-015';
    return { clause, kind: 'value-differs', discriminator: `${name}: ${hex(each.expected)}→${hex(each.observed)}` };
  });
  const list = (value: (each: (typeof fields)[number]) => bigint): string =>
    fields.map((each) => `${each.name}=${hex(value(each))}`).join(', ');
  const expected = list((each) => each.expected);
  const seen = list((each) => each.observed);
  return [
    {
      next: content.state,
      clauses: fields.some((each) => each.name === 'FR') ? [] : content.clauses,
      evidence: [{ what: access.register, reading: `expected ${expected}; observed ${seen}` }],
      labels: content.labels,
      deviation: { identities, expected, observed: seen },
    },
  ];
}
