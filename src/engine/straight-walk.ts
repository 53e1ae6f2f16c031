import { SECOND_STAGE_ENTRY } from '../../spec/layout/vtd.js';
import type { Access } from './access.js';
import { fieldMask } from './bits.js';
import type { Caches } from './caches.js';
import type { ContextLookup } from './context.js';
import type { ContextCache } from './context-cache.js';
import type { Found } from './found.js';
import { INTERRUPT_MASK, INTERRUPT_PREFIX } from './interrupt-range.js';
import { ENTRY, type Iotlb } from './iotlb.js';
import type { PhysicalMemory } from './memory.js';
import { type ExactWalk, HIGH_ADDRESS, HIGHEST_RAM, type TableWalk } from './walk.js';

const { R, W, SNP, ADDR } = SECOND_STAGE_ENTRY.fields;
const READ = fieldMask(R, 0);
const PERMISSIONS = READ | fieldMask(W, 0);
const SNOOP = fieldMask(SNP, 0);
const FRAME = fieldMask(ADDR, 0);
const OFFSET = ~FRAME;
/** Bits of the place of an entry in its table, in words. */
const PLACE = (2 ** SECOND_STAGE_ENTRY.indexBits - 1) << 1;
/** Tells the compiler that an index is not negative; for what is no RAM it then lies behind all words. */
const INDEX = 0x7fff_ffff;

// Constants of this module are known to the compiler; those of others are loaded each time.
const RANGE_PREFIX = INTERRUPT_PREFIX;
const RANGE_MASK = INTERRUPT_MASK;
const SILENT = ENTRY.silent;
const ADDRESS_HIGH = HIGH_ADDRESS;

/** High address bits of an entry that does not lead to RAM. */
const NO_RAM = ADDRESS_HIGH & ~HIGHEST_RAM;

/**
 * The walk of a unit without paging-structure caches. Nearly all walks are straight: entries that lead to tables in
 * RAM, down to a page of 4 KiB, all of them granting what is needed. So they are walked without a question, and what
 * the entries say is gathered and judged once, at the end. What is no RAM is read as 0 on the way, which grants nothing.
 * Whatever is not straight is left to the exact walk. That is what lets the processor begin a walk before the one
 * before it has ended: every instruction counts.
 */
export class StraightWalk implements TableWalk {
  private readonly memory: PhysicalMemory;
  private readonly context: ContextLookup;
  private readonly contexts: ContextCache;
  private readonly iotlb: Iotlb;
  private readonly exact: ExactWalk;
  private readonly found: Found;
  /** Bits of entries, as halves, that are not straight: in the high half of any, in the low half of a table's and a leaf's. */
  private readonly special: number;
  private readonly tableSpecial: number;
  private readonly leafSpecial: number;

  constructor(
    memory: PhysicalMemory,
    context: ContextLookup,
    { contexts, iotlb }: Caches,
    exact: ExactWalk,
    found: Found,
  ) {
    this.memory = memory;
    this.context = context;
    this.contexts = contexts;
    this.iotlb = iotlb;
    this.exact = exact;
    this.found = found;
    this.special = exact.specialHigh | exact.leafReservedHigh | NO_RAM;
    this.tableSpecial = exact.specialLow;
    this.leafSpecial = exact.leafReservedLow;
  }

  resolve(routingId: number, high: number, low: number, access: Access): number {
    const { context, found } = this;
    if (this.contexts.taken !== routingId) {
      const unfound = context.lookUp(routingId);
      if (unfound !== 0) {
        return unfound;
      }
    }
    const { levels } = context;
    const { frames, words } = this.memory;
    let granted = PERMISSIONS;
    let tables = 0;
    let nextHigh = context.tableHigh;
    let nextLow = context.tableLow;
    let special = 0;
    let at = 0;
    if (levels > 3) {
      if (levels > 4) {
        at = (frames[(nextHigh << 20) | (nextLow >>> 12)]! | ((high >>> 15) & PLACE)) & INDEX;
        special = nextHigh;
        nextLow = words[at]!;
        nextHigh = words[at + 1]!;
        granted &= nextLow;
        tables |= nextLow;
      }
      at = (frames[(nextHigh << 20) | (nextLow >>> 12)]! | ((high >>> 6) & PLACE)) & INDEX;
      special |= nextHigh;
      nextLow = words[at]!;
      nextHigh = words[at + 1]!;
      granted &= nextLow;
      tables |= nextLow;
    }
    at = (frames[(nextHigh << 20) | (nextLow >>> 12)]! | (((high << 3) | (low >>> 29)) & PLACE)) & INDEX;
    const low3 = words[at]!;
    const high3 = words[at + 1]!;
    at = (frames[(high3 << 20) | (low3 >>> 12)]! | ((low >>> 20) & PLACE)) & INDEX;
    const low2 = words[at]!;
    const high2 = words[at + 1]!;
    at = (frames[(high2 << 20) | (low2 >>> 12)]! | ((low >>> 11) & PLACE)) & INDEX;
    const low1 = words[at]!;
    const high1 = words[at + 1]!;
    granted = granted & low3 & low2 & low1;
    if (
      (((special | nextHigh | high3 | high2 | high1) & this.special) |
        ((tables | low3 | low2) & this.tableSpecial) |
        (low1 & this.leafSpecial) |
        (~granted & (READ << (access & 1))) |
        context.passThrough |
        (high & context.beyondWidth)) !==
      0
    ) {
      return this.exact.walk(routingId, high, low, access);
    }
    const pageHigh = high1 & ADDRESS_HIGH;
    if ((pageHigh | ((low1 & RANGE_MASK) ^ RANGE_PREFIX)) === 0) {
      return this.exact.walk(routingId, high, low, access);
    }
    found.high = pageHigh;
    found.low = (low1 & FRAME) | (low & OFFSET);
    found.flags = low1;
    if (this.iotlb.size !== 0) {
      const silent = context.faultProcessingDisable === 0 ? 0 : SILENT;
      const flags = (granted & PERMISSIONS) | (low1 & SNOOP) | silent;
      this.iotlb.fillSmall(routingId, context.domain, high, low, pageHigh, low1 & FRAME, flags);
    }
    return 0;
  }
}
