import { castDraft, produce } from 'immer';
import { type FaultRecord, type FaultState, faultPending } from './state.js';

/**
 * Primary fault logging. Facts 6.2.
 *
 * 1. VTD-FREC-009: with PFO=1 the fault is dropped.
 * 2. VTD-FREC-011 (N18): a fault of a source-id that has a pending record may be dropped.
 * 3. VTD-FREC-008: F=1 at the index sets PFO and drops the fault.
 * 4. VTD-FREC-001, VTD-FREC-006, VTD-FREC-007: otherwise the record is written and the index moves on.
 */
export function logFault(faults: FaultState, record: FaultRecord): readonly FaultState[] {
  if (faults.overflow) return [faults];
  const mayCollapse = faults.records.some((pending) => pending?.sourceId === record.sourceId);
  return mayCollapse ? [faults, logAtIndex(faults, record)] : [logAtIndex(faults, record)];
}

/** The rules of primary fault logging that decide what becomes of a fault, where every state agrees on it. */
export function loggingClauses(states: readonly FaultState[], record: FaultRecord): readonly string[] {
  const rules = states.map((faults) => {
    if (faults.overflow) return 'VTD-FREC-009';
    if (faults.records.some((pending) => pending?.sourceId === record.sourceId)) return 'VTD-FREC-011';
    if (faults.records[faults.index] !== null) return 'VTD-FREC-008';
    if (faults.fresh) return 'VTD-FREC-001';
    // VTD-FREC-010: after recovery the next fault uses the current index.
    return faultPending(faults) ? 'VTD-FREC-007' : 'VTD-FREC-010';
  });
  return new Set(rules).size === 1 ? rules.slice(0, 1) : [];
}

/** Steps 3 and 4 of facts 6.2. */
function logAtIndex(faults: FaultState, record: FaultRecord): FaultState {
  const { index } = faults;
  if (faults.records[index] !== null) return { ...faults, overflow: true };
  const wasPending = faultPending(faults);
  const next = produce(faults, (draft) => {
    draft.records[index] = castDraft(record);
    draft.fresh = false;
    draft.index = (index + 1) % faults.records.length;
    if (!wasPending) draft.first = index;
  });
  return wasPending ? next : raiseEvent(next);
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
