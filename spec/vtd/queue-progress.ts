import type { MemoryRange, MemoryView, Occasion, OwnStore, SeenBytes, Successor } from '../interface/model.js';
import { QUEUE_ERROR } from '../layout/vtd-queue.js';
import type { Command, DescriptorError } from './descriptor.js';
import { eventMessage, raiseCompletion } from './events.js';
import {
  type Fetched,
  fetchFrom,
  hasWork,
  isBusy,
  type QueueState,
  queuePlace,
  type Sequence,
  sequencesOf,
} from './queue.js';
import { raiseQueueError } from './recording.js';
import { mapFaults, type VtdState } from './state.js';

/**
 * What the unit does on its own: it fetches descriptors, completes waits, stops at errors. It may have got anywhere
 * between what is known and the tail at any time (N30, N31), so nothing is decided before it shows: worlds part only
 * where a register, a message or memory that a wait writes tells them apart.
 */

/** A state on the way, with what was written so far. */
interface Progress {
  readonly state: VtdState;
  readonly stores: readonly OwnStore[];
  readonly clauses: readonly string[];
  readonly undecided?: NonNullable<Successor<VtdState>['undecided']>;
}

type Wait = Command & { readonly kind: 'wait' };
type FetchedWait = Fetched & { readonly command: Wait };

const isWait = (each: Fetched): each is FetchedWait => each.command.kind === 'wait';

/** A wait that may complete, in the state in which everything up to it is fetched. */
interface Candidate {
  readonly state: VtdState;
  readonly wait: FetchedWait;
}

/** Every wait that may complete now and matters, oldest first. */
function candidates(state: VtdState, view: MemoryView, matters: (wait: Wait) => boolean): readonly Candidate[] {
  const { queue } = state;
  if (queue === undefined) return [];
  const found = queue.fetched.filter(isWait).map((wait): Candidate => ({ state, wait }));
  const known = new Set<string>();
  for (const sequence of hasWork(queue) ? sequencesOf(state, queue, view) : []) {
    sequence.items.forEach(({ command, submitted }, index) => {
      const order = queue.count + index;
      if (command.kind !== 'wait' || known.has(`${order}`)) return;
      known.add(`${order}`);
      const fetched = { ...state, queue: fetchFrom(queue, sequence, index + 1) };
      found.push({ state: fetched, wait: { order, submitted, command } });
    });
  }
  return found.filter(({ wait }) => matters(wait.command));
}

/**
 * A wait completes, as far as `phase` says: its status write, or all of it. Facts 7.9.
 *
 * 1. VTD-WAIT-005: waits before it that fence complete first. VTD-WAIT-006: others need not.
 * 2. VTD-WAIT-001: what was queued since the wait before it is complete; VTD-QI-016: with an IOTLB
 *    invalidation, so is every context-cache invalidation before that.
 * 3. SW=1: the status data is written. IF=1: the completion event (VTD-WAIT-009: not before the write).
 */
function completeWait(from: Progress, order: number, phase: 'status' | 'all', view: MemoryView): Progress {
  const { queue } = from.state;
  const wait = queue?.fetched.filter(isWait).find((each) => each.order === order);
  if (queue === undefined || wait === undefined) return from;
  const fence = queue.fetched.filter(isWait).find((each) => each.order < order && each.command.fence);
  if (fence !== undefined) return completeWait(completeWait(from, fence.order, 'all', view), order, phase, view);
  const proven = { ...from.state, ...prove(from.state, queue, wait, view.now) };
  const { status, interrupt } = wait.command;
  const stores = status === undefined ? [] : [statusStore(status)];
  const undecided = status === undefined ? undefined : badStatus(status.address, queue, proven, view);
  const remaining = phase === 'status' && interrupt;
  const left = (proven.queue ?? queue).fetched.flatMap((each): readonly Fetched[] => {
    if (each.order !== order) return [each];
    return remaining ? [{ ...wait, proven: true, command: { ...wait.command, status: undefined } }] : [];
  });
  const state = { ...proven, queue: { ...queue, fetched: left } };
  const done = interrupt && !remaining ? raiseCompletion(state) : state;
  const clause = status !== undefined ? 'VTD-WAIT-001' : interrupt ? 'VTD-WAIT-002' : 'VTD-WAIT-007';
  const event = interrupt && from.state.completion.complete ? ['VTD-WAIT-003'] : [];
  const why = undecided ?? from.undecided;
  return {
    state: done,
    stores: [...from.stores, ...stores],
    clauses: [...from.clauses, clause, ...event],
    ...(why === undefined ? {} : { undecided: why }),
  };
}

