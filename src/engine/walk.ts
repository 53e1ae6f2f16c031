import { FAULT, SECOND_STAGE_ENTRY } from '../../spec/layout/vtd.js';
import { type Access, permissionsNeeded, refusalOf } from './access.js';
import { fieldMask, fieldsMask } from './bits.js';
import type { Caches } from './caches.js';
import type { Capabilities } from './capabilities.js';
import type { ContextLookup } from './context.js';
import type { Found } from './found.js';
import { inInterruptRange } from './interrupt-range.js';
import { ENTRY, type Iotlb } from './iotlb.js';
import type { PhysicalMemory } from './memory.js';
import type { StructureCache } from './structure-cache.js';

const READ = fieldMask(SECOND_STAGE_ENTRY.fields.R, 0);
const WRITE = fieldMask(SECOND_STAGE_ENTRY.fields.W, 0);
const PERMISSIONS = READ | WRITE;
const PAGE_SIZE = fieldMask(SECOND_STAGE_ENTRY.fields.PS, 0);
const SNOOP = fieldMask(SECOND_STAGE_ENTRY.fields.SNP, 0);
const FRAME = fieldMask(SECOND_STAGE_ENTRY.fields.ADDR, 0);
const ADDRESS_HIGH = fieldMask(SECOND_STAGE_ENTRY.fields.ADDR, 1);
/** Address bits of an entry's high half. A constant that is exported is loaded each time, so there is one of our own. */
export const HIGH_ADDRESS = ADDRESS_HIGH;

const MAX_LEVELS = 5;
const SMALL_OFFSET = 0xfff;
const INDEX = 2 ** SECOND_STAGE_ENTRY.indexBits - 1;

const BEYOND_WIDTH = FAULT.ADDRESS_BEYOND_WIDTH;
const CONTEXT_INVALID = FAULT.CONTEXT_INVALID;
const UNREADABLE = FAULT.PAGING_ENTRY_UNREADABLE;
const IN_INTERRUPT_RANGE = FAULT.OUTPUT_IN_INTERRUPT_RANGE;
const RESERVED = FAULT.PAGING_ENTRY_RESERVED;
const SILENT = ENTRY.silent;

/** What lies at 2^43 or above is never RAM. */
const RAM_HIGH = 0x7ff;
export const HIGHEST_RAM = RAM_HIGH;

/** What translates by tables. */
export interface TableWalk {
  /**
   * Translates a requester's address, given as int32 halves, and puts what is found into the IOTLB.
   *
   * @returns 0, or the fault reason
   */
  resolve(routingId: number, high: number, low: number, access: Access): number;
}

/**
 * Second-stage walk of 3 to 5 levels in legacy mode, permissions in bits 0 and 1. It starts from what the
 * paging-structure caches hold, fills them and the IOTLB, and judges each entry before the next is read, so that it
 * knows which fault comes first. No allocation, no bigint; the result is left in what was found.
 */
export class ExactWalk {
  private readonly memory: PhysicalMemory;
  private readonly context: ContextLookup;
  private readonly structures: StructureCache;
  private readonly iotlb: Iotlb;
  /** Bits that an entry which points to a table does not have, as halves: it is a leaf, or a fault. */
  readonly specialHigh: number;
  readonly specialLow: number;
  /** By level, bits that make an entry a leaf: PS where that page size exists, 0 elsewhere. */
  private readonly leafBit = new Int32Array(MAX_LEVELS + 1);
  /** Reserved bits of a leaf, besides those of the offset in its page, as halves. */
  readonly leafReservedHigh: number;
  readonly leafReservedLow: number;
  /** Bits of an address's high half at or above the host address width. */
  private readonly beyondHost: number;
  private readonly needed: number;
  private readonly found: Found;

  /** @param found where requests that are translated leave the host address and the flags */
  constructor(
    memory: PhysicalMemory,
    capabilities: Capabilities,
    context: ContextLookup,
    { structures, iotlb }: Caches,
    found: Found,
  ) {
    this.memory = memory;
    this.context = context;
    this.structures = structures;
    this.iotlb = iotlb;
    this.beyondHost = fieldMask([63, capabilities.hostAddressWidth], 1);
    this.found = found;
    this.needed = permissionsNeeded(capabilities);
    const { PS, SNP, IW, ADDR } = SECOND_STAGE_ENTRY.fields;
    const beyondHost = [ADDR[0], capabilities.hostAddressWidth] as const;
    const leafReserved = [beyondHost, IW, ...(capabilities.snoopControl ? [] : [SNP])];
    const tableReserved = [beyondHost, IW, SNP];
    this.specialHigh = fieldsMask(tableReserved, 1);
    // Where no page of that size exists, PS is one more reserved bit.
    this.specialLow = fieldsMask([...tableReserved, PS], 0);
    this.leafReservedHigh = fieldsMask(leafReserved, 1);
    this.leafReservedLow = fieldsMask(leafReserved, 0);
    for (let level = 1; level <= MAX_LEVELS; level++) {
      const isPage = level === 1 || (level === 2 && capabilities.pages2M) || (level === 3 && capabilities.pages1G);
      this.leafBit[level] = isPage && level > 1 ? PAGE_SIZE : 0;
    }
  }

