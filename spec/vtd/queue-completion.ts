import { gather } from '../gather.js';
import type { MemoryView, OwnStore, Successor } from '../interface/model.js';
import { QUEUE_ERROR } from '../layout/vtd-queue.js';
import { invalidationOf, withCompleted } from './caching/completed.js';
import type { Command, DescriptorError } from './descriptor.js';
import { eventMessage, raiseCompletion } from './events.js';
import { hasWork, queuePlace } from './queue.js';
import { type Fetched, type QueueState, queueWith } from './queue-state.js';
import { queueErrorClauses, raiseQueueError } from './recording.js';
import { type Invalidation, mapFaults, stateWith, type VtdState } from './state.js';

/** A state on the way, with what was written so far. */
export interface Progress {
  readonly state: VtdState;
  readonly stores: readonly OwnStore[];
  readonly clauses: readonly string[];
  readonly undecided?: NonNullable<Successor<VtdState>['undecided']>;
}

/** The command of a wait. */
export type Wait = Command & { readonly kind: 'wait' };
/** A wait that was fetched. */
export type FetchedWait = Fetched & { readonly command: Wait };

/** Whether a fetched descriptor is a wait. */
export const isWait = (each: Fetched): each is FetchedWait => each.command.kind === 'wait';

/**
 * A wait completes, as far as `phase` says: its status write, or all of it. Facts 7.9.
 *
 * 1. VTD-WAIT-005: waits before it that fence complete first. VTD-WAIT-006: others need not.
 * 2. VTD-WAIT-001: what was queued since the wait before it is complete; VTD-QI-016: with an IOTLB
 *    invalidation, so is every context-cache invalidation before that.
 * 3. SW=1: the status data is written. IF=1: the completion event (VTD-WAIT-009: not before the write).
 */
export function completeWait(from: Progress, order: number, phase: 'status' | 'all', view: MemoryView): Progress {
  const { queue } = from.state;
  const wait = queue?.fetched.filter(isWait).find((each) => each.order === order);
  if (queue === undefined || wait === undefined) return from;
  const fence = queue.fetched.filter(isWait).find((each) => each.order < order && each.command.fence);
  if (fence !== undefined) {
    const fenced = completeWait(from, fence.order, 'all', view);
    return completeWait({ ...fenced, clauses: [...fenced.clauses, 'VTD-WAIT-005'] }, order, phase, view);
  }
  const overtaken = queue.fetched.some((each) => isWait(each) && each.order < order) ? ['VTD-WAIT-006'] : [];
  const proven = prove(from.state, queue, wait, view.now);
  const { status, interrupt } = wait.command;
  const stores = status === undefined ? [] : [statusStore(status)];
  const undecided = status === undefined ? undefined : badStatus(status.address, queue, proven, view);
  const remaining = phase === 'status' && interrupt;
  const left = gather((proven.queue ?? queue).fetched, (each): readonly Fetched[] => {
    if (each.order !== order) return [each];
    return remaining ? [{ ...wait, proven: true, command: { ...wait.command, status: undefined } }] : [];
  });
  const state = stateWith(proven, { queue: queueWith(queue, { fetched: left }) });
  const done = interrupt && !remaining ? raiseCompletion(state) : state;
  const clause = status !== undefined ? 'VTD-WAIT-001' : interrupt ? 'VTD-WAIT-002' : 'VTD-WAIT-007';
  const event = interrupt && from.state.completion.complete ? ['VTD-WAIT-003'] : [];
  const why = undecided ?? from.undecided;
  return {
    state: done,
    stores: [...from.stores, ...stores],
    clauses: [...from.clauses, clause, ...event, ...overtaken],
    ...(why === undefined ? {} : { undecided: why }),
  };
}

/** The status data as it is stored: 32 bits. */
export function statusStore({ address, data }: NonNullable<Wait['status']>): OwnStore {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, data, true);
  return { address, data: bytes, clause: 'VTD-WAIT-001' };
}

/** N56: a status address that is not memory may do anything; one inside the queue cannot be followed. */
function badStatus(
  address: bigint,
  queue: QueueState,
  state: VtdState,
  view: MemoryView,
): NonNullable<Successor<VtdState>['undecided']> | undefined {
  const word = view.readings(address & ~7n, 8);
  if (word.some((reading) => reading.kind !== 'words'))
    return { kind: 'undefined', reason: 'wait with a status address that is not memory (N56)' };
  const { base, bytes } = queuePlace(state);
  const inside = address >= base && address < base + BigInt(bytes);
  return inside && hasWork(queue) ? { kind: 'inconclusive', reason: 'wait status written into the queue' } : undefined;
}

/** What a completed wait proves, see {@link completeWait} step 2. */
function prove(state: VtdState, queue: QueueState, wait: FetchedWait, now: number): VtdState {
  if (wait.proven) return stateWith(state, { queue });
  const before = queue.fetched.filter((each) => each.order < wait.order);
  const previous = before.filter(isWait).at(-1)?.order ?? -1;
  const covered = before.filter((each) => !isWait(each) && each.order > previous);
  const flushes = covered.some(({ command }) => command.kind === 'invalidate' && command.scope.cache === 'iotlb');
  const also = (each: Fetched): boolean =>
    flushes && each.order < previous && each.command.kind === 'invalidate' && each.command.scope.cache === 'context';
  const complete = before.filter((each) => covered.includes(each) || also(each));
  return {
    ...withCompleted(state, queuedInvalidations(complete), now),
    queue: queueWith(queue, { fetched: queue.fetched.filter((each) => !complete.includes(each)) }),
  };
}

/** The invalidations among descriptors. */
export function queuedInvalidations(descriptors: readonly Fetched[]): readonly Invalidation[] {
  return gather(descriptors, ({ command, order, submitted }) =>
    command.kind === 'invalidate' ? [invalidationOf(command.scope, { submitted, order })] : [],
  );
}

/** IQE with the head on the bad descriptor; the error event. */
export function stop(from: Progress, error: DescriptorError): Progress {
  const { state } = from;
  if (state.queue === undefined) return from;
  const codes = state.caps.early ? [...new Set([...error.codes, QUEUE_ERROR.none])] : error.codes;
  const message = eventMessage(state, 'FE');
  const next = mapFaults(state, (faults) => raiseQueueError(faults, message));
  const stopped = stateWith(next, { queue: queueWith(state.queue, { error: { ...error, codes } }) });
  return { ...from, state: stopped, clauses: [...from.clauses, error.clause, ...queueErrorClauses(state.faults)] };
}