/** The status data as it is stored: 32 bits. */
function statusStore({ address, data }: NonNullable<Wait['status']>): OwnStore {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, data, true);
  return { address, data: bytes, clause: 'VTD-WAIT-001' };
}

/** N56: a status address that is not memory has any effect; one inside the queue cannot be followed. */
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
function prove(
  state: VtdState,
  queue: QueueState,
  wait: FetchedWait,
  now: number,
): Pick<VtdState, 'invalidations' | 'queue'> {
  if (wait.proven) return { invalidations: state.invalidations, queue };
  const before = queue.fetched.filter((each) => each.order < wait.order);
  const previous = before.filter(isWait).at(-1)?.order ?? -1;
  const covered = before.filter((each) => !isWait(each) && each.order > previous);
  const flushes = covered.some(({ command }) => command.kind === 'invalidate' && command.cache === 'iotlb');
  const also = (each: Fetched): boolean =>
    flushes && each.order < previous && each.command.kind === 'invalidate' && each.command.cache === 'context';
  const complete = before.filter((each) => covered.includes(each) || also(each));
  const invalidations = complete.flatMap(({ command, order, submitted }) =>
    command.kind === 'invalidate'
      ? [{ cache: command.cache, granularity: command.granularity, submitted, completed: now, order }]
      : [],
  );
  return {
    invalidations: invalidations.length === 0 ? state.invalidations : [...state.invalidations, ...invalidations],
    queue: { ...queue, fetched: queue.fetched.filter((each) => !complete.includes(each)) },
  };
}

/** Most waits whose effects are followed in every combination. */
const MOST_OPEN = 5;

/** Every combination of waits that matter having completed; `order`: none that commutes with a later one is repeated. */
function combinations(
  from: Progress,
  matters: (wait: Wait) => boolean,
  phase: 'status' | 'all',
  view: MemoryView,
  last?: FetchedWait,
): readonly Progress[] {
  const open = candidates(from.state, view, matters);
  if (last === undefined && open.length > MOST_OPEN) {
    return [
      { ...from, undecided: { kind: 'inconclusive', reason: `more than ${MOST_OPEN} waits may have completed` } },
    ];
  }
  const next = open.flatMap(({ state, wait }): readonly Progress[] => {
    if (last !== undefined && wait.order < last.order && !sameStatus(wait, last)) return [];
    const done = completeWait({ ...from, state }, wait.order, phase, view);
    return done.undecided === undefined ? combinations(done, matters, phase, view, wait) : [done];
  });
  return [from, ...next];
}

function sameStatus(a: FetchedWait, b: FetchedWait): boolean {
  const [first, second] = [a.command.status, b.command.status];
  return first !== undefined && second !== undefined && overlap(first.address, 4, second.address, 4);
}

function overlap(a: bigint, aBytes: number, b: bigint, bBytes: number): boolean {
  return a < b + BigInt(bBytes) && b < a + BigInt(aBytes);
}

