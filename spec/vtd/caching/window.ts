import type { Invalidation, VtdState } from '../state.js';
import { queuedBefore } from './completed.js';
import type { LiveContext } from './live-contexts.js';
import { clauseOf, coversPage } from './scope.js';

/** Since when what a cache holds for one page of one domain must have been read. caching-rule lines 5 and 6. */
export interface Window {
  /** Leaves were read after this tick (S). */
  readonly leaves: number;
  /** Tables were read after this tick (S′: invalidations with IH=1 left paging-structure caches alone). */
  readonly tables: number;
  /** Complete IOTLB invalidations that cover the page (D). */
  readonly covering: readonly Invalidation[];
}

/** The window of a page. VTD-CACHE-004, VTD-CACHE-011. @param page page number */
export function windowOf(state: VtdState, domain: number, page: bigint): Window {
  const covering = state.invalidations.filter(
    (each) => each.cache === 'iotlb' && coversPage(each, domain, page, state.caps),
  );
  const latest = (some: readonly Invalidation[]): number => Math.max(-Infinity, ...some.map((each) => each.submitted));
  return {
    leaves: latest(covering),
    tables: latest(covering.filter((each) => !each.keepsTables)),
    covering,
  };
}

/**
 * Whether a context was live at some tick inside a window. VTD-QI-016: a context-cache invalidation that was queued
 * before a covering one of a domain or of everything is over throughout (K).
 */
export function wasLiveIn(context: LiveContext, since: number, window: Window): boolean {
  return context.until > since && !context.endedBy.some((ended) => isOverThroughout(ended, window));
}

/** The clauses by which a context counts no more inside a window, where {@link wasLiveIn} says so. */
export function endingClauses(context: LiveContext, since: number, window: Window): readonly string[] {
  const last = context.until > since ? context.endedBy.filter((ended) => isOverThroughout(ended, window)) : [];
  const byOrder = last.some(({ impliedBy }) => impliedBy === undefined) ? ['VTD-QI-016'] : [];
  return [...context.endedBy.map((ended) => ended.impliedBy ?? clauseOf(ended)), ...byOrder];
}

function isOverThroughout(context: Invalidation, { covering }: Window): boolean {
  return covering.some((each) => each.granularity !== 3 && queuedBefore(context, each));
}
