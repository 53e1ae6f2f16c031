import { reasonName } from '../bits.js';
import type { FindingIdentity } from '../interface/judgement.js';
import type { DepartureSearch, Deviation, DeviceRequest } from '../interface/model.js';
import { FAULT } from '../layout/vtd.js';
import { clauseOf, granularityName } from './caching/scope.js';
import { type FaultCondition, REQUEST_REASONS } from './conditions.js';
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
import { protectedAt } from './protected-memory.js';
import { type Outcome, outcomeKey, type RequestContext } from './request.js';
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
  const late = rememberedTooLong(state, page, outcomes, context).map((sketch) => ({ sketch, labels: [] }));
  const other = outcomes.flatMap((outcome) =>
    sketchesOf(state, page, outcome, context, search).map((sketch) => ({ sketch, labels: expectedLabels(outcome) })),
  );
  return [...late, ...other]
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
  if (outcome.kind === 'blocked') return insteadOfBlocking(state, page, outcome, context, search);
  if (outcome.kind === 'translated') {
    return protectedAt(state, outcome.address, page.bytes) === 'yes'
      ? insteadOfProtecting(state, page, outcome)
      : insteadOfTranslating(state, page, outcome, search.seen);
  }
  if (outcome.kind !== 'interrupt') return [];
  return refused(state, page, ['VTD-IAR-001'], 'DWORD write to FEEx', 'interrupt', outcome);
}

/**
 * VTD-CACHE-004 and its company broken: something was used that a completed invalidation covers. VTD-CACHE-001,
 * VTD-CACHE-005 broken: an entry that faulted was remembered although CM=0.
 */
function rememberedTooLong(
  state: VtdState,
  page: Page,
  outcomes: readonly Outcome[],
  context: RequestContext,
): readonly Sketch[] {
  if (!state.translation) return [];
  const admitted = new Set(outcomes.map(outcomeKey));
  const further = (other: VtdState, clauses: (stale: Outcome) => string, how: string): readonly Sketch[] =>
    pageOutcomes(other, page, context)
      .filter((each) => !admitted.has(outcomeKey(each)))
      .flatMap((each) => usedAfterwards(state, page, each, clauses(each), how));
  const kept = state.invalidations.flatMap((ignored) => {
    const invalidations = state.invalidations.filter((each) => each !== ignored);
    const how = `after ${ignored.cache} ${granularityName(ignored)} invalidation`;
    return further({ ...state, invalidations }, () => ignored.impliedBy ?? clauseOf(ignored), how);
  });
  if (state.caps.cachingMode) return kept;
  const cachingFaults = { ...state, caps: { ...state.caps, cachingMode: true } };
  return [...kept, ...further(cachingFaults, faultClause, 'after a fault with CM=0')];
}

function faultClause(outcome: Outcome): string {
  const notPresent =
    outcome.kind === 'blocked' && outcome.conditions.some((each) => each.reason !== FAULT.PAGING_ENTRY_RESERVED);
  return notPresent ? 'VTD-CACHE-001' : 'VTD-CACHE-005';
}

function usedAfterwards(state: VtdState, page: Page, outcome: Outcome, clause: string, how: string): readonly Sketch[] {
  if (outcome.kind !== 'translated' && outcome.kind !== 'blocked') return [];
  const what = [...new Set(outcome.stale)].join(', ');
  const deviation: Deviation = {
    identities: [{ clause, kind: 'used-after-invalidation', discriminator: `${what} ${how}: gone→used` }],
    expected: 'what memory holds now',
    observed: outcome.kind === 'translated' ? `used to reach 0x${outcome.address.toString(16)}` : 'used to refuse',
  };
  return outcome.kind === 'translated'
    ? [way(state, page, { kind: 'memory', address: outcome.address }, outcome, deviation)]
    : [{ deviation, ways: () => recordedWays(state, page, outcome.conditions, outcome.evidence) }];
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
  const letThrough = destinations(state, page, context, search.seen).map((address) =>
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
      : lenientTranslation(page, state.root, state.caps, context.view);
  return [...new Set([...(lenient === undefined ? [] : [lenient]), ...seen])];
}

function reasonNames(conditions: readonly FaultCondition[]): string {
  return [...new Set(conditions.map((each) => reasonName(each.reason)))].join(' or ');
}
