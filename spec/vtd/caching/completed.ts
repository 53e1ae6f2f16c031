import { type Invalidation, stateWith, type VtdState } from '../state.js';
import type { InvalidationScope } from './scope.js';

/** Which invalidations decide what may still be remembered. caching-rule lines 1 and 6; facts 7.6, 7.9. */

/** How an invalidation came about. */
type Asked = Pick<Invalidation, 'submitted' | 'answers' | 'order' | 'impliedBy'>;

/** An invalidation from its parts. Written out, so that all are built alike: every request looks at them. */
export function invalidationOf(scope: InvalidationScope, asked: Asked, completed?: number): Invalidation {
  return {
    cache: scope.cache,
    granularity: scope.granularity,
    domain: scope.domain,
    sourceId: scope.sourceId,
    functionMask: scope.functionMask,
    page: scope.page,
    addressMask: scope.addressMask,
    keepsTables: scope.keepsTables,
    surplusDomain: scope.surplusDomain,
    submitted: asked.submitted,
    answers: asked.answers,
    order: asked.order,
    impliedBy: asked.impliedBy,
    completed,
  };
}

/**
 * The state in which software observed invalidations to be complete, at tick `now`. With RWBF=1 they flushed the write
 * buffer first (VTD-INV-020).
 */
export function withCompleted(state: VtdState, invalidations: readonly Invalidation[], now: number): VtdState {
  const [first] = invalidations;
  if (first === undefined) return state;
  const all = [...state.invalidations];
  for (const each of invalidations) all.push(invalidationOf(each, each, now));
  const flushed = first.impliedBy === undefined ? withBufferFlushed(state, first.submitted, now) : state;
  return withoutForgotten(stateWith(flushed, { invalidations: all }));
}

/** A flush of the write buffer was observed complete at tick `now`. */
export function withBufferFlushed(state: VtdState, submitted: number, now: number): VtdState {
  if (!state.caps.writeBufferFlush) return state;
  return stateWith(state, { bufferFlushes: [...state.bufferFlushes, { submitted, completed: now }] });
}

/**
 * VTD-QI-016: whether one invalidation took effect before another for a reason of order alone: it was
 * queued before it.
 */
export function queuedBefore(first: Invalidation, second: Invalidation): boolean {
  if (first.order === undefined || second.order === undefined) return false;
  return first.submitted < second.submitted || (first.submitted === second.submitted && first.order < second.order);
}

/**
 * Tick before which nothing that any cache holds was read: the submission of the last global context-cache
 * invalidation that was over when a later global IOTLB invalidation was asked for.
 */
export function forgottenBefore(invalidations: readonly Invalidation[]): number {
  const flush = lastGlobal(invalidations, 'iotlb');
  if (flush === undefined) return -Infinity;
  const contexts = invalidations.filter(
    (each) => each.cache === 'context' && each.granularity === 1 && isOverAt(each, flush),
  );
  return Math.max(-Infinity, ...contexts.map((each) => each.submitted));
}

function lastGlobal(invalidations: readonly Invalidation[], cache: 'context' | 'iotlb'): Invalidation | undefined {
  const found = invalidations.filter((each) => each.cache === cache && each.granularity === 1);
  return found.reduce<Invalidation | undefined>(
    (last, each) => (last === undefined || each.submitted >= last.submitted ? each : last),
    undefined,
  );
}

/** Whether a context-cache invalidation is over for everything that was cached after an IOTLB invalidation. */
function isOverAt(context: Invalidation, iotlb: Invalidation): boolean {
  return (context.completed ?? Infinity) <= iotlb.submitted || queuedBefore(context, iotlb);
}

/** Drops invalidations and pointers that decide nothing any more: later global ones cover all that they did. */
function withoutForgotten(state: VtdState): VtdState {
  const flush = lastGlobal(state.invalidations, 'iotlb');
  if (flush === undefined) return state;
  const since = forgottenBefore(state.invalidations);
  const decides = (each: Invalidation): boolean =>
    each.cache === 'iotlb' ? each.submitted >= flush.submitted : each.submitted >= since || !isOverAt(each, flush);
  return stateWith(state, {
    invalidations: state.invalidations.filter(decides),
    // One that went with this very flush says what the flush was for (VTD-GCMD-009).
    formerRoots: state.formerRoots.filter(
      ({ until }) => until > since || (until === since && state.caps.setRootFlushes),
    ),
  });
}
