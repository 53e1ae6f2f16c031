/** The registers of a unit as the register sweep sees them: width, and what must not be written to them. */

import {
  CCMD_FIELDS,
  FECTL_FIELDS,
  IOTLB_FIELDS,
  PMEN_FIELDS,
  VTD_PLACED_REGISTERS,
  VTD_REGISTERS,
} from '../../spec/layout/vtd.js';
import type { Platform } from './capabilities.js';
import type { Script } from './script.js';

/** A register, or 64 bits of a longer one. */
export interface RegisterView {
  /** Name in the layout, or a raw offset where the layout has none. */
  readonly register: string;
  readonly bytes: 4 | 8;
  readonly index?: bigint;
  /** Byte offset in the register. */
  readonly offset: number;
  /** The capability that gives the unit this register is there. */
  readonly exists: boolean;
  /** Bits that are always written 0: reserved and preserved, or what would start something. */
  readonly untouched: bigint;
}

const bit = (position: number): bigint => 1n << BigInt(position);
const LOW_HALF = 0xffff_ffffn;

/** FECTL, IECTL: all but IM and IP. */
const CONTROL_PRESERVED = bit(FECTL_FIELDS.IP[1]) - 1n;

/** Bits to leave alone, by register. */
function untouchedBits(register: string): bigint {
  switch (register) {
    case 'FECTL':
    case 'IECTL':
      return CONTROL_PRESERVED;
    case 'PMEN':
      return LOW_HALF ^ bit(PMEN_FIELDS.EPM[1]) ^ bit(PMEN_FIELDS.PRS[1]);
    case 'CCMD':
      return bit(CCMD_FIELDS.ICC[1]);
    case 'IOTLB':
      return bit(IOTLB_FIELDS.IVT[1]) | LOW_HALF;
    default:
      return 0n;
  }
}

function existsOn(register: string, platform: Platform): boolean {
  if (/^(IQ|IC|IE)/.test(register)) return platform.queue;
  switch (register) {
    case 'IRTA':
      return platform.interruptRemapping;
    case 'PMEN':
      return platform.protectedLow || platform.protectedHigh;
    case 'PLMBASE':
    case 'PLMLIMIT':
      return platform.protectedLow;
    case 'PHMBASE':
    case 'PHMLIMIT':
      return platform.protectedHigh;
    default:
      return true;
  }
}

/** Page-request registers by offset and width; nothing else lies there. */
const PAGE_REQUEST_REGISTERS = [
  ['0xc0', 8],
  ['0xc8', 8],
  ['0xd0', 8],
  ['0xdc', 4],
  ['0xe0', 4],
  ['0xe4', 4],
  ['0xe8', 4],
  ['0xec', 4],
] as const;

/** Every register but GCMD, which only starts things; long ones in pieces of 64 bits. */
export function registerViews(platform: Platform): readonly RegisterView[] {
  const views: RegisterView[] = [];
  for (const [register, { bytes }] of Object.entries(VTD_REGISTERS)) {
    if (register === 'GCMD') continue;
    const untouched = untouchedBits(register);
    views.push({ register, bytes, offset: 0, exists: existsOn(register, platform), untouched });
  }
  for (const register of ['IVA', 'IOTLB']) {
    views.push({ register, bytes: 8, offset: 0, exists: true, untouched: untouchedBits(register) });
  }
  const last = platform.faultRecords - 1;
  for (const index of last === 0 ? [0] : [0, last]) {
    for (let offset = 0; offset < VTD_PLACED_REGISTERS.FRCD.bytes; offset += 8) {
      views.push({ register: 'FRCD', bytes: 8, index: BigInt(index), offset, exists: true, untouched: 0n });
    }
  }
  if (!platform.pageRequests) {
    for (const [register, bytes] of PAGE_REQUEST_REGISTERS) {
      views.push({ register, bytes, offset: 0, exists: false, untouched: 0n });
    }
  }
  return views;
}

/** Bits of a register that may be written as 1. */
export function writableOnes(view: RegisterView): bigint {
  const all = (1n << BigInt(8 * view.bytes)) - 1n;
  return all & ~view.untouched;
}

/** How a register of 64 bits is accessed: at once, low half then high half, one half. */
export type Width = 'whole' | 'halves' | 'low' | 'high';

/** Ways to access a register. */
export function widthsOf(view: RegisterView): readonly Width[] {
  return view.bytes === 4 ? ['whole'] : ['whole', 'halves', 'low', 'high'];
}

/** Writes a value, or the part of it that lies in one half. Only lawful ones are written. */
export function writeView(script: Script, view: RegisterView, value: bigint, width: Width): void {
  const { register, bytes, index, offset } = view;
  const ones = value & writableOnes(view);
  const place = { ...(index === undefined ? {} : { index }), ...(offset === 0 ? {} : { offset }) };
  if (bytes === 4 || width === 'whole') {
    script.write(register, bytes, ones, place);
    return;
  }
  if (width !== 'high') script.write(register, 4, ones & LOW_HALF, place);
  if (width !== 'low') script.write(register, 4, ones >> 32n, { ...place, offset: offset + 4 });
}

export function readView(script: Script, view: RegisterView, width: Width): void {
  const { register, bytes, index, offset } = view;
  const place = { ...(index === undefined ? {} : { index }), ...(offset === 0 ? {} : { offset }) };
  if (bytes === 4 || width === 'whole') {
    script.read(register, bytes, place);
    return;
  }
  if (width !== 'high') script.read(register, 4, place);
  if (width !== 'low') script.read(register, 4, { ...place, offset: offset + 4 });
}
