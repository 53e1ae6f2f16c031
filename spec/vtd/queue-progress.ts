import { gather } from '../gather.js';
import type { MemoryRange, MemoryView, Occasion, SeenBytes } from '../interface/model.js';
import { fetchFrom, hasWork, isBusy, sequencesOf } from './queue.js';
import { completeWait, type FetchedWait, isWait, type Progress, stop, type Wait } from './queue-completion.js';
import { stateWith, type VtdState } from './state.js';

/**
 * What the unit does on its own: it fetches descriptors, completes waits, stops at errors. It may have got anywhere
 * between what is known and the tail at any time (N30, N31), so nothing is decided before it shows: worlds part only
 * where a register, a message or memory that a wait writes tells them apart.
 */

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
      const fetched = stateWith(state, { queue: fetchFrom(queue, sequence, index + 1) });
      found.push({ state: fetched, wait: { order, submitted, command } });
    });
  }
  return found.filter(({ wait }) => matters(wait.command));
}

/** Most waits whose effects are followed in every combination. */
const MOST_OPEN = 7;

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
  const next = gather(open, ({ state, wait }): readonly Progress[] => {
    if (last !== undefined && wait.order < last.order && !sameStatus(wait, last)) return [];
    const done = withStatusFirst(completeWait({ ...from, state }, wait.order, phase, view), wait, phase);
    return done.undecided === undefined ? combinations(done, matters, phase, view, wait) : [done];
  });
  return [from, ...next];
}

/** VTD-WAIT-009: the event is there, so the status data is. */
function withStatusFirst(done: Progress, { command }: FetchedWait, phase: 'status' | 'all'): Progress {
  const both = phase === 'all' && command.status !== undefined && command.interrupt;
  return both ? { ...done, clauses: [...done.clauses, 'VTD-WAIT-009'] } : done;
}

/** VTD-QI-004 to VTD-QI-011, VTD-QI-019: the queue gets to a bad descriptor and stops there. */
function failures(from: Progress, view: MemoryView): readonly Progress[] {
  const { queue } = from.state;
  if (queue === undefined || queue.error !== undefined || !hasWork(queue)) return [];
  return gather(sequencesOf(from.state, queue, view), (sequence) => {
    const { end } = sequence;
    if (end === undefined) return [];
    const fetched = stateWith(from.state, { queue: fetchFrom(queue, sequence, sequence.items.length) });
    if (end.kind === 'undecided') {
      return [{ ...from, state: fetched, undecided: { kind: 'inconclusive' as const, reason: end.reason } }];
    }
    return [stop({ ...from, state: fetched }, end.error)];
  });
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
      return [...memoryAdvances(start, occasion.ranges, occasion.seen, view), ...unclear(start, view)];
    case 'request':
      return [start, ...failures(start, view)];
    case 'messages':
      return gather([start, ...failures(start, view)], (each) => combinations(each, interrupts, 'all', view));
    case 'register': {
      const { register } = occasion.access;
      if (FAULT_REGISTERS.includes(register)) return [start, ...failures(start, view)];
      if (!COMPLETION_REGISTERS.includes(register)) return [start];
      return [...combinations(start, interrupts, 'all', view), ...unclear(start, view)];
    }
  }
}

/** Descriptors of which the rules cannot tell what they do: anything may have come of them. */
function unclear(from: Progress, view: MemoryView): readonly Progress[] {
  return failures(from, view).filter((each) => each.undecided !== undefined);
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

function sameStatus(a: FetchedWait, b: FetchedWait): boolean {
  const [first, second] = [a.command.status, b.command.status];
  return first !== undefined && second !== undefined && overlap(first.address, 4, second.address, 4);
}

function overlap(a: bigint, aBytes: number, b: bigint, bBytes: number): boolean {
  return a < b + BigInt(bBytes) && b < a + BigInt(aBytes);
}
