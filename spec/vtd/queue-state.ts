import type { Command, DescriptorError } from './descriptor.js';

/** A descriptor that was fetched and is not known to be complete. */
export interface Fetched {
  /** Its place among all descriptors since the queue was enabled. */
  readonly order: number;
  /** Tick of the tail write that handed it over. */
  readonly submitted: number;
  readonly command: Command;
  /** A wait whose earlier work is known to be complete: its status write was seen. */
  readonly proven?: true;
}

/** Why the queue stands still. Facts 6.5. */
export interface QueueError extends DescriptorError {
  /** Number of codes is narrowed when IQERCD is read. */
  readonly codes: readonly number[];
}

/** The invalidation queue while QIES=1. Facts 7.9. Offsets are in bytes from IQA. */
export interface QueueState {
  /** Everything before this offset was fetched and found valid; IQH is here or further on. */
  readonly head: number;
  /** What was handed over behind `head`: up to which offset, by the tail write of which tick. */
  readonly submitted: readonly { readonly to: number; readonly tick: number }[];
  /** Oldest first. */
  readonly fetched: readonly Fetched[];
  /** Number of descriptors fetched so far. */
  readonly count: number;
  /** The last descriptor fetched was a wait; true before the first one. */
  readonly ended: boolean;
  /** A tail that is not in the queue, or not aligned, is to be refused. */
  readonly badTail: DescriptorError | undefined;
  /** Where the queue stood when IQE was cleared, until the tail is written again. */
  readonly resumedAt?: number | undefined;
  /** The tail was written while the queue stood still (VTD-QI-007). */
  readonly tailIgnored?: true | undefined;
  /** FSTS.IQE: the queue stands at `head`. */
  readonly error: QueueError | undefined;
}

/** VTD-GCMD-008: the queue when QIES becomes 1; IQH is 0. */
export const emptyQueue: QueueState = {
  head: 0,
  submitted: [],
  fetched: [],
  count: 0,
  ended: true,
  badTail: undefined,
  resumedAt: undefined,
  tailIgnored: undefined,
  error: undefined,
};

/** The queue with parts of it changed. Written out, so that all queues are built alike. */
export function queueWith(queue: QueueState, change: Partial<QueueState>): QueueState {
  return {
    head: change.head ?? queue.head,
    submitted: change.submitted ?? queue.submitted,
    fetched: change.fetched ?? queue.fetched,
    count: change.count ?? queue.count,
    ended: change.ended ?? queue.ended,
    badTail: 'badTail' in change ? change.badTail : queue.badTail,
    resumedAt: 'resumedAt' in change ? change.resumedAt : queue.resumedAt,
    tailIgnored: 'tailIgnored' in change ? change.tailIgnored : queue.tailIgnored,
    error: 'error' in change ? change.error : queue.error,
  };
}