/** VTD-QI-004 to VTD-QI-011, VTD-QI-019: the queue gets to a bad descriptor and stops there. */
function failures(from: Progress, view: MemoryView): readonly Progress[] {
  const { queue } = from.state;
  if (queue === undefined || queue.error !== undefined || !hasWork(queue)) return [];
  return sequencesOf(from.state, queue, view).flatMap((sequence) => {
    const { end } = sequence;
    if (end === undefined) return [];
    const fetched = { ...from.state, queue: fetchFrom(queue, sequence, sequence.items.length) };
    if (end.kind === 'undecided') {
      return [{ ...from, state: fetched, undecided: { kind: 'inconclusive' as const, reason: end.reason } }];
    }
    return [stop({ ...from, state: fetched }, end.error)];
  });
}

/** IQE with the head on the bad descriptor; the error event. */
function stop(from: Progress, error: DescriptorError): Progress {
  const { state } = from;
  if (state.queue === undefined) return from;
  const codes = state.caps.early ? [...new Set([...error.codes, QUEUE_ERROR.none])] : error.codes;
  const message = eventMessage(state, 'FE');
  const next = mapFaults(state, (faults) => raiseQueueError(faults, message));
  const stopped = { ...next, queue: { ...state.queue, error: { ...error, codes } } };
  return { ...from, state: stopped, clauses: [...from.clauses, error.clause, 'VTD-FREC-019'] };
}

const FAULT_REGISTERS: readonly string[] = ['FSTS', 'FECTL', 'FEDATA', 'FEADDR', 'FEUADDR', 'FRCD', 'IQERCD'];
const COMPLETION_REGISTERS: readonly string[] = ['ICS', 'IECTL', 'IEDATA', 'IEADDR', 'IEUADDR'];

/** How far the unit may have got, as far as the occasion can tell. */
export function queueAdvances(state: VtdState, occasion: Occasion, view: MemoryView): readonly Progress[] {
  const start: Progress = { state, stores: [], clauses: [] };
  if (!isBusy(state.queue)) return [start];
  const interrupts = (wait: Wait): boolean => wait.interrupt;
  switch (occasion.kind) {
    case 'memory':
      return memoryAdvances(start, occasion.ranges, occasion.seen, view);
    case 'request':
      return [start, ...failures(start, view)];
    case 'messages':
      return [start, ...failures(start, view)].flatMap((each) => combinations(each, interrupts, 'all', view));
    case 'register': {
      const { register } = occasion.access;
      if (FAULT_REGISTERS.includes(register)) return [start, ...failures(start, view)];
      return COMPLETION_REGISTERS.includes(register) ? combinations(start, interrupts, 'all', view) : [start];
    }
  }
}

/** Waits whose status lies in memory that is looked at or changed. What a load shows tells most of them apart. */
function memoryAdvances(
  start: Progress,
  ranges: readonly MemoryRange[],
  seen: SeenBytes | undefined,
  view: MemoryView,
): readonly Progress[] {
  const touched = ({ status }: Wait): boolean =>
    status !== undefined && ranges.some((range) => overlap(range.address, range.bytes, status.address, 4));
  if (seen === undefined) return combinations(start, touched, 'status', view);
  let known = start;
  const open = candidates(start.state, view, touched);
  const alone = (wait: FetchedWait): boolean =>
    open.every((each) => each.wait === wait || !sameStatus(each.wait, wait));
  const decided = new Set<bigint>();
  for (const { wait } of open) {
    const { status } = wait.command;
    if (status === undefined || !alone(wait)) continue;
    decided.add(status.address);
    const shown = wordIn(seen, status.address);
    const held = heldWord(view, status.address);
    if (shown !== status.data || held === status.data) continue;
    const [now] = candidates(known.state, view, (each) => each.status?.address === status.address);
    if (now !== undefined) known = completeWait({ ...known, state: now.state }, now.wait.order, 'status', view);
  }
  const shared = (wait: Wait): boolean => touched(wait) && !decided.has(wait.status?.address ?? -1n);
  return combinations(known, shared, 'status', view);
}

function wordIn({ address, data }: SeenBytes, at: bigint): number | undefined {
  const offset = Number(at - address);
  if (offset < 0 || offset + 4 > data.length) return undefined;
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(offset, true);
}

