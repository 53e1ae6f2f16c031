const INDEX_MASK = 511;
const PRESENT = 3;
const FRAME = ~0xfff;

/** Words of a frame, as a shift. */
const FRAME_WORDS_SHIFT = 10;

/**
 * A 4-level walk and nothing else: the tables lie in one piece, an entry without permissions ends it, and no other bit
 * is looked at. What every walk in this language has to do at least.
 */
export class BareWalk {
  outHigh = 0;
  outLow = 0;
  private readonly words: Uint32Array;
  private readonly first: number;
  private readonly top: number;

  /**
   * @param words the memory that the engine walks, too
   * @param first index in `words` of host address 0
   * @param top host frame of the top table
   */
  constructor(words: Uint32Array, first: number, top: number) {
    this.words = words;
    this.first = first;
    this.top = top;
  }

  /** Whether the address is mapped; where to is then in the fields. */
  translate(high: number, low: number): boolean {
    const { words, first } = this;
    let at = first + (this.top << FRAME_WORDS_SHIFT) + (((high >>> 7) & INDEX_MASK) << 1);
    let entryLow = words[at]!;
    if ((entryLow & PRESENT) === 0) return false;
    at = tableOf(first, words[at + 1]!, entryLow) + ((((low >>> 30) | (high << 2)) & INDEX_MASK) << 1);
    entryLow = words[at]!;
    if ((entryLow & PRESENT) === 0) return false;
    at = tableOf(first, words[at + 1]!, entryLow) + (((low >>> 21) & INDEX_MASK) << 1);
    entryLow = words[at]!;
    if ((entryLow & PRESENT) === 0) return false;
    at = tableOf(first, words[at + 1]!, entryLow) + (((low >>> 12) & INDEX_MASK) << 1);
    entryLow = words[at]!;
    if ((entryLow & PRESENT) === 0) return false;
    this.outHigh = words[at + 1]!;
    this.outLow = (entryLow & FRAME) | (low & 0xfff);
    return true;
  }
}

/** Index of the table's first word. Its address is below 2^43. */
function tableOf(first: number, high: number, low: number): number {
  return first + (((high << 20) | (low >>> 12)) << FRAME_WORDS_SHIFT);
}

/** A direct-mapped cache of pages of 4 KiB and nothing else: no owner, no permissions, no other page size. */
export class BareIotlb {
  outHigh = 0;
  outLow = 0;
  private readonly last: number;
  /** Page and frame, each a pair of halves; bit 0 of the page says that there is one. */
  private readonly words: Int32Array;

  /** @param size a power of two */
  constructor(size: number) {
    this.last = size - 1;
    this.words = new Int32Array(size * 4);
  }

  /** Whether the page is held; the byte's host address is then in the fields. */
  translate(high: number, low: number): boolean {
    const { words } = this;
    const at = (((low >>> 12) | (high << 20)) & this.last) << 2;
    if (words[at] !== ((low & FRAME) | 1) || words[at + 1] !== high) return false;
    this.outLow = words[at + 2]! | (low & 0xfff);
    this.outHigh = words[at + 3]!;
    return true;
  }

  fill(high: number, low: number, outHigh: number, outLow: number): void {
    const at = (((low >>> 12) | (high << 20)) & this.last) << 2;
    this.words[at] = (low & FRAME) | 1;
    this.words[at + 1] = high;
    this.words[at + 2] = outLow & FRAME;
    this.words[at + 3] = outHigh;
  }
}
