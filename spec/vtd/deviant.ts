import { reasonName } from '../bits.js';
import type { FindingIdentity } from '../interface/judgement.js';
import type { Deviation, DeviceRequest, Piece } from '../interface/model.js';
import { condition, type FaultCondition, REQUEST_REASONS } from './conditions.js';
import { lenientTranslation } from './lenient.js';
import { protectedAt } from './protected-memory.js';
import type { Outcome, PageRequest } from './request.js';
import { join, pageOutcomes, pagesOf, pageWays, type RequestContext, recordedWays, type Way } from './requests.js';
import { settledReader } from './settled.js';
import type { VtdState } from './state.js';

/** Departures: what a unit that breaks a rule may have done instead. Used only when nothing admitted fits. */

type Page = PageRequest & { readonly offset: number };

/** Departures of one page of a request; the other pages do what is admitted. */
export function deviantWays(
  state: VtdState,
  request: DeviceRequest,
  context: RequestContext,
  seen: readonly bigint[],
): readonly Way[] {
  const pages = pagesOf(request);
  const start: Way = { next: state, pieces: [], clauses: [], evidence: [], labels: [request.access] };
  return pages.flatMap((_, broken) =>
    pages.reduce<readonly Way[]>(
      (ways, page, at) =>
        ways.flatMap((way) => {
          const next = at === broken ? deviantPage(way.next, page, context, seen) : pageWays(way.next, page, context);
          return next.map((each) => join(way, each));
        }),
      [start],
    ),
  );
}

function deviantPage(state: VtdState, page: Page, context: RequestContext, seen: readonly bigint[]): readonly Way[] {
  if (state.unknown !== undefined || state.pending.setRoot !== undefined) return [];
  return pageOutcomes(state, page, context).flatMap((outcome) => {
    if (outcome.kind === 'blocked') return insteadOfBlocking(state, page, outcome, context, seen);
    if (outcome.kind === 'translated') {
      return protectedAt(state, outcome.address, page.bytes) === 'yes'
        ? insteadOfProtecting(state, page, outcome)
        : insteadOfTranslating(state, page, outcome, seen);
    }
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
  return silent
    ? [...recordedDespiteFpd(state, page, outcome, expected), ...letThrough]
    : [unrecorded, ...letThrough, ...otherReasons(state, page, outcome, expected, identify)];
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

/** VTD-PMR-001 broken: protected memory was reached, or the refusal was recorded. */
function insteadOfProtecting(state: VtdState, page: Page, outcome: Translated): readonly Way[] {
  const deviation = (kind: string, observed: string): Deviation => ({
    identities: [{ clause: 'VTD-PMR-001', kind, discriminator: `protected memory: blocked→${observed}` }],
    expected: 'blocked, not recorded',
    observed,
  });
  const through = deviation('access-let-through', 'let through');
  return [
    way(state, page, { kind: 'memory', address: outcome.address }, outcome, through),
    ...REQUEST_REASONS.flatMap((reason) =>
      recordedAs(state, page, reason, outcome, deviation('fault-recorded', `recorded as ${reasonName(reason)}`)),
    ),
  ];
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
