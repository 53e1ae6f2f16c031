import { slotMask } from './cache-slots.js';
import { highHalfFrom, lowHalfFrom, type PageRange } from './page-range.js';

/** Levels whose entries may point to tables: PDE, PDPTE, PML4E, PML5E. */
export const FIRST_STRUCTURE_LEVEL = 2;
export const LAST_STRUCTURE_LEVEL = 5;

/**
 * Word 0 is the low half of the address bits that select the entry, with the domain and a bit that is always set below
 * them; word 1 is the high half.
 */
const VALID = 1 << 16;
const DOMAIN = 0xffff;
const KEY_HIGH = 1;
/** Low half of the next table's address, with the accumulated permissions in bits 0 and 1. */
const TABLE = 2;
const TABLE_HIGH = 3;

// Constants of this module are known to the compiler; those of others are loaded each time.
const SHIFT = 2;
const WORDS = 1 << SHIFT;
const FIRST = FIRST_STRUCTURE_LEVEL;

/** Bits of the low half that select an entry of these levels. */
const KEY_LOW_2 = -1 << 21;
const KEY_LOW_3 = -1 << 30;

/** Tells the compiler that an index is positive and its sums stay so. */
const INDEX = 0x3fff_ffff;

const PERMISSIONS = 3;
const FRAME = ~0xfff;

/**
 * Paging-structure caches: one for each level of entries that point to tables, tagged by domain and by the address
 * bits of the level. Requesters of one domain share them.
 */
export class StructureCache {
  /** Next table and permissions down to it, after a lookup that hit. */
  tableHigh = 0;
  tableLow = 0;
  granted = 0;
  /** Entries at each level. */
  readonly size: number;
  private readonly last: number;
  /** The last slot of level 2. */
  private readonly lastLowest: number;
  /** Logarithm of a level's words. */
  private readonly levelShift: number;
  private readonly words: Int32Array;
  /** By level, the address bits that select an entry. */
  private readonly keyHigh = new Int32Array(LAST_STRUCTURE_LEVEL + 1);
  private readonly keyLow = new Int32Array(LAST_STRUCTURE_LEVEL + 1);

  /** @param size entries at each level, a power of two or 0 */
  constructor(size: number) {
    this.size = size;
    this.last = slotMask(size);
    this.lastLowest = this.last << SHIFT;
    this.levelShift = Math.log2(this.last + 1) + SHIFT;
    this.words = new Int32Array((LAST_STRUCTURE_LEVEL - FIRST_STRUCTURE_LEVEL + 1) * (this.last + 1) * WORDS);
    for (let level = FIRST_STRUCTURE_LEVEL; level <= LAST_STRUCTURE_LEVEL; level++) {
      const bits = 12 + 9 * (level - 1);
      this.keyHigh[level] = highHalfFrom(bits);
      this.keyLow[level] = lowHalfFrom(bits);
    }
  }

  /**
   * Looks for the lowest entry on the way to an address.
   *
   * @param levels of the requester's table; entries above are not used
   * @returns the entry's level, or 0
   */
  find(domain: number, levels: number, high: number, low: number): number {
    for (let level = FIRST; level <= levels; level = (level + 1) | 0) {
      if (this.take(level, domain, high, low)) {
        return level;
      }
    }
    return 0;
  }

  /** Looks for the entry of level 2 on the way to an address, or else that of level 3; gives its slot, or -1. */
  findNear(domain: number, high: number, low: number): number {
    const { words } = this;
    const lowest = this.slotOfLowest(domain, high, low);
    if (words[lowest] === ((low & KEY_LOW_2) | domain | VALID) && words[lowest + KEY_HIGH] === high) {
      return lowest;
    }
    const entry = (low >>> 30) | (high << 2);
    const at = (((((entry ^ domain ^ (domain << 5)) & this.last) + this.last + 1) << SHIFT) & INDEX) | 0;
    return words[at] === ((low & KEY_LOW_3) | domain | VALID) && words[at + KEY_HIGH] === high ? at : -1;
  }

