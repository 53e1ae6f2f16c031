import { gather } from '../gather.js';
import type { MemoryView } from '../interface/model.js';
import { ICS_FIELDS, IECTL_FIELDS, IQERCD_FIELDS, IQH_FIELDS } from '../layout/vtd.js';
import { all, at, type Content, content, mask } from './content.js';
import { fetchFrom, hasWork, queuePlace, sequencesOf } from './queue.js';
import { type QueueState, queueWith } from './queue-state.js';
import { stateWith, type VtdState } from './state.js';

/** Contents of the registers around the queue. Facts 1.2, 1.6. */

/**
 * VTD-REG-007, VTD-QI-R03, N31: IQH lies between what was fetched for sure and the tail, or the first bad
 * descriptor. VTD-GCMD-008: it is 0 while QIES=0. Which it is shows how far the unit fetched (VTD-WAIT-010).
 */
export function headContents(state: VtdState, view: MemoryView): readonly Content[] {
  const { queue } = state;
  if (queue === undefined) return [content(state, 0n, all(8), ['VTD-GCMD-008', 'VTD-REG-007'])];
  const headIn = (next: QueueState): Content =>
    content(
      stateWith(state, { queue: next }),
      at(IQH_FIELDS.QH, BigInt(next.head / 16)),
      all(8),
      headClauses(state, next),
    );
  if (queue.error !== undefined || !hasWork(queue)) return [{ ...headIn(queue), state }];
  const sequences = sequencesOf(state, queue, view);
  if (sequences.some(({ end }) => end?.kind === 'undecided')) return [content(state, 0n, 0n)];
  return gather(sequences, (sequence, nth) =>
    [...sequence.items.keys(), sequence.items.length]
      .filter((count) => nth === 0 || count > 0)
      .map((count) => headIn(fetchFrom(queue, sequence, count))),
  );
}

/**
 * The rules that a head rests on. VTD-QI-003: it passed the end of the queue. VTD-QI-007: it stands still although the
 * tail was written. VTD-QI-008: it went on without a tail write once IQE was cleared.
 */
function headClauses(state: VtdState, next: QueueState): readonly string[] {
  const { head, count, error, submitted, tailIgnored, resumedAt } = next;
  const { bytes, step } = queuePlace(state);
  const wrapped = count * step >= bytes ? ['VTD-QI-003'] : [];
  const ignored = error !== undefined && tailIgnored && submitted.length > 0 ? ['VTD-QI-007'] : [];
  const resumed = resumedAt !== undefined && head !== resumedAt ? ['VTD-QI-008'] : [];
  return ['VTD-QI-R03', 'VTD-REG-007', ...wrapped, ...ignored, ...resumed];
}

/** VTD-REG-009, VTD-WAIT-002: ICS.IWC. */
export function completionStatus(state: VtdState): Content {
  const { complete } = state.completion;
  return content(state, at(ICS_FIELDS.IWC, complete ? 1n : 0n), all(4), [complete ? 'VTD-WAIT-002' : 'VTD-REG-009']);
}

/** VTD-REG-003, VTD-REG-004, VTD-WAIT-002, VTD-WAIT-004: IECTL. */
export function eventControl({ completion, ...rest }: VtdState): Content {
  const { interruptMask, interruptPending } = completion;
  const value = at(IECTL_FIELDS.IM, interruptMask ? 1n : 0n) | at(IECTL_FIELDS.IP, interruptPending ? 1n : 0n);
  const clause = interruptPending ? 'VTD-WAIT-002' : 'VTD-WAIT-004';
  return content({ completion, ...rest }, value, all(4), ['VTD-REG-003', 'VTD-REG-004', clause]);
}

/** Facts 1.6: IQEI means something only while IQE=1, and tells the cause (N32); no Device-TLB fault is ever captured without DT. */
export function queueErrorContents(state: VtdState): readonly Content[] {
  const { queue, caps } = state;
  const captured = caps.deviceTlb ? mask(IQERCD_FIELDS.ICESID) | mask(IQERCD_FIELDS.ITESID) : 0n;
  const error = queue?.error;
  const fixed = all(8) & ~captured;
  if (queue === undefined || error === undefined) {
    return [content(state, 0n, fixed & ~mask(IQERCD_FIELDS.IQEI))];
  }
  return error.codes.map((code) => {
    const narrowed = stateWith(state, { queue: queueWith(queue, { error: { ...error, codes: [code] } }) });
    return content(narrowed, at(IQERCD_FIELDS.IQEI, BigInt(code)), fixed, [error.clause]);
  });
}
