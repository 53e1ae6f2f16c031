import { gather } from '../gather.js';
import type { MemoryView, OwnStore } from '../interface/model.js';
import { withCompleted } from './caching/completed.js';
import { fetchFrom, hasWork, type Sequence, sequencesOf } from './queue.js';
import {
  completeWait,
  type FetchedWait,
  isWait,
  type Progress,
  queuedInvalidations,
  statusStore,
  stop,
} from './queue-completion.js';
import { queueWith } from './queue-state.js';
import { stateWith, type VtdState } from './state.js';

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
  return gather(sequences, (sequence): readonly Progress[] => {
    const fetched = fetchFrom(queue, sequence, sequence.items.length);
    const start: Progress = { state: stateWith(state, { queue: fetched }), stores: [], clauses: [] };
    if (sequence.end?.kind === 'undecided') {
      return [{ ...start, undecided: { kind: 'inconclusive' as const, reason: sequence.end.reason } }];
    }
    const waits = fetched.fetched.filter(isWait);
    const done = waits.reduce((progress, wait) => completeWait(progress, wait.order, 'all', view), start);
    // The error and the completion events do not touch each other, so their order does not matter.
    const stopped = sequence.end === undefined ? done : stop(done, sequence.end.error);
    const quiet = { ...stopped, state: rest(stopped.state, view.now) };
    const writers = lastWriters(waits);
    if (writers === undefined) {
      return [{ ...quiet, undecided: { kind: 'inconclusive' as const, reason: 'many waits with one status address' } }];
    }
    const clauses = [...quiet.clauses, ...writers.clauses];
    return writers.choices.map((last) => ({ ...quiet, clauses, stores: [...quiet.stores, ...last] }));
  });
}

/** At rest nothing that was fetched is pending; what no wait proved is complete by now all the same. */
function rest(state: VtdState, now: number): VtdState {
  const { queue } = state;
  if (queue === undefined) return state;
  const completed = withCompleted(state, queuedInvalidations(queue.fetched), now);
  return stateWith(completed, { queue: queueWith(queue, { fetched: [] }) });
}

/** Choices of last writers, and the rules that they rest on. */
interface LastWriters {
  readonly choices: readonly (readonly OwnStore[])[];
  readonly clauses: readonly string[];
}

/** Every choice of the last writer of each status address, as stores to be made once more. */
function lastWriters(waits: readonly FetchedWait[]): LastWriters | undefined {
  let choices: LastWriters['choices'] = [[]];
  const clauses = new Set<string>();
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
    if (free.length < writers.length) clauses.add('VTD-WAIT-005');
    if (distinct.size < 2) continue;
    clauses.add('VTD-WAIT-006');
    choices = choices.flatMap((stores) =>
      [...distinct.values()].map(({ command }) =>
        command.status === undefined ? stores : [...stores, statusStore(command.status)],
      ),
    );
    if (choices.length > MOST_CHOICES) return undefined;
  }
  return { choices, clauses: [...clauses] };
}

/** Most choices of last writers that are followed. */
const MOST_CHOICES = 32;
