import { slotMask } from './cache-slots.js';
import type { Found } from './found.js';
import { INTERRUPT_MASK, INTERRUPT_PREFIX, inInterruptRange, touchesInterruptRange } from './interrupt-range.js';
import type { PageRange } from './page-range.js';

/** Levels at which a leaf may lie: 4 KiB, 2 MiB, 1 GiB. */
export const PAGE_LEVELS = 3;

/** By level, bits of the offset in a page; all lie in the low half. */
const OFFSET = [0, 0xfff, 0x1f_ffff, 0x3fff_ffff] as const;
const SMALL_OFFSET = OFFSET[1];

/** Width of the widest translated address. */
export const MOST_ADDRESS_BITS = 57;

/**
 * A slot has four words, numbered in the low bits of an index. Word 0 is the low half of the page's address, with the
 * lower bits of the source-id below it; word 1 is the high half, with the other bits of the source-id above it.
 */
const SHIFT = 2;
const KEY_HIGH = 1;
/**
 * The bits in which the low half of the page's host address differs from that of its address, with the flags below
 * them; 0 in a slot that holds nothing. Like this, what is found needs no offset of the page's size.
 */
const FRAME = 2;
const FRAME_HIGH = 3;

/** Tells the compiler that an index is positive and its sums stay so; slots are found by these bits of a page's number. */
const MOST_SLOTS = 0xf_ffff;
const MOST_WORDS = MOST_SLOTS << SHIFT;
/** Brings the number of a page of 4 KiB in the low half of its address to the place of its slot. */
const PLACE_SHIFT = 12 - SHIFT;

const SOURCE_LOW = 0xfff;
const SOURCE_HIGH = 0xf000;
/** Bits of a high half that no translated address has; some are taken by the source-id. */
const NO_ADDRESS = -1 << (MOST_ADDRESS_BITS - 32);

/** Flags of an entry. Bits 0 and 1 are the accumulated permissions; bit n says whether it serves access n. */
export const ENTRY = {
  permissions: 3,
  zeroLengthReads: 4,
  dwordWrites: 8,
  /** FPD of the context entry through which it was made. */
  silent: 16,
  /** It may lack permissions that the tables grant. */
  partial: 32,
  /** SNP, at its place in a leaf: the page forces snooping. */
  snoop: 0x800,
} as const;

/** Levels above 1, in what is used. */
const LARGE = 1 << 2;

// Constants of this module are known to the compiler; those of others are loaded each time.
const RANGE_MASK = INTERRUPT_MASK;
const RANGE_PREFIX = INTERRUPT_PREFIX;
const PERMISSIONS = ENTRY.permissions;
/** From a permission to the access that needs the same. */
const LIKEWISE = 2;

/**
 * Translations of whole pages, one direct-mapped array for each page size. They are found by source-id and address,
 * and removed by domain and address. A translation keeps the permissions accumulated on its way. For addresses in the
 * interrupt range, where requests are not translated, none is ever found.
 */
export class Iotlb {
  /** Entries for each page size. */
  readonly size: number;
  private readonly found: Found;
  /** The flag for zero-length reads where they need no permission, else 0. */
  private readonly zeroLengthReads: number;
  private readonly last: number;
  /** `last` as a place in the words. */
  private readonly lastPlace: number;
  /** Logarithm of a level's words. */
  private readonly levelShift: number;
  private readonly words: Int32Array;
  /** By slot, the domain. */
  private readonly domains: Uint16Array;
  /** Bit n: pages of level n were held since the last time all of them were dropped. */
  private used = 0;

  /**
   * @param size entries for each page size, a power of two or 0
   * @param zeroLengthReads whether a zero-length read is served by any permission (ZLR)
   * @param found where lookups that hit leave what they found
   */
  constructor(size: number, zeroLengthReads: boolean, found: Found) {
    this.zeroLengthReads = zeroLengthReads ? ENTRY.zeroLengthReads : 0;
    this.size = size;
    this.found = found;
    this.last = slotMask(size);
    this.lastPlace = this.last << SHIFT;
    this.levelShift = Math.log2(this.last + 1) + SHIFT;
    this.words = new Int32Array(PAGE_LEVELS << this.levelShift);
    this.domains = new Uint16Array(PAGE_LEVELS * (this.last + 1));
  }

  /**
   * Looks for the translation of an address for a source-id; one that is held is then in what was found.
   *
   * @param high high half of the address, which has no more than {@link MOST_ADDRESS_BITS} bits
   * @returns the entry's flags, with whatever above them, or 0
   */
  find(sourceId: number, high: number, low: number): number {
    const flags = this.take(this.placeOfSmall(sourceId, low), SMALL_OFFSET, sourceId, high, low);
    return flags === 0 && this.used >= LARGE ? this.findLarge(sourceId, high, low) : flags;
  }

  /**
   * Keeps the translation of an address.
   *
   * @param level of the leaf, 1 to 3
   * @param outHigh high half of the address's own host address
   * @param outLow low half
   * @param flags of {@link ENTRY}; some permission is granted
   */
  fill(
    level: number,
    sourceId: number,
    domain: number,
    high: number,
    low: number,
    outHigh: number,
    outLow: number,
    flags: number,
  ): void {
    const offset = OFFSET[level]!;
    // Where part of a page leads into the interrupt range, which is a fault and so not kept, only 4 KiB are.
    const whole = !touchesInterruptRange(outHigh, outLow, offset);
    this.keep(whole ? level : 1, sourceId, domain, high, low, outHigh, outLow, flags);
  }

