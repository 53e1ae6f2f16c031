import { FAULT, SECOND_STAGE_ENTRY } from '../../spec/layout/vtd.js';
import { fieldMask, fieldsMask } from './bits.js';
import type { Capabilities } from './capabilities.js';
import { inInterruptRange } from './interrupt-range.js';
import type { PhysicalMemory } from './memory.js';
import type { StructureCache } from './structure-cache.js';

const READ = fieldMask(SECOND_STAGE_ENTRY.fields.R, 0);
const WRITE = fieldMask(SECOND_STAGE_ENTRY.fields.W, 0);
const PERMISSIONS = READ | WRITE;
const PAGE_SIZE = fieldMask(SECOND_STAGE_ENTRY.fields.PS, 0);
const SNOOP = fieldMask(SECOND_STAGE_ENTRY.fields.SNP, 0);
const FRAME = fieldMask(SECOND_STAGE_ENTRY.fields.ADDR, 0);
const ADDRESS_HIGH = fieldMask(SECOND_STAGE_ENTRY.fields.ADDR, 1);

const MAX_LEVELS = 5;

/** How a device accesses memory. Bit 0 is set for writes. */
export const ACCESS = {
  read: 0,
  /** A write that is no interrupt request: not one aligned DWORD. */
  write: 1,
  zeroLengthRead: 2,
  /** A write of one aligned DWORD. */
  dwordWrite: 3,
} as const;

/** A value of {@link ACCESS}. */
export type Access = (typeof ACCESS)[keyof typeof ACCESS];

/** By access, the permissions it needs; none for a zero-length read where ZLR=1. */
export function permissionsNeeded({ zeroLengthReads }: Capabilities): Int32Array {
  return Int32Array.of(READ, WRITE, zeroLengthReads ? 0 : READ, WRITE);
}

/** Fault reason for an access without the permissions it needs. */
export function refusalOf(access: Access): number {
  return (access & 1) === 0 ? FAULT.NO_READ_PERMISSION : FAULT.NO_WRITE_PERMISSION;
}

/**
 * Second-stage walk of 3 to 5 levels in legacy mode, permissions in bits 0 and 1. It starts from what the
 * paging-structure caches hold and fills them. This is the hot path: no allocation, no bigint; the result is left in
 * the fields.
 */
export class SecondStageWalk {
  /** Host address of the byte asked for, after a walk that returned 0. */
  outHigh = 0;
  outLow = 0;
  /** Whether that leaf forces snooping (SNP=1); not 0 then. */
  forcesSnoop = 0;
  /** Level of the leaf found: 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB. */
  leafLevel = 0;
  /** Permissions accumulated down to that leaf. */
  granted = 0;

  private readonly memory: PhysicalMemory;
  private readonly structures: StructureCache;
  /** By level, reserved bits of an entry that points to a table, as halves. */
  private readonly tableReservedHigh = new Int32Array(MAX_LEVELS + 1);
  private readonly tableReservedLow = new Int32Array(MAX_LEVELS + 1);
  /** By level, reserved bits of a leaf, as halves. */
  private readonly leafReservedHigh = new Int32Array(MAX_LEVELS + 1);
  private readonly leafReservedLow = new Int32Array(MAX_LEVELS + 1);
  /** By level, bits that make an entry a leaf: PS where that page size exists, 0 elsewhere. */
  private readonly leafBit = new Int32Array(MAX_LEVELS + 1);
  /** By number of levels, bits of the input's high half that lie at or above min(MGAW, AGAW). */
  private readonly beyondWidth = new Int32Array(MAX_LEVELS + 1);
  private readonly needed: Int32Array;

  constructor(memory: PhysicalMemory, capabilities: Capabilities, structures: StructureCache) {
    this.memory = memory;
    this.structures = structures;
    this.needed = permissionsNeeded(capabilities);
    const { PS, SNP, IW, ADDR } = SECOND_STAGE_ENTRY.fields;
    const beyondHost = [ADDR[0], capabilities.hostAddressWidth] as const;
    for (let level = 1; level <= MAX_LEVELS; level++) {
      const isPage = level === 1 || (level === 2 && capabilities.pages2M) || (level === 3 && capabilities.pages1G);
      this.leafBit[level] = isPage && level > 1 ? PAGE_SIZE : 0;
      // Where no page of that size exists, PS is one more reserved bit.
      const table = isPage ? [beyondHost, IW, SNP] : [beyondHost, IW, SNP, PS];
      this.tableReservedHigh[level] = fieldsMask(table, 1);
      this.tableReservedLow[level] = fieldsMask(table, 0);
      const offset = level > 1 ? [[pageBits(level) - 1, ADDR[1]] as const] : [];
      const leaf = [beyondHost, IW, ...(capabilities.snoopControl ? [] : [SNP]), ...offset];
      this.leafReservedHigh[level] = fieldsMask(leaf, 1);
      this.leafReservedLow[level] = fieldsMask(leaf, 0);
      const width = Math.min(pageBits(level + 1), capabilities.guestAddressWidth);
      this.beyondWidth[level] = fieldMask([63, width], 1);
    }
  }

