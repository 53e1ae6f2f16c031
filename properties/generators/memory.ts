import { paintWord } from '../../spec/layout/tokens.js';
import { FRAME, type Platform } from './capabilities.js';
import type { Script } from './script.js';

/** 64-bit words of a frame. */
export const FRAME_WORDS = 512;

/** Most frames that become tables. */
const MOST_TABLES = 40;

/**
 * What the plan stored in the arena. Words are named by their number in the
 * arena. The first `tableFrames` frames are zeroed once, at the start, and handed out
 * as tables; the rest keep their paint and are data.
 */
export class ArenaMemory {
  /** Number of frames kept for tables. */
  readonly tableFrames: number;
  /** An entry that may have been present changed since the last flush. */
  stale = false;
  /** Some pointer leads into a table of another kind, so that any word may have been an entry. */
  confused = false;
  readonly #platform: Platform;
  readonly #words = new Map<number, bigint>();
  /** Words of tables that were filled at once, before single words changed. */
  readonly #filled = new Map<number, readonly bigint[]>();
  #pending: number[] = [];
  /** Frames written as a whole. */
  #pendingFrames: number[] = [];
  #nextTable = 0;
  #nextData: number;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.tableFrames = Math.min(platform.frames >> 1, MOST_TABLES);
    this.#nextData = this.tableFrames;
    this.stale = true;
  }

  get platform(): Platform {
    return this.#platform;
  }

  /** Host-physical address of a frame. */
  frameAddress(frame: number): bigint {
    return this.#platform.base + BigInt(frame) * FRAME;
  }

  /** Host-physical address of a word. */
  wordAddress(word: number): bigint {
    return this.#platform.base + BigInt(word) * 8n;
  }

  /** Number of the word at an address inside the arena. */
  wordAt(address: bigint): number {
    return Number((address - this.#platform.base) >> 3n);
  }

  /** A zeroed frame for a table, or `undefined` when none is left. */
  takeTable(): number | undefined {
    return this.#nextTable < this.tableFrames ? this.#nextTable++ : undefined;
  }

  /** The next data frame in turn; frames are used again when all were. */
  takeData(): number {
    const frame = this.#nextData;
    this.#nextData = frame + 1 < this.#platform.frames ? frame + 1 : this.tableFrames;
    return frame;
  }

  /** The data frame that a drawn number names. */
  dataFrame(pick: number): number {
    return this.tableFrames + (pick % (this.#platform.frames - this.tableFrames));
  }

  isTable(frame: number): boolean {
    return frame < this.tableFrames;
  }

  read(word: number): bigint {
    const stored = this.#words.get(word) ?? this.#filled.get(word >> 9)?.[word & 511];
    if (stored !== undefined) return stored;
    return word < this.tableFrames * FRAME_WORDS ? 0n : paintWord(this.wordAddress(word));
  }

  /** Changes a paging entry. */
  set(word: number, value: bigint): void {
    const old = this.read(word);
    if (old === value) return;
    if (old & 3n || this.confused || this.#platform.cachingMode) this.stale = true;
    this.#put(word, value);
  }

  /** Changes a root or context entry. */
  setPair(word: number, low: bigint, high: bigint): void {
    const old = this.read(word);
    if (old === low && this.read(word + 1) === high) return;
    if (old & 1n || this.confused || this.#platform.cachingMode) this.stale = true;
    this.#put(word, low);
    this.#put(word + 1, high);
  }

  #put(word: number, value: bigint): void {
    this.#words.set(word, value);
    this.#pending.push(word);
  }

  /** Changes words of a frame that is no table of the remapping structures, such as a queue. */
  setPlain(word: number, values: readonly bigint[]): void {
    if (this.confused) this.stale = true;
    values.forEach((value, n) => {
      this.#put(word + n, value);
    });
  }

  /** Takes over what hardware stored in a word. */
  storedByHardware(word: number, value: bigint): void {
    if (this.confused) this.stale = true;
    this.#words.set(word, value);
  }

  /** Fills a table that was just taken and that nothing points to. */
  fill(table: number, words: readonly bigint[]): void {
    this.#filled.set(table, words);
    this.#pendingFrames.push(table);
  }

  /** Zeroes the frames kept for tables. */
  zeroTables(script: Script): void {
    script.store(this.#platform.base, [0n], this.tableFrames * FRAME_WORDS);
  }

  /** Writes what changed: one store for each run of neighbouring words. */
  commit(script: Script): void {
    for (const frame of this.#pendingFrames) script.store(this.frameAddress(frame), this.#filled.get(frame)!);
    this.#pendingFrames = [];
    if (this.#pending.length === 0) return;
    const words = this.#pending.sort((a, b) => a - b);
    this.#pending = [];
    let run: bigint[] = [];
    for (let at = 0; at < words.length; at++) {
      const word = words[at]!;
      const next = words[at + 1];
      if (next === word) continue;
      run.push(this.read(word));
      if (next === word + 1) continue;
      script.store(this.wordAddress(word - run.length + 1), run);
      run = [];
    }
  }
}