  /**
   * Translates an address, given as int32 halves, by the context that was found last.
   *
   * @returns 0, or the fault reason
   */
  walk(routingId: number, high: number, low: number, access: Access): number {
    const { context, found: result } = this;
    if (context.passThrough !== 0) {
      result.high = high;
      result.low = low;
      result.flags = 0;
      return (high & this.beyondHost) !== 0 ? BEYOND_WIDTH : 0;
    }
    const { domain, levels } = context;
    if ((high & context.beyondWidth) !== 0) {
      return BEYOND_WIDTH;
    }
    const { structures, specialLow, specialHigh } = this;
    const { frames, words } = this.memory;
    const needed = (this.needed >>> (access << 1)) & PERMISSIONS;
    const remembers = structures.size !== 0;
    const found = remembers ? structures.find(domain, levels, high, low) : 0;
    let granted = PERMISSIONS;
    // `| 0` tells the compiler that these are int32 from the first round on.
    let nextHigh = context.tableHigh | 0;
    let nextLow = context.tableLow | 0;
    let level = levels | 0;
    if (found !== 0) {
      granted = structures.granted;
      if ((granted & needed) !== needed) {
        return refusalOf(access);
      }
      nextHigh = structures.tableHigh | 0;
      nextLow = structures.tableLow | 0;
      level = (found - 1) | 0;
    }
    const first = level;
    // The index bits of the levels 1 and 2, and of those above.
    const lower = (low >> 12) | 0;
    const upper = (high << 2) | (low >>> 30);
    let offset = SMALL_OFFSET;
    let entryLow = 0;
    let entryHigh = 0;
    for (;;) {
      const frame = (nextHigh << 20) | (nextLow >>> 12);
      const start = nextHigh >>> 0 <= RAM_HIGH && frame < frames.length ? frames[frame]! : -1;
      if (start < 0) {
        return level === levels ? CONTEXT_INVALID : UNREADABLE;
      }
      if (level < first && remembers) {
        // Only now is it known that the entry above leads to a table that can be read.
        structures.fill(level + 1, domain, high, low, nextHigh, nextLow, granted);
      }
      const index =
        level < 3 ? (level === 1 ? lower : lower >> 9) : level === 3 ? upper : upper >> (level === 4 ? 9 : 18);
      const at = start | ((index & INDEX) << 1);
      entryLow = words[at]!;
      entryHigh = words[at | 1]!;
      granted &= entryLow;
      if (level === 1) {
        break;
      }
      if (((entryLow & specialLow) | (entryHigh & specialHigh)) !== 0 && (entryLow & PERMISSIONS) !== 0) {
        if ((entryLow & this.leafBit[level]!) === 0) {
          return RESERVED;
        }
        // Leaves of up to 1 GiB have their offset in the low half.
        offset = level === 2 ? 0x1f_ffff : 0x3fff_ffff;
        break;
      }
      // Nothing granted any more refuses a zero-length read, too.
      if ((granted & needed) !== needed || granted === 0) {
        return refusalOf(access);
      }
      nextHigh = entryHigh & ADDRESS_HIGH;
      nextLow = entryLow & FRAME;
      level = (level - 1) | 0;
    }
    if ((entryLow & PERMISSIONS) === 0) {
      return refusalOf(access);
    }
    const reserved = (entryLow & (this.leafReservedLow | (offset & FRAME))) | (entryHigh & this.leafReservedHigh);
    if (reserved !== 0) {
      return RESERVED;
    }
    if ((granted & needed) !== needed || granted === 0) {
      return refusalOf(access);
    }
    const pageHigh = entryHigh & ADDRESS_HIGH;
    const outLow = (entryLow & FRAME) | (low & offset);
    if (inInterruptRange(pageHigh, outLow)) {
      return IN_INTERRUPT_RANGE;
    }
    // Where SNP is reserved it is 0 here.
    const snoop = entryLow & SNOOP;
    const silent = context.faultProcessingDisable === 0 ? 0 : SILENT;
    result.high = pageHigh;
    result.low = outLow;
    result.flags = granted | snoop | silent;
    if (this.iotlb.size !== 0) {
      this.iotlb.fill(level, routingId, domain, high, low, pageHigh, outLow, granted | snoop | silent);
    }
    return 0;
  }
}
