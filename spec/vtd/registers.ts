import { field, isSet, reasonName } from '../bits.js';
import type { MemoryView, RegisterAccess } from '../interface/model.js';
import type { Component } from '../interface/profile.js';
import {
  type Bits,
  CAP_FIELDS,
  CCMD_FIELDS,
  ECAP_FIELDS,
  FECTL_FIELDS,
  FRCD_FIELDS,
  FSTS_FIELDS,
  GLOBAL_COMMAND,
  IOTLB_FIELDS,
  IVA_FIELDS,
  RTADDR_FIELDS,
  VTD_PLACED_REGISTERS,
  VTD_REGISTERS,
} from '../layout/vtd.js';
import { capabilitiesOf, largestWidth } from './capabilities.js';
import { completeGlobalCommand, globalStatus } from './global-command.js';
import { completeInvalidation, contextGranularityLawful, iotlbGranularityLawful } from './invalidation.js';
import { type FaultRecord, type FaultState, faultPending, mapFaults, narrowedTo, type VtdState } from './state.js';

/** One lawful content of a register, and the state in which it is read. */
export interface Content {
  readonly state: VtdState;
  readonly value: bigint;
  /** Bits that the rules fix. */
  readonly mask: bigint;
  /** Bits of `value` that may read 0 instead (N20). */
  readonly mayClear: bigint;
  readonly clauses: readonly string[];
  readonly labels: readonly string[];
}

/** Fields of each register, for naming what differs. */
export const REGISTER_FIELDS: Readonly<Record<string, Readonly<Record<string, Bits>>>> = {
  CAP: CAP_FIELDS,
  ECAP: ECAP_FIELDS,
  GSTS: Object.fromEntries(Object.entries(GLOBAL_COMMAND).map(([name, bit]) => [`${name}S`, [bit, bit] as const])),
  RTADDR: RTADDR_FIELDS,
  CCMD: CCMD_FIELDS,
  IOTLB: IOTLB_FIELDS,
  IVA: IVA_FIELDS,
  FSTS: FSTS_FIELDS,
  FECTL: FECTL_FIELDS,
  FRCD: FRCD_FIELDS,
};

const all = (bytes: number): bigint => (1n << BigInt(bytes * 8)) - 1n;
const at = ([high, low]: Bits, value: bigint): bigint => (value & ((1n << BigInt(high - low + 1)) - 1n)) << BigInt(low);
const mask = (bits: Bits): bigint => at(bits, -1n);

/** Width of a register in bytes, or `undefined` when the name is unknown. */
export function registerBytes(register: string): number | undefined {
  const fixed: Readonly<Record<string, { readonly bytes: number }>> = VTD_REGISTERS;
  const placed: Readonly<Record<string, { readonly bytes: number }>> = VTD_PLACED_REGISTERS;
  return (fixed[register] ?? placed[register])?.bytes;
}

/** Finds the register that a name, or a raw offset ("0x34"), means. Facts 1.2. */
export function resolveRegister(
  component: Component,
  register: string,
  index: number,
  offset: number,
): Omit<RegisterAccess, 'size'> | undefined {
  if (registerBytes(register) !== undefined) return { register, index, offset };
  if (!/^0x[0-9a-f]+$/i.test(register)) return undefined;
  const byte = Number(register) + offset;
  const caps = capabilitiesOf(component);
  const invalidate = 16 * Number(field(caps.raw.ECAP, ECAP_FIELDS.IRO));
  const records = 16 * Number(field(caps.raw.CAP, CAP_FIELDS.FRO));
  const places: readonly (readonly [string, number, number])[] = [
    ...Object.entries(VTD_REGISTERS).map(([name, place]) => [name, place.offset, place.bytes] as const),
    ['IVA', invalidate, 8],
    ['IOTLB', invalidate + 8, 8],
    ['FRCD', records, 16 * caps.faultRecords],
  ];
  const found = places.find(([, base, bytes]) => byte >= base && byte < base + bytes);
  if (found === undefined) return { register: 'reserved', index: 0, offset: byte };
  const inside = byte - found[1];
  return found[0] === 'FRCD'
    ? { register: 'FRCD', index: inside >> 4, offset: inside & 15 }
    : { register: found[0], index: 0, offset: inside };
}

