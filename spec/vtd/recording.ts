import { produce } from 'immer';
import { type FaultRecord, type FaultState, faultPending } from './state.js';

/** One way for a recordable fault to be logged, with the clauses it rests on. */
export interface Logged {
  readonly faults: FaultState;
  readonly clauses: readonly string[];
}

/**
 * Primary fault logging. Facts 6.2.
 *
 * 1. VTD-FREC-009: with PFO=1 the fault is dropped.
 * 2. VTD-FREC-011 (N18): a fault of a source-id that has a pending record may be dropped.
 * 3. VTD-FREC-008: F=1 at the index sets PFO and drops the fault.
 * 4. VTD-FREC-001, VTD-FREC-006, VTD-FREC-007: otherwise the record is written and the index moves on.
 */
export function logFault(faults: FaultState, record: FaultRecord): readonly Logged[] {
  if (faults.overflow) return [{ faults, clauses: ['VTD-FREC-009'] }];
  const collapsed = faults.records.some((pending) => pending?.sourceId === record.sourceId)
    ? [{ faults, clauses: ['VTD-FREC-011'] }]
    : [];
  const indices = faults.index === undefined ? faults.records.map((_, index) => index) : [faults.index];
  return [...collapsed, ...indices.map((index) => logAt(faults, index, record))];
}

/** Steps 3 and 4 of facts 6.2, at a given index. */
function logAt(faults: FaultState, index: number, record: FaultRecord): Logged {
  if (faults.records[index] !== null) {
    return {
      faults: produce(faults, (draft) => {
        draft.overflow = true;
        draft.index = index;
      }),
      clauses: ['VTD-FREC-008'],
    };
  }
  const wasPending = faultPending(faults);
  const next = produce(faults, (draft) => {
    draft.records[index] = record as (typeof draft.records)[number];
    draft.fresh = false;
    draft.index = (index + 1) % faults.records.length;
    if (!wasPending) draft.first = index;
  });
  return {
    faults: wasPending || faults.overflow ? next : raiseEvent(next),
    clauses: faults.fresh ? ['VTD-FREC-001', 'VTD-FREC-007'] : ['VTD-FREC-007'],
  };
}

/** VTD-FREC-013: the event sets IP; with IM=0 the message goes out at once and IP is clear again. Facts 6.3. */
function raiseEvent(faults: FaultState): FaultState {
  return { ...faults, interruptPending: faults.interruptMask };
}

/** VTD-FREC-016: IP falls when no condition is pending any more. Facts 6.3. */
function settleEvent(faults: FaultState): FaultState {
  return faultPending(faults) || faults.overflow ? faults : { ...faults, interruptPending: false };
}

/** VTD-REG-011: writing 1 to F clears the record; nothing else in FRCD is writable. */
export function clearRecord(faults: FaultState, index: number): FaultState {
  return settleEvent({ ...faults, records: faults.records.map((record, at) => (at === index ? null : record)) });
}

/** VTD-REG-008: writing 1 to PFO clears it. */
export function clearOverflow(faults: FaultState): FaultState {
  return settleEvent({ ...faults, overflow: false });
}

/** FECTL.IM is software's; VTD-FREC-015: clearing it with IP=1 sends the message and clears IP. Facts 6.3. */
export function setInterruptMask(faults: FaultState, mask: boolean): FaultState {
  return { ...faults, interruptMask: mask, interruptPending: mask && faults.interruptPending };
}
