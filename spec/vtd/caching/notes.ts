import { type CachingNotes, type Outcome, staleness } from '../outcome.js';
import { hasWork, isBusy } from '../queue.js';
import type { VtdState } from '../state.js';

/**
 * What the caching rule has to say of a request; `undefined` where it decided nothing.
 *
 * @param left clauses by which something was left out
 */
export function cachingNotes(
  state: VtdState,
  left: ReadonlySet<string>,
  outcomes: readonly Outcome[],
): CachingNotes | undefined {
  // VTD-INV-020: what an invalidation left out was out of the write buffer, too.
  const flushed = state.caps.writeBufferFlush && leftByInvalidation(left);
  const decided = flushed ? new Set([...left, 'VTD-INV-020']) : left;
  const notes = { clauses: cachingClauses(state, decided, outcomes), labels: cachingLabels(state, decided, outcomes) };
  return notes.clauses.length === 0 && notes.labels.length === 0 ? undefined : notes;
}

/**
 * Caching clauses that decided what is admitted. VTD-CACHE-003, VTD-CACHE-009: the old result as well as the new
 * one; VTD-CACHE-008: of either page size; VTD-GCMD-010: through either root table; VTD-WAIT-010: although the head
 * of the queue met its tail.
 */
function cachingClauses(
  { queue }: VtdState,
  decided: ReadonlySet<string>,
  outcomes: readonly Outcome[],
): readonly string[] {
  if (!outcomes.some(staleness) || outcomes.length < 2) return [...decided];
  const sizes = outcomes.flatMap((each) =>
    each.kind === 'translated' ? each.labels.filter((label) => label.startsWith('page:')) : [],
  );
  const formerRoot = outcomes.some((each) => 'stale' in each && each.stale.includes('root pointer'));
  const fetched =
    queue !== undefined && !hasWork(queue) && queue.fetched.some(({ command }) => command.kind !== 'wait');
  return [
    ...decided,
    'VTD-CACHE-003',
    'VTD-CACHE-009',
    ...(new Set(sizes).size > 1 ? ['VTD-CACHE-008'] : []),
    ...(formerRoot ? ['VTD-GCMD-010'] : []),
    ...(fetched ? ['VTD-WAIT-010'] : []),
  ];
}

/** Clauses by which a completed invalidation left something out; VTD-GCMD-009: one that comes with a root pointer. */
const BY_INVALIDATION = /^VTD-(INV-|CACHE-0(04|07|13)$|GCMD-009$|QI-016$)/;

function leftByInvalidation(decided: ReadonlySet<string>): boolean {
  return [...decided].some((clause) => BY_INVALIDATION.test(clause));
}

/** Where the request falls: between a change and its invalidation, between submission and completion, or after it. */
function cachingLabels(state: VtdState, decided: ReadonlySet<string>, outcomes: readonly Outcome[]): readonly string[] {
  const open = outcomes.some(staleness) && outcomes.length > 1;
  const submitted = state.pending.iotlb !== undefined || state.pending.context !== undefined || isBusy(state.queue);
  const after = leftByInvalidation(decided);
  return [
    ...(open ? ['window:changed'] : []),
    ...(open && submitted ? ['window:submitted'] : []),
    ...(after ? ['window:invalidated'] : []),
  ];
}
