import { field } from '../bits.js';
import { gather } from '../gather.js';
import type { MemoryView, RegisterAccess } from '../interface/model.js';
import type { Component } from '../interface/profile.js';
import { CAP_FIELDS, ECAP_FIELDS, VTD_PLACED_REGISTERS, VTD_REGISTERS } from '../layout/vtd.js';
import { capabilitiesOf } from './capabilities.js';
import { contextCommandContents, iotlbCommandContents } from './command-registers.js';
import { all, type Content, content } from './content.js';
import { faultContents } from './fault-registers.js';
import { completeGlobalCommand, globalStatus } from './global-command.js';
import { protectionContents, regionContents } from './protected-memory.js';
import { completionStatus, eventControl, headContents, queueErrorContents } from './queue-registers.js';
import { isReserved, registerExists, storageRegister } from './register-file.js';
import { stateWith, type VtdState } from './state.js';

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
  const { caps } = state;
  const { register } = access;
  if (register === 'reserved') {
    return isReserved(access.offset, access.size, caps) ? [content(state, 0n, -1n, ['VTD-REG-R01'])] : undefined;
  }
  if (!registerExists(register, caps)) return [content(state, 0n, all(8), ['VTD-REG-012'])];
  switch (register) {
    case 'VER':
    case 'CAP':
    case 'ECAP':
      return [content(state, caps.raw[register], all(8), ['VTD-REG-001'])];
    case 'GSTS':
      return globalStatusContents(state, view.now);
    case 'CCMD':
      return contextCommandContents(state, view.now);
    case 'IOTLB':
      return iotlbCommandContents(state, view.now);
    case 'GCMD':
    case 'IVA':
      return [content(state, 0n, 0n)];
    case 'FECTL':
    case 'FSTS':
    case 'FRCD':
      return gather(state.faults, (faults) => faultContents(stateWith(state, { faults: [faults] }), faults, access));
    case 'PMEN':
      return protectionContents(state);
    case 'PLMBASE':
    case 'PLMLIMIT':
    case 'PHMBASE':
    case 'PHMLIMIT':
      return regionContents(state, register);
    case 'IQH':
      return headContents(state, view);
    case 'ICS':
      return [completionStatus(state)];
    case 'IECTL':
      return [eventControl(state)];
    case 'IQERCD':
      return queueErrorContents(state);
    default:
      return storageContents(state, register);
  }
}

/** The rule of the command that is on its way. */
function commandClause({ translation, setRoot, setInterruptTable, flush }: VtdState['pending']): string {
  if (translation !== undefined) return 'VTD-GCMD-001';
  if (setRoot !== undefined) return 'VTD-GCMD-002';
  if (setInterruptTable) return 'VTD-GCMD-004';
  return flush ? 'VTD-GCMD-007' : 'VTD-GCMD-006';
}

/** VTD-GCMD-001 to VTD-GCMD-007, N27: GSTS shows a command done, or not yet. VTD-REG-002: 0 after reset. */
function globalStatusContents(state: VtdState, now: number): readonly Content[] {
  const { pending } = state;
  const done = completeGlobalCommand(state, now);
  if (done === state) return [content(state, globalStatus(state), all(4), ['VTD-REG-002'])];
  return [
    content(done, globalStatus(done), all(4), [commandClause(pending)]),
    content(state, globalStatus(state), all(4)),
  ];
}

/** VTD-REG-005, VTD-REG-006, VTD-REG-013, VTD-REG-015, VTD-REG-016: what was written last, reserved bits as 0. */
function storageContents(state: VtdState, register: string): readonly Content[] | undefined {
  const storage = storageRegister(register, state.caps);
  if (storage === undefined) return undefined;
  const value = (state.stored[register] ?? 0n) & storage.writable;
  const known = register === 'RTADDR' ? state.rootAddressKnown : all(8);
  return [content(state, value, known, known === 0n ? [] : [storage.clause], storage.optional)];
}