/** Every lawful content of a register now. Facts 1.2 to 1.6, 5.2. `undefined`: the register is not specified yet. */
export function registerContents(
  state: VtdState,
  access: RegisterAccess,
  view: MemoryView,
): readonly Content[] | undefined {
  const plain = (value: bigint, fixed: bigint, ...clauses: readonly string[]): readonly Content[] => [
    { state, value, mask: fixed, mayClear: 0n, clauses, labels: [] },
  ];
  switch (access.register) {
    case 'VER':
    case 'CAP':
    case 'ECAP':
      return plain(state.caps.raw[access.register], all(8), 'VTD-REG-001');
    case 'GSTS':
      return globalStatusContents(state);
    case 'RTADDR':
      return rootAddressContents(state);
    case 'CCMD':
      return contextCommandContents(state, view.now);
    case 'IOTLB':
      return iotlbCommandContents(state, view.now);
    case 'GCMD':
    case 'IVA':
      return plain(0n, 0n);
    case 'FECTL':
    case 'FSTS':
    case 'FRCD':
      return state.faults.flatMap((faults) => faultContents({ ...state, faults: [faults] }, faults, access));
    case 'FEDATA':
      return plain(state.stored['FEDATA'] ?? 0n, 0xffffn);
    case 'FEADDR':
      return plain(state.stored['FEADDR'] ?? 0n, 0xffff_fffcn);
    case 'FEUADDR':
      return plain(0n, 0n);
    default:
      return undefined;
  }
}

/** VTD-GCMD-001, VTD-GCMD-002, N27: GSTS shows a command done, or not yet. */
function globalStatusContents(state: VtdState): readonly Content[] {
  const done = completeGlobalCommand(state);
  const states = done === state ? [state] : [done, state];
  return states.map((next) => ({
    state: next,
    value: globalStatus(next),
    mask: all(4),
    mayClear: 0n,
    clauses: done === state || next === state ? [] : [state.pending.setRoot ? 'VTD-GCMD-002' : 'VTD-GCMD-001'],
    labels: [],
  }));
}

/** VTD-REG-005, VTD-REG-015: RTADDR reads as written, reserved bits as 0; bits 63:HAW may be unimplemented. */
function rootAddressContents(state: VtdState): readonly Content[] {
  const implemented = mask(RTADDR_FIELDS.RTA) | mask(RTADDR_FIELDS.TTM) | mask(RTADDR_FIELDS.SSIRWE);
  const upper = mask([63, state.caps.hostAddressWidth]);
  // The ready state latched a table of the target's own, so RTADDR is not known before software writes it.
  if (state.stored['RTADDR'] === undefined && state.root !== undefined) {
    return [{ state, value: 0n, mask: 0n, mayClear: 0n, clauses: [], labels: [] }];
  }
  const value = (state.stored['RTADDR'] ?? 0n) & implemented;
  // SSIRWE is Reserved(0) without its capability; whether it then reads 0 is not said.
  const unsure = state.caps.ioPermissions ? 0n : mask(RTADDR_FIELDS.SSIRWE);
  return [{ state, value, mask: all(8) & ~unsure, mayClear: upper, clauses: ['VTD-REG-005'], labels: [] }];
}

/** VTD-INV-012: ICC falls with completion, and CAIG tells what was done. N27, N50. */
function contextCommandContents(state: VtdState, now: number): readonly Content[] {
  const { ICC, CAIG } = CCMD_FIELDS;
  return commandContents(state, 'context', now, ICC, CAIG, contextGranularityLawful, 'VTD-INV-012');
}

/** VTD-INV-013: IVT falls with completion, and IAIG tells what was done. N27, N50. */
function iotlbCommandContents(state: VtdState, now: number): readonly Content[] {
  const { IVT, IAIG } = IOTLB_FIELDS;
  return commandContents(state, 'iotlb', now, IVT, IAIG, iotlbGranularityLawful, 'VTD-INV-013');
}

function commandContents(
  state: VtdState,
  cache: 'context' | 'iotlb',
  now: number,
  busy: Bits,
  actual: Bits,
  lawful: typeof contextGranularityLawful,
  clause: string,
): readonly Content[] {
  const content = (next: VtdState, value: bigint, fixed: bigint, clauses: readonly string[]): Content => ({
    state: next,
    value,
    mask: fixed,
    mayClear: 0n,
    clauses,
    labels: [],
  });
  const pending = state.pending[cache];
  const finished = pending ?? state.performed[cache];
  if (finished === undefined) return [content(state, 0n, mask(busy), [])];
  const next = pending === undefined ? state : completeInvalidation(state, cache, now);
  const done = [0, 1, 2, 3]
    .filter((performed) => lawful(state, finished, performed))
    .map((performed) =>
      content(next, at(actual, BigInt(performed)), mask(busy) | mask(actual), [
        performed === 0 ? refusalClause(state, finished.granularity) : clause,
      ]),
    );
  return pending === undefined ? done : [...done, content(state, mask(busy), mask(busy), [])];
}

/** The rule by which an invalidation reports granularity 00b. Facts 7.7. */
function refusalClause(state: VtdState, granularity: number): string {
  if (state.caps.majorVersion >= 6) return 'VTD-INV-016';
  return state.root !== undefined && state.root.mode !== 0 && granularity !== 0 ? 'VTD-INV-015' : 'VTD-INV-014';
}

/** Contents of the fault registers in one state of fault recording. */
function faultContents(state: VtdState, faults: FaultState, access: RegisterAccess): readonly Content[] {
  if (access.register === 'FRCD') return faultRecordContents(state, faults, access);
  const [value, fixed, ...clauses] = access.register === 'FSTS' ? faultStatus(faults) : faultControl(faults);
  return [{ state, value, mask: fixed, mayClear: 0n, clauses, labels: [] }];
}

