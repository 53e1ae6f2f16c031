import { field, isSet } from '../bits.js';
import {
  type Bits,
  EVENT_ADDRESS_FIELDS,
  EVENT_DATA_FIELDS,
  EVENT_UPPER_ADDRESS_FIELDS,
  IQA_FIELDS,
  IQT_FIELDS,
  IRTA_FIELDS,
  RTADDR_FIELDS,
  VTD_REGISTERS,
} from '../layout/vtd.js';
import type { Capabilities } from './capabilities.js';

/** The plain part of the register file: registers that hold what is written to them. Facts 1.2. */
export interface StorageRegister {
  /** Bits that software may write; all others read 0 (VTD-REG-015). They reset to 0. */
  readonly writable: bigint;
  /** Writable bits that an implementation may leave out, and that then read 0. */
  readonly optional: bigint;
  readonly clause: string;
}

const bits = (...fields: readonly Bits[]): bigint =>
  fields.reduce((sum, [high, low]) => sum | (((1n << BigInt(high - low + 1)) - 1n) << BigInt(low)), 0n);

/** Facts 1.2: FEADDR and its like. FEUADDR may be missing without EIM. */
function eventRegister(name: string, caps: Capabilities): StorageRegister {
  if (name.endsWith('DATA')) return { writable: bits(EVENT_DATA_FIELDS.DATA), optional: 0n, clause: 'VTD-REG-015' };
  const upper = bits(EVENT_UPPER_ADDRESS_FIELDS.MUA);
  if (name.endsWith('UADDR'))
    return { writable: upper, optional: caps.extendedInterrupts ? 0n : upper, clause: 'VTD-REG-013' };
  return { writable: bits(EVENT_ADDRESS_FIELDS.MA), optional: 0n, clause: 'VTD-REG-015' };
}

/** Whether the capability of a register is there. VTD-REG-012: otherwise it reads 0 and drops writes. */
export function registerExists(name: string, caps: Capabilities): boolean {
  switch (name) {
    case 'IQH':
    case 'IQT':
    case 'IQA':
    case 'ICS':
    case 'IECTL':
    case 'IEDATA':
    case 'IEADDR':
    case 'IEUADDR':
    case 'IQERCD':
      return caps.queuedInvalidation;
    case 'IRTA':
      return caps.interruptRemapping;
    case 'PMEN':
      return caps.protectedLow || caps.protectedHigh;
    case 'PLMBASE':
    case 'PLMLIMIT':
      return caps.protectedLow;
    case 'PHMBASE':
    case 'PHMLIMIT':
      return caps.protectedHigh;
    default:
      return true;
  }
}

/** How a register stores, when that is all it does. */
export function storageRegister(name: string, caps: Capabilities): StorageRegister | undefined {
  const upper = bits([63, caps.hostAddressWidth]);
  switch (name) {
    case 'RTADDR': {
      const { RTA, TTM, SSIRWE } = RTADDR_FIELDS;
      // SSIRWE is Reserved(0) without its capability; whether it then reads 0 is not said.
      const optional = caps.ioPermissions ? upper : upper | bits(SSIRWE);
      return { writable: bits(RTA, TTM, SSIRWE), optional, clause: 'VTD-REG-005' };
    }
    case 'FEDATA':
    case 'FEADDR':
    case 'FEUADDR':
    case 'IEDATA':
    case 'IEADDR':
    case 'IEUADDR':
      return eventRegister(name, caps);
    case 'IQT':
      return { writable: bits(IQT_FIELDS.QT), optional: 0n, clause: 'VTD-REG-016' };
    case 'IQA': {
      const { IQA, DW, QS } = IQA_FIELDS;
      // DW may be hardwired where nothing can use it.
      const width = caps.scalableMode || caps.abortMode ? 0n : bits(DW);
      return { writable: bits(IQA, DW, QS), optional: upper | width, clause: 'VTD-REG-R02' };
    }
    case 'IRTA': {
      const { IRTA, EIME, S } = IRTA_FIELDS;
      const mode = caps.extendedInterrupts ? bits(EIME) : 0n;
      return { writable: bits(IRTA, S) | mode, optional: upper, clause: 'VTD-REG-006' };
    }
    case 'PLMBASE':
    case 'PLMLIMIT':
      // The lowest bits are reserved; how many is found by writing ones (facts 1.6): see protected-memory.ts.
      return { writable: bits([31, 1]), optional: 0n, clause: 'VTD-PMR-R01' };
    case 'PHMBASE':
    case 'PHMLIMIT':
      return { writable: bits([63, 1]), optional: upper, clause: 'VTD-PMR-R01' };
    default:
      return undefined;
  }
}

/** Parts of the register map that belong to capabilities which are not specified here: first and last byte, and the ECAP or CAP bit. */
const OTHER_PARTS: readonly (readonly [first: number, last: number, register: 'CAP' | 'ECAP', bit: number])[] = [
  [0x058, 0x05f, 'CAP', 3],
  [0x0c0, 0x0ef, 'ECAP', 29],
  [0x100, 0x21f, 'ECAP', 25],
  [0x300, 0x3ff, 'ECAP', 51],
  [0x400, 0x44f, 'CAP', 61],
  [0xdc0, 0xdc7, 'ECAP', 60],
  [0xe00, 0xe3f, 'ECAP', 44],
];

/** VTD-REG-R01: whether an offset that no register here has is reserved for sure, so that it reads 0 and drops writes. */
export function isReserved(offset: number, size: number, caps: Capabilities): boolean {
  const last = offset + size - 1;
  if (offset % 4 !== 0 || last > 0xfff) return false;
  const meets = (from: number, to: number): boolean => offset <= to && last >= from;
  const placed = [16 * Number(field(caps.raw.ECAP, [17, 8])), 16 * Number(field(caps.raw.CAP, [33, 24]))] as const;
  const known = Object.values(VTD_REGISTERS).some((each) => meets(each.offset, each.offset + each.bytes - 1));
  if (known || meets(placed[0], placed[0] + 15) || meets(placed[1], placed[1] + 16 * caps.faultRecords - 1))
    return false;
  return !OTHER_PARTS.some(([from, to, register, bit]) => meets(from, to) && isSet(caps.raw[register], [bit, bit]));
}
