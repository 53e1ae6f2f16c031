/** Bytes of a frame, and its 32-bit words. */
const FRAME_BYTES = 4096;
const FRAME_WORDS = FRAME_BYTES / 4;
const FRAME_SHIFT = 12;

/** First byte address behind the highest place where RAM may lie. */
const RAM_LIMIT = 2 ** 43;

/** Frames for which room is made at first. */
const INITIAL_FRAMES = 64;

/** A piece of RAM. Byte address and length, both multiples of 4096. */
export interface RamRegion {
  readonly base: number;
  readonly bytes: number;
}

/**
 * Sparse host-physical memory of little-endian machines: RAM in frames that take room only once they are written,
 * holes everywhere else. RAM never written reads as zero. Reads of a hole give all ones, writes to it are dropped.
 *
 * Byte addresses are numbers; what lies at 2^53 or above, where they lose precision, is a hole.
 *
 * `frames` and `words` are open to those who walk tables: `words[frames[frame] + n]` is word `n` of a RAM frame, and
 * `frames[frame]` is -1 for a hole and undefined behind the last RAM. `words` is replaced when it grows.
 */
export class PhysicalMemory {
  /** Index in `words` of each frame's first word; 0 is the common frame of zeros that never changes. */
  readonly frames: Int32Array;
  words: Int32Array;
  private bytes: Uint8Array;
  private longs: BigUint64Array;
  /** Frames handed out in `words`, the frame of zeros included. */
  private used = 1;
  /** Frames that have room of their own and lie outside the image. */
  private readonly lazy: number[] = [];
  private image = new Int32Array(0);
  private imageFirst = 0;
  private imageFrames = 0;
  private readonly imageDirty: number[] = [];
  private imageMarks = new Uint8Array(0);

  /** @throws RangeError when a region is not frame aligned, is empty, or reaches beyond 2^43 */
  constructor(regions: readonly RamRegion[]) {
    let end = 0;
    for (const { base, bytes } of regions) {
      if (base % FRAME_BYTES !== 0 || bytes % FRAME_BYTES !== 0 || base < 0 || bytes <= 0 || base + bytes > RAM_LIMIT) {
        throw new RangeError(`RAM at 0x${base.toString(16)}, ${bytes} bytes: not whole frames below 2^43`);
      }
      end = Math.max(end, base + bytes);
    }
    this.frames = new Int32Array(end / FRAME_BYTES).fill(-1);
    for (const { base, bytes } of regions) {
      this.frames.fill(0, base / FRAME_BYTES, (base + bytes) / FRAME_BYTES);
    }
    this.words = new Int32Array(INITIAL_FRAMES * FRAME_WORDS);
    this.bytes = new Uint8Array(this.words.buffer);
    this.longs = new BigUint64Array(this.words.buffer);
  }

  /**
   * Gives RAM contents that every `reset` brings back; all other RAM comes back as zero. Resets at once.
   *
   * @param base frame-aligned byte address; the whole image must lie in RAM
   * @throws RangeError when it does not
   */
  setImage(base: number, image: Int32Array): void {
    this.reset();
    this.frames.fill(0, this.imageFirst, this.imageFirst + this.imageFrames);
    const first = base / FRAME_BYTES;
    const count = image.length / FRAME_WORDS;
    const covered = this.frames.subarray(first, first + count);
    if (!Number.isInteger(first) || !Number.isInteger(count) || covered.length < count || covered.includes(-1)) {
      throw new RangeError(`image at 0x${base.toString(16)}: not whole frames of RAM`);
    }
    this.used = 1;
    this.imageFirst = first;
    this.imageFrames = count;
    this.image = image.slice();
    this.imageMarks = new Uint8Array(count);
    for (let n = 0; n < count; n++) {
      this.frames[first + n] = this.allocate();
    }
    this.words.set(this.image, FRAME_WORDS);
  }

  /** Brings the image back and makes all other RAM zero; costs only as much as was written. */
  reset(): void {
    for (const n of this.imageDirty) {
      const from = n * FRAME_WORDS;
      this.words.set(this.image.subarray(from, from + FRAME_WORDS), from + FRAME_WORDS);
      this.imageMarks[n] = 0;
    }
    this.imageDirty.length = 0;
    for (const frame of this.lazy) {
      this.frames[frame] = 0;
    }
    this.lazy.length = 0;
    this.used = 1 + this.imageFrames;
  }

  /** Reads `count` bytes that may lie anywhere into `into` from index `at` on. */
  read(address: number, into: Uint8Array, at: number, count: number): void {
    let done = 0;
    while (done < count) {
      const place = address + done;
      const inFrame = place % FRAME_BYTES;
      const length = Math.min(count - done, FRAME_BYTES - inFrame);
      const start = this.frames[Math.floor(place / FRAME_BYTES)] ?? -1;
      if (start < 0) {
        into.fill(0xff, at + done, at + done + length);
      } else if (length <= 64) {
        // A short copy is faster without a view.
        const from = start * 4 + inFrame;
        for (let n = 0; n < length; n++) {
          into[at + done + n] = this.bytes[from + n]!;
        }
      } else {
        const from = start * 4 + inFrame;
        into.set(this.bytes.subarray(from, from + length), at + done);
      }
      done += length;
    }
  }