  /** As {@link fill} for a page of 4 KiB, where `size` is not 0. */
  fillSmall(
    sourceId: number,
    domain: number,
    high: number,
    low: number,
    outHigh: number,
    outLow: number,
    flags: number,
  ): void {
    if (high === 0 && (low & RANGE_MASK) === RANGE_PREFIX) {
      return;
    }
    const { words } = this;
    const at = this.placeOfSmall(sourceId, low);
    this.used |= 1 << 1;
    words[at] = (low & ~SMALL_OFFSET) | (sourceId & SOURCE_LOW);
    words[at + KEY_HIGH] = high | ((sourceId & SOURCE_HIGH) << 16);
    const likewise = ((flags & PERMISSIONS) << LIKEWISE) | this.zeroLengthReads;
    words[at + FRAME] = ((outLow ^ low) & ~SMALL_OFFSET) | flags | likewise;
    words[at + FRAME_HIGH] = outHigh;
    this.domains[at >> SHIFT] = domain;
  }

  /** Drops all pages of a level. */
  clear(level: number): void {
    if (this.isUsed(level)) {
      this.used &= ~(1 << level);
      this.words.fill(0, this.firstOf(level), this.firstOf(level + 1));
    }
  }

  /** Drops the pages of a level that belong to a domain and overlap the range. */
  drop(level: number, domain: number, range: PageRange): void {
    if (!this.isUsed(level)) {
      return;
    }
    const { words, domains } = this;
    const maskLow = range.maskLow & ~OFFSET[level]!;
    const maskHigh = range.maskHigh & ~NO_ADDRESS;
    const end = this.firstOf(level + 1);
    for (let at = this.firstOf(level); at < end; at += 1 << SHIFT) {
      const apart = ((words[at]! ^ range.low) & maskLow) | ((words[at | KEY_HIGH]! ^ range.high) & maskHigh);
      if (apart === 0 && domains[at >> SHIFT] === domain) {
        words[at | FRAME] = 0;
      }
    }
  }

  /** Drops what one slot of a level holds; slots are numbered from 0 to `size` - 1. */
  evict(level: number, slot: number): void {
    this.words[this.firstOf(level) | (slot << SHIFT) | FRAME] = 0;
  }

  /** Keeps a page of that level around the address, mapped linearly. */
  protected keep(
    level: number,
    sourceId: number,
    domain: number,
    high: number,
    low: number,
    outHigh: number,
    outLow: number,
    flags: number,
  ): void {
    if (this.size === 0 || (level === 1 && inInterruptRange(high, low))) {
      return;
    }
    const { words } = this;
    const offset = OFFSET[level]!;
    const at = this.slotOf(level, sourceId, high, low);
    this.used |= 1 << level;
    words[at] = (low & ~offset) | (sourceId & SOURCE_LOW);
    words[at | KEY_HIGH] = high | ((sourceId & SOURCE_HIGH) << 16);
    const likewise = ((flags & PERMISSIONS) << LIKEWISE) | this.zeroLengthReads;
    words[at | FRAME] = ((outLow ^ low) & ~offset) | flags | likewise;
    words[at | FRAME_HIGH] = outHigh;
    this.domains[at >> SHIFT] = domain;
  }

  private isUsed(level: number): boolean {
    return (this.used & (1 << level)) !== 0;
  }

  private findLarge(sourceId: number, high: number, low: number): number {
    if (inInterruptRange(high, low)) {
      return 0;
    }
    const flags = this.isUsed(2) ? this.findPage(2, sourceId, high, low) : 0;
    return flags === 0 && this.isUsed(3) ? this.findPage(3, sourceId, high, low) : flags;
  }

  private findPage(level: number, sourceId: number, high: number, low: number): number {
    return this.take(this.slotOf(level, sourceId, high, low), OFFSET[level]!, sourceId, high, low);
  }

  /** Takes what a slot holds if it is the page around the address, of the size with these offset bits; gives its flags. */
  private take(at: number, offset: number, sourceId: number, high: number, low: number): number {
    const { words, found } = this;
    if (
      words[at] !== ((low & ~offset) | (sourceId & SOURCE_LOW)) ||
      words[at + KEY_HIGH] !== (high | ((sourceId & SOURCE_HIGH) << 16))
    ) {
      return 0;
    }
    const frame = words[at + FRAME]!;
    found.high = words[at + FRAME_HIGH]!;
    found.low = low ^ (frame & ~SMALL_OFFSET);
    found.flags = frame;
    return frame;
  }

  /** Place in the words of the slot for a page of 4 KiB; what {@link slotOf} gives, in fewer steps. */
  private placeOfSmall(sourceId: number, low: number): number {
    const apart = sourceId + (sourceId << 5);
    return ((low >>> PLACE_SHIFT) + (apart << SHIFT)) & this.lastPlace & MOST_WORDS;
  }

  /**
   * Neighbouring pages lie in neighbouring slots. The source-id is added, so that addresses that go up in equal steps
   * go up in equal steps through the slots, too, which processors are quick to read.
   */
  private slotOf(level: number, sourceId: number, high: number, low: number): number {
    const shift = 3 + 9 * level;
    const page = (low >>> shift) | (high << (32 - shift));
    const slot = (page + sourceId + (sourceId << 5)) & this.last & MOST_SLOTS;
    return this.firstOf(level) | (slot << SHIFT);
  }

  private firstOf(level: number): number {
    return (level - 1) << this.levelShift;
  }
}
