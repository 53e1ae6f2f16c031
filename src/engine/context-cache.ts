import { SLOT_SHIFT, SLOT_WORDS, slotMask } from './cache-slots.js';

/** A constant of this module is known to the compiler; that of another one is loaded each time. */
const SHIFT = SLOT_SHIFT;

/** Set in word 0 of a slot that holds something, above the key. */
const VALID = 1 << 16;

/** Word 0 is a bus number, words 1 and 2 the halves of its context table's host address. */
const TABLE_LOW = 1;
const TABLE_HIGH = 2;

/**
 * What root entries said, by bus number. Only present entries without fault are held; what removes them is a global
 * invalidation of the context cache.
 */
export class RootCache {
  /** Host address of the context table, after a lookup that hit. */
  tableHigh = 0;
  tableLow = 0;
  readonly size: number;
  private readonly last: number;
  private readonly words: Int32Array;

  /** @param size number of entries, a power of two or 0 */
  constructor(size: number) {
    this.size = size;
    this.last = slotMask(size);
    this.words = new Int32Array((this.last + 1) * SLOT_WORDS);
  }

  /** Whether the entry of a bus is held. */
  find(bus: number): boolean {
    const at = (bus & this.last) << SLOT_SHIFT;
    if (this.words[at] !== (bus | VALID)) {
      return false;
    }
    this.tableHigh = this.words[at | TABLE_HIGH]!;
    this.tableLow = this.words[at | TABLE_LOW]!;
    return true;
  }

  fill(bus: number, tableHigh: number, tableLow: number): void {
    if (this.size === 0) {
      return;
    }
    const at = (bus & this.last) << SLOT_SHIFT;
    this.words[at] = bus | VALID;
    this.words[at | TABLE_HIGH] = tableHigh;
    this.words[at | TABLE_LOW] = tableLow;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** Drops what one slot holds; slots are numbered from 0 to `size` - 1. */
  evict(slot: number): void {
    this.words[slot << SLOT_SHIFT] = 0;
  }
}

/** Word 0 is a source-id. */
const DOMAIN = 1;
/** Low half of the table's address, with {@link PASS_THROUGH} and {@link SILENT} below it. */
const TABLE = 2;
const TOP_HIGH = 3;
const LEVELS = 4;
const BEYOND_WIDTH = 5;

/** Flags beside a context's table pointer. */
export const PASS_THROUGH = 1;
/** FPD. */
export const SILENT = 2;
/** Address bits beside the flags. */
const FRAME = ~0xfff;

/** What is kept of a context entry. */
export interface ContextFields {
  domain: number;
  tableHigh: number;
  tableLow: number;
  levels: number;
  /** Bits of an address's high half that no translated address has. */
  beyondWidth: number;
  /** Not 0 for yes. */
  passThrough: number;
  faultProcessingDisable: number;
}

/** What context entries said, by source-id. Only entries without fault are held. */
export class ContextCache {
  /** The source-id whose entry was taken last, as long as nothing has changed since; -1 otherwise. */
  taken = -1;
  readonly size: number;
  private readonly last: number;
  private readonly words: Int32Array;

  /** @param size number of entries, a power of two or 0 */
  constructor(size: number) {
    this.size = size;
    this.last = slotMask(size);
    this.words = new Int32Array((this.last + 1) * SLOT_WORDS);
  }

  /** Takes the entry of a source-id if it is held; whether it is. */
  find(sourceId: number, into: ContextFields): boolean {
    const { words } = this;
    const at = this.slotOf(sourceId);
    if (words[at] !== (sourceId | VALID)) {
      this.taken = -1;
      return false;
    }
    this.taken = sourceId;
    const table = words[at | TABLE]!;
    into.domain = words[at | DOMAIN]!;
    into.tableHigh = words[at | TOP_HIGH]!;
    into.tableLow = table & FRAME;
    into.passThrough = table & PASS_THROUGH;
    into.faultProcessingDisable = table & SILENT;
    into.levels = words[at | LEVELS]!;
    into.beyondWidth = words[at | BEYOND_WIDTH]!;
    return true;
  }

  /** @param flags {@link PASS_THROUGH}, {@link SILENT} */
  fill(
    sourceId: number,
    domain: number,
    tableHigh: number,
    tableLow: number,
    levels: number,
    beyondWidth: number,
    flags: number,
  ): void {
    if (this.size === 0) {
      return;
    }
    const { words } = this;
    const at = this.slotOf(sourceId);
    this.taken = -1;
    words[at] = sourceId | VALID;
    words[at | DOMAIN] = domain;
    words[at | TABLE] = tableLow | flags;
    words[at | TOP_HIGH] = tableHigh;
    words[at | LEVELS] = levels;
    words[at | BEYOND_WIDTH] = beyondWidth;
  }

  clear(): void {
    this.taken = -1;
    this.words.fill(0);
  }

  /** Drops the entries of a domain whose source-id equals `sourceId` in the bits of `compared`. */
  drop(domain: number, sourceId: number, compared: number): void {
    const { words } = this;
    this.taken = -1;
    for (let at = 0; at < words.length; at += SLOT_WORDS) {
      if (words[at | DOMAIN] === domain && ((words[at]! ^ sourceId) & compared) === 0) {
        words[at] = 0;
      }
    }
  }

  /** Drops what one slot holds; slots are numbered from 0 to `size` - 1. */
  evict(slot: number): void {
    this.taken = -1;
    this.words[slot << SLOT_SHIFT] = 0;
  }

  /** Functions of one device and the same function of different buses are kept apart. */
  private slotOf(sourceId: number): number {
    return ((sourceId ^ (sourceId >>> 5)) & this.last) << SHIFT;
  }
}
