import { match } from 'ts-pattern';
import { reasonName } from '../bits.js';
import type { FindingIdentity } from '../interface/judgement.js';
import type { DepartureSearch, Deviation, DeviceRequest } from '../interface/model.js';
import { type FaultCondition, REQUEST_REASONS } from './conditions.js';
import { rememberedTooLong, USED_AFTERWARDS } from './deviant-caching.js';
import {
  insteadOfProtecting,
  insteadOfTranslating,
  type Page,
  recordedAs,
  refused,
  type Sketch,
  way,
} from './deviant-translated.js';
import { lenientTranslation } from './lenient.js';
import type { Outcome } from './outcome.js';
import { protectedAt } from './protected-memory.js';
import type { RequestContext } from './request.js';
import { join, pageOutcomes, pagesOf, pageWays, recordedWays, type Way } from './requests.js';
import type { VtdState } from './state.js';

/** Departures: what a unit that breaks a rule may have done instead. Used only when nothing admitted fits. */

/** Departures of a request: of one of its pages while the others do what is admitted, or of all in the same manner. */
export function deviantWays(
  state: VtdState,
  request: DeviceRequest,
  context: RequestContext,
  search: DepartureSearch,
): readonly Way[] {
  const pages = pagesOf(request);
  const through = (broken: (at: number) => boolean): readonly Way[] =>
    pages.reduce<readonly Way[]>(
      (ways, page, at) =>
        ways.flatMap((way) => {
          const next = broken(at) ? deviantPage(way.next, page, context, search) : pageWays(way.next, page, context);
          return next.filter((each) => sameManner(way, each)).map((each) => joinDeviant(way, each));
        }),
      [{ ...start(state), labels: [request.access] }],
    );
  const single = pages.flatMap((_, broken) => through((at) => at === broken));
  return pages.length === 1 ? single : [...single, ...through(() => true)];
}

/** Nothing happened yet. */
function start(state: VtdState): Way {
  return { next: state, pieces: [], clauses: [], evidence: [], labels: [] };
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

function deviantPage(state: VtdState, page: Page, context: RequestContext, search: DepartureSearch): readonly Way[] {
  if (state.unknown !== undefined) return [];
  const { wanted } = search;
  const outcomes = pageOutcomes(state, page, context);
  const remembered =
    search.kinds?.has(USED_AFTERWARDS) === false ? [] : rememberedTooLong(state, page, outcomes, context);
  const late = remembered.map((sketch) => ({ sketch, labels: [] }));
  const other = outcomes.flatMap((outcome) =>
    sketchesOf(state, page, outcome, context, search).map((sketch) => ({
      sketch,
      labels: expectedLabels(outcome),
    })),
  );
  // What says only that a request went elsewhere, or was refused, comes last.
  return [...other.filter((each) => !each.sketch.vague), ...late, ...other.filter((each) => each.sketch.vague)]
    .filter(({ sketch }) => wanted === undefined || wanted(sketch.deviation))
    .flatMap(({ sketch: { deviation, ways }, labels }) =>
      ways().map((each) => ({ deviation, ...each, labels: [...labels, ...each.labels] })),
    );
}

/**
 * What the request was to come to, whatever the unit did: a fault that a departure keeps out of the records is counted
 * as one that was asked for. Where several reasons are admitted nobody can tell which.
 */
function expectedLabels(outcome: Outcome): readonly string[] {
  if (outcome.kind !== 'blocked') return [];
  const silent = outcome.faultProcessingDisabled && outcome.conditions.some(({ qualified }) => qualified);
  const [reason, ...others] = new Set(outcome.conditions.map((each) => each.reason));
  return silent || reason === undefined || others.length > 0 ? [] : [`fault:${reasonName(reason)}`];
}

function sketchesOf(
  state: VtdState,
  page: Page,
  outcome: Outcome,
  context: RequestContext,
  search: DepartureSearch,
): readonly Sketch[] {
  return match<Outcome, readonly Sketch[]>(outcome)
    .with({ kind: 'blocked' }, (blocked) => insteadOfBlocking(state, page, blocked, context, search))
    .with({ kind: 'translated' }, (translated) =>
      protectedAt(state, translated.address, page.bytes) === 'yes'
        ? insteadOfProtecting(state, page, translated)
        : insteadOfTranslating(state, page, translated, search.seen),
    )
    .with({ kind: 'interrupt' }, (interrupt) =>
      refused(state, page, ['VTD-IAR-001'], 'DWORD write to FEEx', 'interrupt', interrupt),
    )
    .with({ kind: 'undecided' }, () => [])
    .exhaustive();
}

type Blocked = Outcome & { readonly kind: 'blocked' };

function insteadOfBlocking(
  state: VtdState,
  page: Page,
  outcome: Blocked,
  context: RequestContext,
  search: DepartureSearch,
): readonly Sketch[] {
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
  const unchecked = uncheckedDestination(state, page, context);
  const places = new Set([...(unchecked === undefined ? [] : [unchecked]), ...search.seen]);
  const letThrough = [...places].map((address): Sketch => {
    const through = way(state, page, { kind: 'memory', address }, outcome, {
      identities: identify('access-let-through', 'let through'),
      expected,
      observed: `let through to 0x${address.toString(16)}`,
    });
    return { ...through, vague: address !== unchecked };
  });
  const unrecorded = way(state, page, { kind: 'blocked' }, outcome, {
    identities: identify('fault-not-recorded', 'no record'),
    expected,
    observed: 'no fault recorded',
  });
  const ignored = modeIgnored(state, page, outcome, context, search, expected);
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
  search: DepartureSearch,
  expected: string,
): readonly Sketch[] {
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
  const ways = (): readonly Way[] => {
    // In legacy mode the unit may depart as well: both departures are then needed to explain it.
    const further = deviantPage(legacy, page, context, { ...search, seen: [] }).map((each) =>
      joinDeviant({ ...start(state), deviation }, each),
    );
    return [...pageWays(legacy, page, context), ...further].flatMap((each) =>
      each.undecided === undefined ? [{ ...each, next: { ...each.next, root: state.root } }] : [],
    );
  };
  return [{ deviation, ways }];
}

/** VTD-FLT-004 broken: recorded although FPD=1. */
function recordedDespiteFpd(state: VtdState, page: Page, outcome: Blocked, expected: string): readonly Sketch[] {
  return outcome.conditions.map((each) => ({
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
    ways: () => recordedWays(state, page, [each], outcome.evidence),
  }));
}

function otherReasons(
  state: VtdState,
  page: Page,
  outcome: Blocked,
  expected: string,
  identify: (kind: string, observed: string) => readonly FindingIdentity[],
): readonly Sketch[] {
  const admitted = new Set(outcome.conditions.map((each) => each.reason));
  return REQUEST_REASONS.filter((reason) => !admitted.has(reason)).map((reason) =>
    recordedAs(state, page, reason, outcome, {
      identities: identify('other-reason', reasonName(reason)),
      expected,
      observed: `recorded as ${reasonName(reason)}`,
    }),
  );
}

/** Where a request that should be blocked goes when nothing is checked. */
function uncheckedDestination(state: VtdState, page: Page, { view }: RequestContext): bigint | undefined {
  const { root } = state;
  return root === undefined || root.table < 0n ? undefined : lenientTranslation(page, root, state.caps, view);
}

function reasonNames(conditions: readonly FaultCondition[]): string {
  return [...new Set(conditions.map((each) => reasonName(each.reason)))].join(' or ');
}