  /** Whether a slot is one for entries of level 2. */
  isLowest(slot: number): boolean {
    return slot <= this.lastLowest;
  }

  /** What a slot says of the next table: the low half of its address, with the permissions down to it below. */
  tableLowAt(slot: number): number {
    return this.words[(slot & INDEX) + TABLE]!;
  }

  tableHighAt(slot: number): number {
    return this.words[(slot & INDEX) + TABLE_HIGH]!;
  }

  /**
   * Keeps the entry of level 2 that a walk came through, unless it was found here.
   *
   * @param found the slot that was found, of level 2 or 3
   * @param table low half of the next table's address, with the permissions down to it, not none, below
   */
  keepLowest(found: number, domain: number, high: number, low: number, tableHigh: number, table: number): void {
    const { words } = this;
    const at = this.slotOfLowest(domain, high, low);
    if (this.isLowest(found)) {
      return;
    }
    words[at] = (low & KEY_LOW_2) | domain | VALID;
    words[at + KEY_HIGH] = high;
    words[at + TABLE] = table;
    words[at + TABLE_HIGH] = tableHigh;
  }

  private slotOfLowest(domain: number, high: number, low: number): number {
    const entry = (low >>> 21) | (high << 11);
    return (((entry ^ domain ^ (domain << 5)) & this.last) << SHIFT) & INDEX;
  }

  private take(level: number, domain: number, high: number, low: number): boolean {
    const { words } = this;
    const at = this.slotOf(level, domain, high, low);
    const keyLow = low & this.keyLow[level]!;
    if (words[at] !== (keyLow | domain | VALID) || words[at + KEY_HIGH] !== (high & this.keyHigh[level]!)) {
      return false;
    }
    const table = words[at + TABLE]!;
    this.tableHigh = words[at + TABLE_HIGH]!;
    this.tableLow = table & FRAME;
    this.granted = table & PERMISSIONS;
    return true;
  }

  /** @param granted permissions down to the table, not none */
  fill(
    level: number,
    domain: number,
    high: number,
    low: number,
    tableHigh: number,
    tableLow: number,
    granted: number,
  ): void {
    if (this.size === 0) {
      return;
    }
    const at = this.slotOf(level, domain, high, low);
    const { words } = this;
    words[at] = (low & this.keyLow[level]!) | domain | VALID;
    words[at + KEY_HIGH] = high & this.keyHigh[level]!;
    words[at + TABLE] = tableLow | granted;
    words[at + TABLE_HIGH] = tableHigh;
  }

  /** Drops all entries of a level. */
  clear(level: number): void {
    this.words.fill(0, this.firstOf(level), this.firstOf(level + 1));
  }

  /** Drops the entries of a level that belong to a domain and cover any page of the range. */
  drop(level: number, domain: number, range: PageRange): void {
    const { words } = this;
    const maskHigh = range.maskHigh & this.keyHigh[level]!;
    const maskLow = range.maskLow & this.keyLow[level]!;
    const end = this.firstOf(level + 1);
    for (let at = this.firstOf(level); at < end; at += WORDS) {
      const apart = ((words[at]! ^ range.low) & maskLow) | ((words[at | KEY_HIGH]! ^ range.high) & maskHigh);
      if (apart === 0 && (words[at]! & DOMAIN) === domain) {
        words[at] = 0;
      }
    }
  }

  /** Drops what one slot of a level holds; slots are numbered from 0 to `size` - 1. */
  evict(level: number, slot: number): void {
    this.words[this.firstOf(level) + (slot << SHIFT)] = 0;
  }

  private slotOf(level: number, domain: number, high: number, low: number): number {
    // Neighbours lie in neighbouring slots.
    const below = level === 2 ? (low >>> 21) | (high << 11) : (low >>> 30) | (high << 2);
    const entry = level < 4 ? below : high >> (level === 4 ? 7 : 16);
    return (this.firstOf(level) | (((entry ^ domain ^ (domain << 5)) & this.last) << SHIFT)) & INDEX;
  }

  private firstOf(level: number): number {
    return (level - FIRST) << this.levelShift;
  }
}