  /**
   * Translates an I/O virtual address, given as int32 halves.
   *
   * @param domain domain-id of the requester's context
   * @param tableHigh high half of the top table's host address
   * @param tableLow low half, frame aligned
   * @param levels 3 to 5
   * @returns 0, or the fault reason
   */
  walk(
    domain: number,
    tableHigh: number,
    tableLow: number,
    levels: number,
    high: number,
    low: number,
    access: Access,
  ): number {
    if ((high & this.beyondWidth[levels]!) !== 0) {
      return FAULT.ADDRESS_BEYOND_WIDTH;
    }
    const { structures } = this;
    const found = structures.find(domain, levels, high, low);
    if (found === 0) {
      return this.descend(domain, tableHigh, tableLow, levels, levels, PERMISSIONS, high, low, access);
    }
    const { granted } = structures;
    const needed = this.needed[access]!;
    return (granted & needed) === needed
      ? this.descend(domain, structures.tableHigh, structures.tableLow, levels, found - 1, granted, high, low, access)
      : refusalOf(access);
  }

  /**
   * Walks on from a table of level `first`.
   *
   * @param granted permissions accumulated down to that table
   */
  private descend(
    domain: number,
    tableHigh: number,
    tableLow: number,
    levels: number,
    first: number,
    granted: number,
    high: number,
    low: number,
    access: Access,
  ): number {
    const { frames, words } = this.memory;
    const needed = this.needed[access]!;
    let nextHigh = tableHigh;
    let nextLow = tableLow;
    for (let level = first; level > 0; level--) {
      const start = nextHigh >>> 11 === 0 ? (frames[(nextHigh << 20) | (nextLow >>> 12)] ?? -1) : -1;
      if (start < 0) {
        return level === levels ? FAULT.CONTEXT_INVALID : FAULT.PAGING_ENTRY_UNREADABLE;
      }
      if (level < first) {
        // Only now is it known that the entry above leads to a table that can be read.
        this.structures.fill(level + 1, domain, high, low, nextHigh, nextLow, granted);
      }
      const at = start + (indexAt(level, high, low) << 1);
      const entryLow = words[at]!;
      const entryHigh = words[at + 1]!;
      if ((entryLow & PERMISSIONS) === 0) {
        return refusalOf(access);
      }
      const leaf = level === 1 || (entryLow & this.leafBit[level]!) !== 0;
      const reserved = leaf
        ? (entryLow & this.leafReservedLow[level]!) | (entryHigh & this.leafReservedHigh[level]!)
        : (entryLow & this.tableReservedLow[level]!) | (entryHigh & this.tableReservedHigh[level]!);
      if (reserved !== 0) {
        return FAULT.PAGING_ENTRY_RESERVED;
      }
      granted &= entryLow;
      // Nothing granted any more refuses a zero-length read, too.
      if ((granted & needed) !== needed || (granted & PERMISSIONS) === 0) {
        return refusalOf(access);
      }
      nextHigh = entryHigh & ADDRESS_HIGH;
      nextLow = entryLow & FRAME;
      if (leaf) {
        // Where SNP is reserved it is 0 here.
        this.forcesSnoop = entryLow & SNOOP;
        this.granted = granted;
        return this.finish(level, nextHigh, nextLow, low);
      }
    }
    return refusalOf(access);
  }

  /** Puts the page offset below the leaf's address. Leaves of up to 1 GiB have their offset in the low half. */
  private finish(level: number, pageHigh: number, pageLow: number, low: number): number {
    const offset = level === 1 ? 0xfff : level === 2 ? 0x1f_ffff : 0x3fff_ffff;
    const outLow = (pageLow & ~offset) | (low & offset);
    if (inInterruptRange(pageHigh, outLow)) {
      return FAULT.OUTPUT_IN_INTERRUPT_RANGE;
    }
    this.outHigh = pageHigh;
    this.outLow = outLow;
    this.leafLevel = level;
    return 0;
  }
}

/** Bits of the offset in what one entry of a level covers. */
function pageBits(level: number): number {
  return SECOND_STAGE_ENTRY.indexLow[1] + SECOND_STAGE_ENTRY.indexBits * (level - 1);
}

/** Nine index bits of an address at a level: from bits 20:12 at level 1 to bits 56:48 at level 5. */
function indexAt(level: number, high: number, low: number): number {
  switch (level) {
    case 1:
      return (low >>> 12) & 511;
    case 2:
      return (low >>> 21) & 511;
    case 3:
      return ((low >>> 30) | (high << 2)) & 511;
    case 4:
      return (high >>> 7) & 511;
    default:
      return (high >>> 16) & 511;
  }
}
