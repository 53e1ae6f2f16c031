import type { Deviation } from '../interface/model.js';
import { FAULT } from '../layout/vtd.js';
import { clauseOf, granularityName } from './caching/scope.js';
import { type Page, type Sketch, way } from './deviant-translated.js';
import { type Outcome, outcomeKey } from './outcome.js';
import type { RequestContext } from './request.js';
import { pageOutcomes, recordedWays } from './requests.js';
import type { Invalidation, VtdState } from './state.js';

/** Departures from the caching rule; see deviant.ts. */

/** Their kind. */
export const USED_AFTERWARDS = 'used-after-invalidation';

/**
 * VTD-CACHE-004 and its company broken: something was used that a completed invalidation covers. VTD-CACHE-001,
 * VTD-CACHE-005 broken: an entry that faulted was remembered although CM=0.
 */
export function rememberedTooLong(
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
  const without = ([first, ...more]: readonly Invalidation[]): readonly Sketch[] => {
    if (first === undefined) return [];
    const invalidations = state.invalidations.filter((each) => each !== first && !more.includes(each));
    const how = `after ${first.cache} ${granularityName(first)} invalidation`;
    return further({ ...state, invalidations }, () => first.impliedBy ?? clauseOf(first), how);
  };
  const one = state.invalidations.flatMap((each) => without([each]));
  const kept = one.length > 0 ? one : ofOneKind(state).flatMap(without);
  if (state.caps.cachingMode) return kept;
  const cachingFaults = { ...state, caps: { ...state.caps, cachingMode: true } };
  return [...kept, ...further(cachingFaults, faultClause, 'after a fault with CM=0')];
}

/** Invalidations of one cache and granularity, where there are several: a unit may ignore them all. */
function ofOneKind({ invalidations }: VtdState): readonly (readonly Invalidation[])[] {
  const kinds = new Map<string, Invalidation[]>();
  for (const each of invalidations) {
    const kind = `${each.cache}/${each.granularity}`;
    kinds.set(kind, [...(kinds.get(kind) ?? []), each]);
  }
  return [...kinds.values()].filter((each) => each.length > 1);
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
    identities: [{ clause, kind: USED_AFTERWARDS, discriminator: `${what} ${how}: gone→used` }],
    expected: 'what memory holds now',
    observed: outcome.kind === 'translated' ? `used to reach 0x${outcome.address.toString(16)}` : 'used to refuse',
  };
  return outcome.kind === 'translated'
    ? [way(state, page, { kind: 'memory', address: outcome.address }, outcome, deviation)]
    : [{ deviation, ways: () => recordedWays(state, page, outcome.conditions, outcome.evidence) }];
}
