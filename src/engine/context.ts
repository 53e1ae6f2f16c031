import { CONTEXT_ENTRY, FAULT, ROOT_ENTRY, SECOND_STAGE_ENTRY, TRANSLATION_TYPE } from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift, fieldsMask } from './bits.js';
import type { Capabilities } from './capabilities.js';
import { type ContextCache, type ContextFields, PASS_THROUGH, type RootCache, SILENT } from './context-cache.js';
import type { PhysicalMemory } from './memory.js';

const PRESENT = fieldMask(ROOT_ENTRY.fields.P, 0);
const FPD = fieldMask(CONTEXT_ENTRY.fields.FPD, 0);
const TT = fieldMask(CONTEXT_ENTRY.fields.TT, 0);
const TT_SHIFT = fieldShift(CONTEXT_ENTRY.fields.TT);
const AW = fieldMask(CONTEXT_ENTRY.fields.AW, 2);
const DID_SHIFT = fieldShift(CONTEXT_ENTRY.fields.DID);
const DID = fieldMask(CONTEXT_ENTRY.fields.DID, 2);
/** Address bits of the low half: frame aligned. */
const FRAME = fieldMask(ROOT_ENTRY.fields.CTP, 0);

const UNTRANSLATED_ONLY = TRANSLATION_TYPE.untranslatedOnly;
const ALL = TRANSLATION_TYPE.all;
const PASSING = TRANSLATION_TYPE.passThrough;

/**
 * Finds the context entry of a requester, in the context cache or through root and context table (legacy mode), checks
 * it, and keeps what the translation needs in its fields. What is without fault is cached.
 */
export class ContextLookup implements ContextFields {
  /** Host address of the root table, frame aligned. */
  rootHigh = 0;
  rootLow = 0;
  /** FPD of the context entry found last, not 0 for yes; 0 when the lookup ended before one was found. */
  faultProcessingDisable = 0;
  /** Whether requests pass without second-stage translation; not 0 for yes. */
  passThrough = 0;
  /** Domain-id. */
  domain = 0;
  /** Levels of the second-stage walk. */
  levels = 0;
  /** Bits of an input address's high half that lie at or above min(MGAW, AGAW). */
  beyondWidth = 0;
  /** Host address of the top second-stage table. */
  tableHigh = 0;
  tableLow = 0;

  private readonly memory: PhysicalMemory;
  private readonly roots: RootCache;
  private readonly contexts: ContextCache;
  private readonly levelsOfWidth: Int32Array;
  /** By AW, bits of an address's high half at or above min(MGAW, AGAW). */
  private readonly beyondOfWidth: Int32Array;
  /** By TT, whether it is valid here. */
  private readonly typeValid: Uint8Array;
  /** Reserved bits of the entries' 32-bit pieces. Piece 0 of the root entry is in `rootReserved0`, and so on. */
  private readonly rootReserved0: number;
  private readonly rootReserved1: number;
  private readonly rootReserved2: number;
  private readonly rootReserved3: number;
  private readonly reserved0: number;
  private readonly reserved1: number;
  private readonly reserved2: number;
  private readonly reserved3: number;

  constructor(memory: PhysicalMemory, capabilities: Capabilities, roots: RootCache, contexts: ContextCache) {
    this.memory = memory;
    this.roots = roots;
    this.contexts = contexts;
    this.levelsOfWidth = Int32Array.from(capabilities.levelsOfWidth);
    this.beyondOfWidth = this.levelsOfWidth.map((levels) => {
      const width = Math.min(addressBits(levels), capabilities.guestAddressWidth);
      return fieldMask([63, width], 1);
    });
    this.typeValid = new Uint8Array(4);
    this.typeValid[UNTRANSLATED_ONLY] = 1;
    this.typeValid[ALL] = capabilities.deviceTlb ? 1 : 0;
    this.typeValid[PASSING] = capabilities.passThrough ? 1 : 0;

    const beyondHost = [63, capabilities.hostAddressWidth] as const;
    const rootReserved = [...ROOT_ENTRY.reserved, beyondHost];
    this.rootReserved0 = fieldsMask(rootReserved, 0);
    this.rootReserved1 = fieldsMask(rootReserved, 1);
    this.rootReserved2 = fieldsMask(rootReserved, 2);
    this.rootReserved3 = fieldsMask(rootReserved, 3);

    const [didHigh, didLow] = CONTEXT_ENTRY.fields.DID;
    const beyondDomain = [didHigh, didLow + capabilities.domainIdBits] as const;
    const reserved = [...CONTEXT_ENTRY.reserved, beyondHost, beyondDomain];
    this.reserved0 = fieldsMask(reserved, 0);
    this.reserved1 = fieldsMask(reserved, 1);
    this.reserved2 = fieldsMask(reserved, 2);
    this.reserved3 = fieldsMask(reserved, 3);
  }

