import { reasonName } from '../bits.js';
import type { RegisterAccess } from '../interface/model.js';
import { type Bits, FECTL_FIELDS, FRCD_FIELDS, FSTS_FIELDS } from '../layout/vtd.js';
import { largestWidth } from './capabilities.js';
import { all, at, type Content, mask } from './content.js';
import {
  type FaultRecord,
  type FaultState,
  faultPending,
  faultsWith,
  narrowedTo,
  stateWith,
  type VtdState,
} from './state.js';

/** Contents of the fault registers in one state of fault recording. */
export function faultContents(state: VtdState, faults: FaultState, access: RegisterAccess): readonly Content[] {
  if (access.register === 'FRCD') return faultRecordContents(state, faults, access);
  const [value, fixed, ...clauses] = access.register === 'FSTS' ? faultStatus(faults) : faultControl(faults);
  return [{ state, value, mask: fixed, mayClear: 0n, clauses, labels: [] }];
}

/** VTD-REG-003, VTD-FREC-013, VTD-FREC-016: FECTL as value, fixed bits and clauses. Facts 1.6. */
function faultControl({ interruptMask, interruptPending }: FaultState): readonly [bigint, bigint, ...string[]] {
  const value = at(FECTL_FIELDS.IM, interruptMask ? 1n : 0n) | at(FECTL_FIELDS.IP, interruptPending ? 1n : 0n);
  return [value, all(4), 'VTD-REG-003', 'VTD-REG-004', interruptPending ? 'VTD-FREC-013' : 'VTD-FREC-016'];
}

/** VTD-FREC-005, VTD-FREC-006, VTD-FREC-008, N22: FSTS as value, fixed bits and clauses. Facts 1.6. */
function faultStatus(faults: FaultState): readonly [bigint, bigint, ...string[]] {
  const pending = faultPending(faults);
  const value =
    at(FSTS_FIELDS.PFO, faults.overflow ? 1n : 0n) |
    at(FSTS_FIELDS.PPF, pending ? 1n : 0n) |
    at(FSTS_FIELDS.IQE, faults.queueError ? 1n : 0n) |
    at(FSTS_FIELDS.FRI, pending ? BigInt(faults.first) : 0n);
  const fixed = pending ? 0xffff_ffffn : 0xffff_ffffn & ~mask(FSTS_FIELDS.FRI);
  const clauses = [...(pending ? ['VTD-FREC-006'] : []), ...(faults.overflow ? ['VTD-FREC-008'] : [])];
  return [value, fixed, 'VTD-FREC-005', ...clauses];
}

/** FRCD[n]. With F=0 nothing else is defined (N21), but reserved bits read 0 (VTD-FREC-004, VTD-FREC-R01). Facts 5.2. */
function faultRecordContents(state: VtdState, faults: FaultState, access: RegisterAccess): readonly Content[] {
  const record = faults.records[access.index];
  if (record === undefined) return [{ state, value: 0n, mask: all(16), mayClear: 0n, clauses: [], labels: [] }];
  if (record === null) {
    const fixed = mask(FRCD_FIELDS.F) | reservedBits(state);
    return [{ state, value: 0n, mask: fixed, mayClear: 0n, clauses: ['VTD-REG-011'], labels: [] }];
  }
  const showsReason = access.offset <= 12 && access.offset + access.size > 12;
  if (!showsReason) return [recordContent(state, faults, access.index, record, false)];
  return record.reasons.map((reason) => recordContent(state, faults, access.index, narrowedTo(record, reason), true));
}

/** Bits of FRCD that read 0 whatever it holds: those of no field, and fields of what the unit does not have. */
function reservedBits({ caps }: VtdState): bigint {
  return all(16) & ~FIELDS & ~(caps.pasid ? PASID_FIELDS : 0n) & ~(caps.deviceTlb ? TLB_FIELDS : 0n);
}

const { PV, PP, EXE, PRIV, AT, ...ALWAYS } = FRCD_FIELDS;
const union = (fields: readonly Bits[]): bigint => fields.reduce((bits, field) => bits | mask(field), 0n);
const FIELDS = union(Object.values(ALWAYS));
const PASID_FIELDS = union([PV, PP, EXE, PRIV]);
const TLB_FIELDS = union([AT]);

/** One reading of a pending record; `narrowed`: the part that shows the reason is read. VTD-FREC-002, VTD-FREC-003, VTD-FREC-004, N20, N21. */
function recordContent(
  state: VtdState,
  faults: FaultState,
  index: number,
  record: FaultRecord,
  narrowed: boolean,
): Content {
  const [reason = 0] = record.reasons;
  const value =
    mask(FRCD_FIELDS.F) |
    at(FRCD_FIELDS.T1, record.access === 'read' ? 1n : 0n) |
    at(FRCD_FIELDS.FR, BigInt(reason)) |
    at(FRCD_FIELDS.SID, BigInt(record.sourceId)) |
    (record.address ?? 0n);
  // PV, EXE and PRIV mean nothing without a PASID (N21), and are RsvdZ where PASIDs do not exist (VTD-FREC-R01).
  const meaningless = state.caps.pasid ? mask(FRCD_FIELDS.PV) | mask(FRCD_FIELDS.EXE) | mask(FRCD_FIELDS.PRIV) : 0n;
  const noAddress = record.address === undefined ? mask(FRCD_FIELDS.FI) : 0n;
  const upper = record.address === undefined ? 0n : record.address & mask([63, largestWidth(state.caps).bits]);
  const records = faults.records.map((old, position) => (position === index ? record : old));
  return {
    state: stateWith(state, { faults: [faultsWith(faults, { records })] }),
    value,
    mask: all(16) & ~meaningless & ~noAddress,
    mayClear: upper,
    clauses: [
      ...(narrowed ? [record.clauses[reason] ?? 'VTD-FREC-002', 'VTD-FREC-002', 'VTD-FREC-003'] : ['VTD-FREC-004']),
    ],
    labels: narrowed ? [`fault:${reasonName(reason)}`] : [],
  };
}
