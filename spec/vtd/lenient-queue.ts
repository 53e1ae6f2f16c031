import { entry128 } from '../bits.js';
import type { MemoryView } from '../interface/model.js';
import { type DescriptorError, lenientCommand } from './descriptor.js';
import { fetchFrom, hasWork, queuePlace, sequencesOf } from './queue.js';
import { type QueueState, queueWith } from './queue-state.js';
import { clearStatus } from './recording.js';
import { mapFaults, type VtdState } from './state.js';

/** What a unit that does not look at an error does with the queue. No rule of any document. */

/** The queue at its first bad descriptor, and what is wrong there; `undefined` when nothing is. */
function atError(
  state: VtdState,
  view: MemoryView,
): { readonly queue: QueueState; readonly error: DescriptorError } | undefined {
  const { queue } = state;
  if (queue === undefined) return undefined;
  if (queue.error !== undefined) return { queue, error: queue.error };
  if (!hasWork(queue)) return undefined;
  for (const sequence of sequencesOf(state, queue, view)) {
    if (sequence.end?.kind !== 'error') continue;
    return { queue: fetchFrom(queue, sequence, sequence.items.length), error: sequence.end.error };
  }
  return undefined;
}

/** What is wrong where the queue must stop. */
export function standsAtError(state: VtdState, view: MemoryView): DescriptorError | undefined {
  return atError(state, view)?.error;
}

/** The state after the bad descriptor was taken for a good one: its reserved fields ignored, or nothing done. */
export function acceptBadDescriptor(state: VtdState, view: MemoryView): VtdState {
  const found = atError(state, view);
  if (found === undefined) return state;
  const { queue } = found;
  const { base, bytes, step } = queuePlace(state);
  const quiet = mapFaults(state, (faults) => clearStatus(faults, { overflow: false, queueError: true }));
  if (queue.badTail !== undefined && queue.submitted.length === 0) {
    return { ...quiet, queue: queueWith(queue, { badTail: undefined, error: undefined }) };
  }
  const [reading] = view.readings(base + BigInt(queue.head), 16);
  const bits = reading?.kind === 'words' ? entry128(reading.words) : 0n;
  const command = lenientCommand(bits, { caps: state.caps, wide: step === 32, mode: 0 });
  const head = (queue.head + step) % bytes;
  const submitted = queue.submitted[0]?.tick ?? view.now;
  const fetched = command.kind === 'other' ? [] : [{ order: queue.count, submitted, command }];
  return {
    ...quiet,
    queue: queueWith(queue, {
      head,
      submitted: queue.submitted.filter(({ to }, index) => index > 0 || to !== head),
      fetched: [...queue.fetched, ...fetched],
      count: queue.count + 1,
      ended: command.kind === 'wait',
      error: undefined,
    }),
  };
}