/** VTD-REG-003, VTD-FREC-013, VTD-FREC-016: FECTL as value, fixed bits and clauses. Facts 1.6. */
function faultControl({ interruptMask, interruptPending }: FaultState): readonly [bigint, bigint, ...string[]] {
  const value = at(FECTL_FIELDS.IM, interruptMask ? 1n : 0n) | at(FECTL_FIELDS.IP, interruptPending ? 1n : 0n);
  const fixed = mask(FECTL_FIELDS.IM) | mask(FECTL_FIELDS.IP);
  return [value, fixed, 'VTD-REG-003', interruptPending ? 'VTD-FREC-013' : 'VTD-FREC-016'];
}

/** VTD-FREC-005, VTD-FREC-006, VTD-FREC-008, N22: FSTS as value, fixed bits and clauses. Facts 1.6. */
function faultStatus(faults: FaultState): readonly [bigint, bigint, ...string[]] {
  const pending = faultPending(faults);
  const value =
    at(FSTS_FIELDS.PFO, faults.overflow ? 1n : 0n) |
    at(FSTS_FIELDS.PPF, pending ? 1n : 0n) |
    at(FSTS_FIELDS.FRI, pending ? BigInt(faults.first) : 0n);
  const fixed = pending ? 0xffff_ffffn : 0xffff_ffffn & ~mask(FSTS_FIELDS.FRI);
  const clauses = [...(pending ? ['VTD-FREC-006'] : []), ...(faults.overflow ? ['VTD-FREC-008'] : [])];
  return [value, fixed, 'VTD-FREC-005', ...clauses];
}

/** FRCD[n]. With F=0 nothing else is defined (N21). Facts 5.2. */
function faultRecordContents(state: VtdState, faults: FaultState, access: RegisterAccess): readonly Content[] {
  const record = faults.records[access.index];
  if (record === undefined) return [{ state, value: 0n, mask: all(16), mayClear: 0n, clauses: [], labels: [] }];
  if (record === null) {
    return [{ state, value: 0n, mask: mask(FRCD_FIELDS.F), mayClear: 0n, clauses: ['VTD-REG-011'], labels: [] }];
  }
  const showsReason = access.offset <= 12 && access.offset + access.size > 12;
  if (!showsReason) return [recordContent(state, faults, access.index, record, false)];
  return record.reasons.map((reason) => recordContent(state, faults, access.index, narrowedTo(record, reason), true));
}

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
    state: { ...state, faults: [{ ...faults, records }] },
    value,
    mask: all(16) & ~meaningless & ~noAddress,
    mayClear: upper,
    clauses: [
      ...(narrowed ? [record.clauses[reason] ?? 'VTD-FREC-002', 'VTD-FREC-002', 'VTD-FREC-003'] : ['VTD-FREC-004']),
    ],
    labels: narrowed ? [`fault:${reasonName(reason)}`] : [],
  };
}

/** Contents that read alike are one way on: fault recording may be in any of their states. */
export function mergeContents(contents: readonly Content[]): readonly Content[] {
  const [first, ...rest] = contents;
  if (first === undefined || rest.length === 0 || first.state.pending !== rest[0]?.state.pending) return contents;
  const faults = contents.flatMap((content) => content.state.faults);
  return [{ ...first, state: mapFaults({ ...first.state, faults }, (each) => each) }];
}

/** Whether an observed value of an access is a lawful reading of a content. */
export function readsAs(content: Content, access: RegisterAccess, observed: bigint): boolean {
  const shift = BigInt(access.offset * 8);
  const window = all(access.size);
  const value = (content.value >> shift) & window;
  const fixed = (content.mask >> shift) & window;
  const mayClear = (content.mayClear >> shift) & window;
  const differs = (observed ^ value) & fixed;
  return (differs & ~mayClear) === 0n && (observed & ~value & mayClear) === 0n;
}

/** Name, content's value and observed value of the fields that differ, lowest field first. */
export function differingFields(
  content: Content,
  access: RegisterAccess,
  observed: bigint,
): readonly { readonly name: string; readonly expected: bigint; readonly observed: bigint }[] {
  const shift = BigInt(access.offset * 8);
  const differs =
    ((observed << shift) ^ content.value) & content.mask & (all(access.size) << shift) & ~content.mayClear;
  const named = Object.entries(REGISTER_FIELDS[access.register] ?? {}).map(([name, bits]) => ({ name, bits }));
  const hit = named.filter(({ bits }) => isSet(differs, bits)).sort((a, b) => a.bits[1] - b.bits[1]);
  if (hit.length === 0) return [{ name: 'reserved bits', expected: 0n, observed: differs }];
  return hit.map(({ name, bits }) => ({
    name,
    expected: field(content.value, bits),
    observed: field(observed << shift, bits),
  }));
}