  /**
   * Looks up the entry of a requester.
   *
   * @param routingId 16 bits
   * @returns 0, or the fault reason
   */
  lookUp(routingId: number): number {
    return this.contexts.taken === routingId || this.contexts.find(routingId, this) ? 0 : this.readTables(routingId);
  }

  private readTables(routingId: number): number {
    const { roots } = this;
    this.faultProcessingDisable = 0;
    const bus = routingId >>> 8;
    if (!roots.find(bus)) {
      return this.readRoot(bus, routingId);
    }
    return this.readEntry(this.frameOf(roots.tableHigh, roots.tableLow), routingId);
  }

  private readRoot(bus: number, routingId: number): number {
    const { words } = this.memory;
    const start = this.frameOf(this.rootHigh, this.rootLow);
    if (start < 0) {
      return FAULT.ROOT_UNREADABLE;
    }
    const root = start + (bus << 2);
    const root0 = words[root]!;
    if ((root0 & PRESENT) === 0) {
      return FAULT.ROOT_NOT_PRESENT;
    }
    const root1 = words[root + 1]!;
    if (
      ((root0 & this.rootReserved0) |
        (root1 & this.rootReserved1) |
        (words[root + 2]! & this.rootReserved2) |
        (words[root + 3]! & this.rootReserved3)) !==
      0
    ) {
      return FAULT.ROOT_RESERVED;
    }
    const table = this.frameOf(root1, root0);
    if (table < 0) {
      return FAULT.CONTEXT_UNREADABLE;
    }
    this.roots.fill(bus, root1, root0 & FRAME);
    return this.readEntry(table, routingId);
  }

  /** @param table index in `words` of the context table */
  private readEntry(table: number, routingId: number): number {
    const { words } = this.memory;
    const at = table + ((routingId & 0xff) << 2);
    const word0 = words[at]!;
    const word1 = words[at + 1]!;
    const word2 = words[at + 2]!;
    // FPD counts even where the entry is not present.
    this.faultProcessingDisable = (word0 & FPD) === 0 ? 0 : 1;
    if ((word0 & PRESENT) === 0) {
      return FAULT.CONTEXT_NOT_PRESENT;
    }
    if (
      ((word0 & this.reserved0) |
        (word1 & this.reserved1) |
        (word2 & this.reserved2) |
        (words[at + 3]! & this.reserved3)) !==
      0
    ) {
      return FAULT.CONTEXT_RESERVED;
    }
    const type = (word0 & TT) >>> TT_SHIFT;
    this.levels = this.levelsOfWidth[word2 & AW]!;
    this.beyondWidth = this.beyondOfWidth[word2 & AW]!;
    if (this.levels === 0 || this.typeValid[type] === 0) {
      return FAULT.CONTEXT_INVALID;
    }
    this.passThrough = type === PASSING ? 1 : 0;
    this.domain = (word2 & DID) >>> DID_SHIFT;
    this.tableHigh = word1;
    this.tableLow = word0 & FRAME;
    this.keep(routingId);
    return 0;
  }

  /** An entry whose table cannot be read is one that causes faults, and so is not cached. */
  private keep(routingId: number): void {
    if (this.passThrough !== 0 || this.frameOf(this.tableHigh, this.tableLow) >= 0) {
      const flags = (this.passThrough === 0 ? 0 : PASS_THROUGH) | (this.faultProcessingDisable === 0 ? 0 : SILENT);
      this.contexts.fill(routingId, this.domain, this.tableHigh, this.tableLow, this.levels, this.beyondWidth, flags);
    }
  }

  /** Index in `words` of the frame at a host address, or -1. What lies at 2^43 or above is never RAM. */
  private frameOf(high: number, low: number): number {
    return high >>> 11 === 0 ? (this.memory.frames[(high << 20) | (low >>> 12)] ?? -1) : -1;
  }
}

/** Width of the addresses that a table of that many levels translates. */
function addressBits(levels: number): number {
  return SECOND_STAGE_ENTRY.indexLow[1] + SECOND_STAGE_ENTRY.indexBits * levels;
}
