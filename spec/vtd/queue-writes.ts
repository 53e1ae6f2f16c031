import type { CommandResult } from './global-command.js';
import { handOver } from './queue.js';
import { queueWith } from './queue-state.js';
import { stateWith, type VtdState } from './state.js';

/** Writes that concern the queue. Facts 2.2, 7.9. */

/** VTD-QI-001: with QIES=0 IQT is only stored; otherwise it hands descriptors over. */
export function writeTail(state: VtdState, now: number): CommandResult {
  if (state.pending.queue !== undefined) {
    return { kind: 'undefined', reason: 'IQT written while QIE is changing (facts 2.2)' };
  }
  if (state.queue === undefined) return { kind: 'state', state, clauses: ['VTD-QI-001'] };
  const queue = handOver(state, state.queue, now);
  if (queue === undefined) return { kind: 'undefined', reason: 'IQT moved back over descriptors that the unit owns' };
  const next = stateWith(state, { queue: queueWith(queue, { resumedAt: undefined }) });
  return { kind: 'state', state: next, clauses: state.translation ? [] : ['VTD-QI-002'] };
}

/** Facts 2.2: IQA must not change while the queue is in use. */
export function writeQueueAddress(before: VtdState, after: VtdState): CommandResult {
  const inUse = before.queue !== undefined || before.pending.queue !== undefined;
  if (inUse && (before.stored['IQA'] ?? 0n) !== after.stored['IQA']) {
    return { kind: 'undefined', reason: 'IQA changed while QIES=1 (facts 2.2)' };
  }
  return { kind: 'state', state: after, clauses: [] };
}

/** VTD-QI-008: with IQE clear again the unit reads the descriptor at the head anew. */
export function resumeQueue(state: VtdState, now: number): VtdState {
  const { queue } = state;
  if (queue?.error === undefined) return state;
  const submitted = queue.submitted.map(({ to }) => ({ to, tick: now }));
  return stateWith(state, {
    queue: queueWith(queue, { submitted, error: undefined, tailIgnored: undefined, resumedAt: queue.head }),
  });
}
