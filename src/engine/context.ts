import { CONTEXT_ENTRY, FAULT, ROOT_ENTRY, TRANSLATION_TYPE } from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift, fieldsMask } from './bits.js';
import type { Capabilities } from './capabilities.js';
import type { PhysicalMemory } from './memory.js';

const PRESENT = fieldMask(ROOT_ENTRY.fields.P, 0);
const FPD = fieldMask(CONTEXT_ENTRY.fields.FPD, 0);
const TT = fieldMask(CONTEXT_ENTRY.fields.TT, 0);
const TT_SHIFT = fieldShift(CONTEXT_ENTRY.fields.TT);
const AW = fieldMask(CONTEXT_ENTRY.fields.AW, 2);
/** Address bits of the low half: frame aligned. */
const FRAME = fieldMask(ROOT_ENTRY.fields.CTP, 0);

const UNTRANSLATED_ONLY = TRANSLATION_TYPE.untranslatedOnly;
const ALL = TRANSLATION_TYPE.all;
const PASS_THROUGH = TRANSLATION_TYPE.passThrough;

/**
 * Finds the context entry of a requester through root and context table (legacy mode), checks it, and keeps what the
 * translation needs in its fields. Nothing is cached.
 */
export class ContextLookup {
  /** FPD of the context entry read last; 0 when the lookup ended before one was read. */
  faultProcessingDisable = 0;
  /** Whether requests pass without second-stage translation; 1 or 0. */
  passThrough = 0;
  /** Value of the entry's AW. */
  width = 0;
  /** Levels of the second-stage walk. */
  levels = 0;
  /** Host address of the top second-stage table. */
  tableHigh = 0;
  tableLow = 0;

  private readonly memory: PhysicalMemory;
  private readonly levelsOfWidth: Int32Array;
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

  constructor(memory: PhysicalMemory, capabilities: Capabilities) {
    this.memory = memory;
    this.levelsOfWidth = Int32Array.from(capabilities.levelsOfWidth);
    this.typeValid = new Uint8Array(4);
    this.typeValid[UNTRANSLATED_ONLY] = 1;
    this.typeValid[ALL] = capabilities.deviceTlb ? 1 : 0;
    this.typeValid[PASS_THROUGH] = capabilities.passThrough ? 1 : 0;

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
   * @param rootHigh high half of the root table's host address
   * @param rootLow low half, frame aligned
   * @returns 0, or the fault reason
   */
  lookUp(routingId: number, rootHigh: number, rootLow: number): number {
    this.faultProcessingDisable = 0;
    const { frames, words } = this.memory;
    // What lies at 2^43 or above is never RAM (see PhysicalMemory), so the frame number fits 31 bits.
    const rootStart = rootHigh >>> 11 === 0 ? (frames[(rootHigh << 20) | (rootLow >>> 12)] ?? -1) : -1;
    if (rootStart < 0) {
      return FAULT.ROOT_UNREADABLE;
    }
    const root = rootStart + ((routingId >>> 8) << 2);
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
    const tableStart = root1 >>> 11 === 0 ? (frames[(root1 << 20) | (root0 >>> 12)] ?? -1) : -1;
    if (tableStart < 0) {
      return FAULT.CONTEXT_UNREADABLE;
    }
    return this.readEntry(words, tableStart + ((routingId & 0xff) << 2));
  }

  private readEntry(words: Int32Array, at: number): number {
    const word0 = words[at]!;
    const word1 = words[at + 1]!;
    const word2 = words[at + 2]!;
    // FPD counts even where the entry is not present.
    this.faultProcessingDisable = word0 & FPD;
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
    this.width = word2 & AW;
    this.levels = this.levelsOfWidth[this.width]!;
    if (this.levels === 0 || this.typeValid[type] === 0) {
      return FAULT.CONTEXT_INVALID;
    }
    this.passThrough = type === PASS_THROUGH ? 1 : 0;
    this.tableHigh = word1;
    this.tableLow = word0 & FRAME;
    return 0;
  }
}
