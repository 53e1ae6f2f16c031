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
import type { StructureCache } from './structure-cache.js';
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
 * The walk of a unit with paging-structure caches, where they hold what leads to the last table or to the one above it:
 * one or two entries are read, and judged together like those of a straight walk. All else is left to the exact walk.
 * What it calls it calls always, wherever it starts: the compiler leaves out of its code what was called rarely so far.
 */
export class ResumedWalk implements TableWalk {
  private readonly memory: PhysicalMemory;
  private readonly context: ContextLookup;
  private readonly contexts: ContextCache;
  private readonly structures: StructureCache;
  private readonly iotlb: Iotlb;
  private readonly exact: ExactWalk;
  private readonly found: Found;
  private readonly special: number;
  private readonly tableSpecial: number;
  private readonly leafSpecial: number;

  constructor(
    memory: PhysicalMemory,
    context: ContextLookup,
    { contexts, structures, iotlb }: Caches,
    exact: ExactWalk,
    found: Found,
  ) {
    this.memory = memory;
    this.context = context;
    this.contexts = contexts;
    this.structures = structures;
    this.iotlb = iotlb;
    this.exact = exact;
    this.found = found;
    this.special = exact.specialHigh | exact.leafReservedHigh | NO_RAM;
    this.tableSpecial = exact.specialLow;
    this.leafSpecial = exact.leafReservedLow;
  }

  resolve(routingId: number, high: number, low: number, access: Access): number {
    const { context, found, structures } = this;
    if (this.contexts.taken !== routingId) {
      const unfound = context.lookUp(routingId);
      if (unfound !== 0) {
        return unfound;
      }
    }
    const { frames, words } = this.memory;
    const { domain } = context;
    const slot = structures.findNear(domain, high, low);
    if (slot < 0) {
      return this.exact.walk(routingId, high, low, access);
    }
    let tableLow = structures.tableLowAt(slot);
    let tableHigh = structures.tableHighAt(slot);
    let tableGranted = tableLow;
    let special = 0;
    if (!structures.isLowest(slot)) {
      const place = (frames[(tableHigh << 20) | (tableLow >>> 12)]! | ((low >>> 20) & PLACE)) & INDEX;
      tableLow = words[place]!;
      tableHigh = words[place + 1]!;
      tableGranted &= tableLow;
      special = tableLow & this.tableSpecial;
    }
    const at = (frames[(tableHigh << 20) | (tableLow >>> 12)]! | ((low >>> 11) & PLACE)) & INDEX;
    const low1 = words[at]!;
    const high1 = words[at + 1]!;
    const granted = tableGranted & low1;
    const pageHigh = high1 & ADDRESS_HIGH;
    if (
      (((tableHigh | high1) & this.special) |
        special |
        (low1 & this.leafSpecial) |
        (~granted & (READ << (access & 1))) |
        context.passThrough |
        (high & context.beyondWidth)) !==
        0 ||
      (pageHigh | ((low1 & RANGE_MASK) ^ RANGE_PREFIX)) === 0
    ) {
      return this.exact.walk(routingId, high, low, access);
    }
    const table = (tableLow & FRAME) | (tableGranted & PERMISSIONS);
    structures.keepLowest(slot, domain, high, low, tableHigh & ADDRESS_HIGH, table);
    found.high = pageHigh;
    found.low = (low1 & FRAME) | (low & OFFSET);
    found.flags = low1;
    if (this.iotlb.size !== 0) {
      const silent = context.faultProcessingDisable === 0 ? 0 : SILENT;
      const flags = (granted & PERMISSIONS) | (low1 & SNOOP) | silent;
      this.iotlb.fillSmall(routingId, domain, high, low, pageHigh, low1 & FRAME, flags);
    }
    return 0;
  }
}