function heldWord(view: MemoryView, at: bigint): number | undefined {
  const [reading] = view.readings(at & ~7n, 8);
  return reading?.kind === 'words' ? Number(((reading.words[0] ?? 0n) >> ((at & 4n) * 8n)) & 0xffff_ffffn) : undefined;
}

/** Memory that pending waits may still write. */
export function statusRanges(state: VtdState, view: MemoryView): readonly MemoryRange[] {
  return candidates(state, view, (wait) => wait.status !== undefined).map(({ wait }) => ({
    address: wait.command.status?.address ?? 0n,
    bytes: 4,
  }));
}

/**
 * Everything that was handed over is done, up to the first bad descriptor. Which of several waits with the same status
 * address wrote last is open unless one of them fences (VTD-WAIT-005, VTD-WAIT-006).
 */
export function queueSettled(state: VtdState, view: MemoryView): readonly Progress[] {
  const { queue } = state;
  if (queue === undefined) return [{ state, stores: [], clauses: [] }];
  const sequences: readonly Sequence[] = hasWork(queue)
    ? sequencesOf(state, queue, view)
    : [{ items: [], end: undefined }];
  return sequences.flatMap((sequence): readonly Progress[] => {
    const fetched = { ...state, queue: fetchFrom(queue, sequence, sequence.items.length) };
    const start: Progress = { state: fetched, stores: [], clauses: [] };
    if (sequence.end?.kind === 'undecided') {
      return [{ ...start, undecided: { kind: 'inconclusive' as const, reason: sequence.end.reason } }];
    }
    const waits = fetched.queue.fetched.filter(isWait);
    const done = waits.reduce((progress, wait) => completeWait(progress, wait.order, 'all', view), start);
    // The error and the completion events do not touch each other, so their order does not matter.
    const stopped = sequence.end === undefined ? done : stop(done, sequence.end.error);
    const quiet = { ...stopped, state: rest(stopped.state, view.now) };
    const writers = lastWriters(waits);
    if (writers === undefined) {
      return [{ ...quiet, undecided: { kind: 'inconclusive' as const, reason: 'many waits with one status address' } }];
    }
    return writers.map((last) => ({ ...quiet, stores: [...quiet.stores, ...last] }));
  });
}

/** At rest nothing that was fetched is pending; what no wait proved is complete by now all the same. */
function rest(state: VtdState, now: number): VtdState {
  const { queue } = state;
  if (queue === undefined) return state;
  const invalidations = queue.fetched.flatMap(({ command, order, submitted }) =>
    command.kind === 'invalidate'
      ? [{ cache: command.cache, granularity: command.granularity, submitted, completed: now, order }]
      : [],
  );
  return { ...state, invalidations: [...state.invalidations, ...invalidations], queue: { ...queue, fetched: [] } };
}

/** Every choice of the last writer of each status address, as stores to be made once more. */
function lastWriters(waits: readonly FetchedWait[]): readonly (readonly OwnStore[])[] | undefined {
  let choices: readonly (readonly OwnStore[])[] = [[]];
  const addresses = new Set(
    waits.flatMap(({ command }) => (command.status === undefined ? [] : [command.status.address])),
  );
  for (const address of addresses) {
    const writers = waits.filter(({ command }) => command.status?.address === address);
    const last = writers.at(-1)?.order ?? 0;
    const free = writers.filter(
      (wait) => !waits.some((other) => other.command.fence && other.order >= wait.order && other.order < last),
    );
    const distinct = new Map(free.map((wait) => [wait.command.status?.data, wait]));
    if (distinct.size < 2) continue;
    choices = choices.flatMap((stores) =>
      [...distinct.values()].map(({ command }) =>
        command.status === undefined ? stores : [...stores, statusStore(command.status)],
      ),
    );
    if (choices.length > MOST_CHOICES) return undefined;
  }
  return choices;
}

/** Most choices of last writers that are followed. */
const MOST_CHOICES = 32;
