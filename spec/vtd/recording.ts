import { type EventMessage, type FaultRecord, type FaultState, faultPending, faultsWith } from './state.js';

/**
 * Primary fault logging. Facts 6.2.
 *
 * 1. VTD-FREC-009: with PFO=1 the fault is dropped.
 * 2. VTD-FREC-011 (N18): a fault of a source-id that has a pending record may be dropped.
 * 3. VTD-FREC-008: F=1 at the index sets PFO and drops the fault.
 * 4. VTD-FREC-001, VTD-FREC-006, VTD-FREC-007: otherwise the record is written and the index moves on.
 */
export function logFault(faults: FaultState, record: FaultRecord, message: EventMessage): readonly FaultState[] {
  if (faults.overflow) return [faults];
  const mayCollapse = faults.records.some((pending) => pending?.sourceId === record.sourceId);
  const logged = logAtIndex(faults, record, message);
  return mayCollapse ? [faults, logged] : [logged];
}

/**
 * The rules that decide what becomes of a fault, where every state agrees on it. VTD-FREC-014: a record that sets PPF
 * while IQE is pending sends no message.
 */
export function loggingClauses(states: readonly FaultState[], record: FaultRecord): readonly string[] {
  const silent = states.every((faults) => faults.queueError && !faults.overflow && !faultPending(faults));
  return [...loggingRules(states, record), ...(silent ? ['VTD-FREC-014'] : [])];
}

/** The rule of primary fault logging, one where every state agrees on it. */
function loggingRules(states: readonly FaultState[], record: FaultRecord): readonly string[] {
  const rules = states.map((faults) => {
    if (faults.overflow) return 'VTD-FREC-009';
    if (faults.records.some((pending) => pending?.sourceId === record.sourceId)) return 'VTD-FREC-011';
    if (faults.records[faults.index] !== null) return 'VTD-FREC-008';
    if (faults.fresh) return 'VTD-FREC-001';
    // VTD-FREC-012: the index is 0 because TES and IRES were both 0.
    if (faults.restarted) return 'VTD-FREC-012';
    // VTD-FREC-010: after recovery the next fault uses the current index.
    return faultPending(faults) ? 'VTD-FREC-007' : 'VTD-FREC-010';
  });
  return new Set(rules).size === 1 ? rules.slice(0, 1) : [];
}

/** Steps 3 and 4 of facts 6.2. VTD-FREC-010: the index goes on from where it is. */
function logAtIndex(faults: FaultState, record: FaultRecord, message: EventMessage): FaultState {
  const { index } = faults;
  if (faults.records[index] !== null) return faultsWith(faults, { overflow: true });
  const wasPending = faultPending(faults);
  const next: FaultState = faultsWith(faults, {
    records: faults.records.with(index, record),
    fresh: false,
    restarted: undefined,
    index: (index + 1) % faults.records.length,
    first: wasPending ? faults.first : index,
  });
  return wasPending || anyCondition(faults) ? next : raiseEvent(next, message);
}

/** Facts 6.3 step 1: PPF, PFO and IQE (ICE and ITE need Device-TLBs, which are not specified yet). */
function anyCondition(faults: FaultState): boolean {
  return faultPending(faults) || faults.overflow || faults.queueError;
}

/**
 * VTD-FREC-013: the event sets IP; with IM=0 the message goes out and IP is clear again. Facts 6.3.
 * VTD-FREC-014: whoever calls this has seen that no other condition was pending.
 */
function raiseEvent(faults: FaultState, message: EventMessage): FaultState {
  return faults.interruptMask
    ? faultsWith(faults, { interruptPending: true })
    : faultsWith(faults, { interruptPending: false, owed: [...faults.owed, message] });
}

/** VTD-FREC-019, and VTD-FREC-014 where a fault is pending in every state already: the rules that an IQE rests on. */
export function queueErrorClauses(states: readonly FaultState[]): readonly string[] {
  return ['VTD-FREC-019', ...(states.every(anyCondition) ? ['VTD-FREC-014'] : [])];
}

/** VTD-FREC-019: IQE 0 to 1 raises the fault event by the same rule. */
export function raiseQueueError(faults: FaultState, message: EventMessage): FaultState {
  if (faults.queueError) return faults;
  const next = faultsWith(faults, { queueError: true });
  return anyCondition(faults) ? next : raiseEvent(next, message);
}

/**
 * VTD-FREC-016: IP falls when no condition is pending any more. A message that was not seen yet may still be held,
 * and is then dropped with its condition (N23). Facts 6.3.
 */
function settleEvent(faults: FaultState): readonly FaultState[] {
  if (anyCondition(faults)) return [faults];
  const quiet = faultsWith(faults, { interruptPending: false });
  return faults.owed.length === 0 ? [quiet] : [quiet, faultsWith(quiet, { owed: [] })];
}

/** VTD-REG-011: writing 1 to F clears the record; nothing else in FRCD is writable. */
export function clearRecord(faults: FaultState, index: number): readonly FaultState[] {
  return settleEvent(
    faultsWith(faults, { records: faults.records.map((record, at) => (at === index ? null : record)) }),
  );
}

/** VTD-REG-008: writing 1 to PFO or IQE clears it. */
export function clearStatus(
  faults: FaultState,
  bits: { readonly overflow: boolean; readonly queueError: boolean },
): readonly FaultState[] {
  const overflow = faults.overflow && !bits.overflow;
  return settleEvent(faultsWith(faults, { overflow, queueError: faults.queueError && !bits.queueError }));
}

/** VTD-FREC-015: whether clearing IM sends a message, in every state. */
export function sendsHeld(states: readonly FaultState[], mask: boolean): boolean {
  return !mask && states.every(({ interruptPending }) => interruptPending);
}

/**
 * FECTL.IM is software's, IP is not (VTD-REG-004). VTD-FREC-015: clearing IM with IP=1 sends one message and clears IP.
 * Setting IM may still catch a message that was not sent yet (N23). Facts 6.3.
 */
export function setInterruptMask(faults: FaultState, mask: boolean, message: EventMessage): readonly FaultState[] {
  const { interruptPending, owed } = faults;
  if (!mask && interruptPending) {
    return [faultsWith(faults, { interruptMask: false, interruptPending: false, owed: [...owed, message] })];
  }
  const set = faultsWith(faults, { interruptMask: mask });
  return mask && owed.length > 0 ? [set, faultsWith(set, { owed: [], interruptPending: true })] : [set];
}
