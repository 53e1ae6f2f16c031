import { SLOT_SHIFT, SLOT_WORDS, slotMask } from './cache-slots.js';
import { highHalfFrom, lowHalfFrom, type PageRange } from './page-range.js';

/** Levels whose entries may point to tables: PDE, PDPTE, PML4E, PML5E. */
export const FIRST_STRUCTURE_LEVEL = 2;
export const LAST_STRUCTURE_LEVEL = 5;

/** Word 0 is the low half of the address bits that select the entry, with this bit below them. */
const VALID = 1;
const KEY_HIGH = 1;
const DOMAIN = 2;
/** Low half of the next table's address, with the accumulated permissions in bits 0 and 1. */
const TABLE = 3;
const TABLE_HIGH = 4;

// Constants of this module are known to the compiler; those of others are loaded each time.
const SHIFT = SLOT_SHIFT;
const FIRST = FIRST_STRUCTURE_LEVEL;

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
    this.levelShift = Math.log2(this.last + 1) + SLOT_SHIFT;
    this.words = new Int32Array((LAST_STRUCTURE_LEVEL - FIRST_STRUCTURE_LEVEL + 1) * (this.last + 1) * SLOT_WORDS);
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
    for (let level = FIRST; level <= levels; level++) {
      if (this.take(level, domain, high & this.keyHigh[level]!, low & this.keyLow[level]!)) {
        return level;
      }
    }
    return 0;
  }

  private take(level: number, domain: number, keyHigh: number, keyLow: number): boolean {
    const { words } = this;
    const at = this.slotOf(level, domain, keyHigh, keyLow);
    if (words[at] === (keyLow | VALID) && words[at | KEY_HIGH] === keyHigh && words[at | DOMAIN] === domain) {
      const table = words[at | TABLE]!;
      this.tableHigh = words[at | TABLE_HIGH]!;
      this.tableLow = table & FRAME;
      this.granted = table & PERMISSIONS;
      return true;
    }
    return false;
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
    const { words } = this;
    const keyHigh = high & this.keyHigh[level]!;
    const keyLow = low & this.keyLow[level]!;
    const at = this.slotOf(level, domain, keyHigh, keyLow);
    words[at] = keyLow | VALID;
    words[at | KEY_HIGH] = keyHigh;
    words[at | DOMAIN] = domain;
    words[at | TABLE] = tableLow | granted;
    words[at | TABLE_HIGH] = tableHigh;
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
    for (let at = this.firstOf(level); at < end; at += SLOT_WORDS) {
      const apart = ((words[at]! ^ range.low) & maskLow) | ((words[at | KEY_HIGH]! ^ range.high) & maskHigh);
      if (apart === 0 && words[at | DOMAIN] === domain) {
        words[at] = 0;
      }
    }
  }

  /** Drops what one slot of a level holds; slots are numbered from 0 to `size` - 1. */
  evict(level: number, slot: number): void {
    this.words[this.firstOf(level) + (slot << SLOT_SHIFT)] = 0;
  }

  private slotOf(level: number, domain: number, keyHigh: number, keyLow: number): number {
    // Neighbours lie in neighbouring slots. The key has no bits below 9 * level + 3.
    const shift = 3 + 9 * level;
    const entry = shift < 32 ? (keyLow >>> shift) | (keyHigh << (32 - shift)) : keyHigh >>> (shift - 32);
    return this.firstOf(level) + (((entry ^ domain ^ (domain << 5)) & this.last) << SHIFT);
  }

  private firstOf(level: number): number {
    return (level - FIRST) << this.levelShift;
  }
}