  /** A copy of `count` bytes that may lie anywhere. */
  copy(address: number, count: number): Uint8Array {
    const first = Math.floor(address / FRAME_BYTES);
    const start = this.frames[first] ?? -1;
    const last = Math.floor((address + count - 1) / FRAME_BYTES);
    if (start > 0 && this.adjoin(first, last)) {
      // One piece of the image: this saves filling the copy with zeros first.
      const from = start * 4 + (address % FRAME_BYTES);
      return this.bytes.slice(from, from + count);
    }
    const data = new Uint8Array(count);
    this.read(address, data, 0, count);
    return data;
  }

  /** Writes `count` bytes of `from`, starting at its index `at`. */
  write(address: number, from: Uint8Array, at: number, count: number): void {
    let done = 0;
    while (done < count) {
      const place = address + done;
      const inFrame = place % FRAME_BYTES;
      const length = Math.min(count - done, FRAME_BYTES - inFrame);
      const start = this.writable(Math.floor(place / FRAME_BYTES));
      if (start >= 0) {
        const to = start * 4 + inFrame;
        for (let n = 0; n < length; n++) {
          this.bytes[to + n] = from[at + done + n]!;
        }
      }
      done += length;
    }
  }

  /** Writes a 64-bit word, given as int32 halves, to an 8-byte aligned address. */
  writeWord(address: number, low: number, high: number): void {
    const start = this.writable(Math.floor(address / FRAME_BYTES));
    if (start >= 0) {
      const at = start + (address % FRAME_BYTES) / 4;
      this.words[at] = low;
      this.words[at + 1] = high;
    }
  }

  /** Writes an int32 to a 4-byte aligned address. */
  writeHalfWord(address: number, value: number): void {
    const start = this.writable(Math.floor(address / FRAME_BYTES));
    if (start >= 0) {
      this.words[start + (address % FRAME_BYTES) / 4] = value;
    }
  }

  /** Writes 64-bit words (modulo 2^64), one after the other, from an 8-byte aligned address on. */
  writeWords(address: number, words: readonly bigint[]): void {
    let done = 0;
    while (done < words.length) {
      const place = address + done * 8;
      const inFrame = (place % FRAME_BYTES) / 8;
      const end = Math.min(words.length, done + FRAME_BYTES / 8 - inFrame);
      const start = this.writable(Math.floor(place / FRAME_BYTES));
      if (start >= 0) {
        const to = start / 2 + inFrame - done;
        for (let n = done; n < end; n++) {
          this.longs[to + n] = words[n]!;
        }
      }
      done = end;
    }
  }

  /** Writes the same 64-bit word (modulo 2^64) `count` times, from an 8-byte aligned address on. */
  fillWords(address: number, word: bigint, count: number): void {
    let done = 0;
    while (done < count) {
      const place = address + done * 8;
      const inFrame = (place % FRAME_BYTES) / 8;
      const length = Math.min(count - done, FRAME_BYTES / 8 - inFrame);
      const start = this.writable(Math.floor(place / FRAME_BYTES));
      if (start >= 0) {
        const to = start / 2 + inFrame;
        this.longs.fill(word, to, to + length);
      }
      done += length;
    }
  }

  /**
   * Index in `words` of a frame that is about to be written, or -1 for a hole.
   *
   * @param frame byte address / 4096
   */
  private writable(frame: number): number {
    const start = this.frames[frame] ?? -1;
    if (start < 0) {
      return -1;
    }
    if (start === 0) {
      this.lazy.push(frame);
      const fresh = this.allocate();
      this.frames[frame] = fresh;
      return fresh;
    }
    const n = frame - this.imageFirst;
    if (n >= 0 && n < this.imageFrames && this.imageMarks[n] === 0) {
      this.imageMarks[n] = 1;
      this.imageDirty.push(n);
    }
    return start;
  }

  /** Whether frames that follow one another in memory do so in `words`, too. */
  private adjoin(first: number, last: number): boolean {
    for (let frame = first; frame < last; frame++) {
      if (this.frames[frame + 1] !== this.frames[frame]! + FRAME_WORDS) {
        return false;
      }
    }
    return true;
  }

  private allocate(): number {
    const start = this.used << (FRAME_SHIFT - 2);
    this.used++;
    if (this.used * FRAME_WORDS > this.words.length) {
      const grown = new Int32Array(this.words.length * 2);
      grown.set(this.words);
      this.words = grown;
      this.bytes = new Uint8Array(grown.buffer);
      this.longs = new BigUint64Array(grown.buffer);
    } else {
      this.words.fill(0, start, start + FRAME_WORDS);
    }
    return start;
  }
}
