import type { Profile } from '../../spec/interface/profile.js';
import type { Step } from '../../spec/interface/scenario.js';
import { FRAME_BYTES } from '../../spec/layout/tokens.js';
import { FRAME_WORDS } from './memory.js';

const WORD_BYTES = 8n;

/**
 * Every value that software ever stored in a word of the arena, and what it
 * holds now when DMA left it alone. Stores outside the arena are not followed.
 */
export class Versions {
  readonly base: bigint;
  readonly frames: number;
  /** Values by frame and by word inside the frame; zero and the first paint are left out. */
  readonly #values = new Map<number, Map<number, bigint[]>>();
  /** What the frames hold that software stored in, as 32-bit words; the others hold their paint. */
  readonly #content: (Uint32Array | undefined)[] = [];

  constructor(profile: Profile) {
    this.base = profile.arena.base;
    this.frames = Math.floor(profile.arena.bytes / FRAME_BYTES);
  }

  /** 32-bit words of a frame that software stored in, or `undefined` when it still holds its paint. */
  content(frame: number): Uint32Array | undefined {
    return this.#content[frame];
  }

  /** Paint of the word that starts a frame, as two 32-bit halves; the lower one grows by 100h from word to word. */
  paint(frame: number): readonly [low: number, high: number] {
    const line = Number(this.base >> 3n) + frame * (FRAME_BYTES / 8);
    return [((line << 8) | 0x5a) >>> 0, (0xa500_0000 | (Math.floor(line / 0x100_0000) & 0xff_ffff)) >>> 0];
  }

  /** What software left in a frame, as 32-bit words; a copy when that is still paint. */
  words(frame: number): Uint32Array {
    const known = this.#content[frame];
    if (known !== undefined) return known;
    const words = new Uint32Array(FRAME_BYTES / 4);
    const [low, high] = this.paint(frame);
    for (let at = 0; at < words.length; at += 2) {
      words[at] = low + 128 * at;
      words[at + 1] = high;
    }
    return words;
  }

  #writable(frame: number): Uint32Array {
    const words = this.words(frame);
    this.#content[frame] = words;
    return words;
  }

  /** Takes over what a step stored. */
  follow({ operation }: Step): void {
    if (operation.op !== 'store') return;
    const { words, repeat = 1 } = operation;
    const first = Number((operation.address - this.base) / WORD_BYTES);
    if (words.length === 1 && words[0] === 0n) this.#zero(first, first + repeat);
    else for (let n = 0; n < words.length * repeat; n++) this.#put(first + n, words[n % words.length]!);
  }

  #zero(from: number, to: number): void {
    const end = Math.min(to, this.frames * FRAME_WORDS);
    for (let word = Math.max(0, from); word < end; ) {
      const frame = Math.floor(word / FRAME_WORDS);
      const next = Math.min(end, (frame + 1) * FRAME_WORDS);
      const whole = next - word === FRAME_WORDS;
      if (whole) this.#content[frame] = new Uint32Array(FRAME_BYTES / 4);
      else this.#writable(frame).fill(0, 2 * (word % FRAME_WORDS), 2 * (word % FRAME_WORDS) + 2 * (next - word));
      word = next;
    }
  }

  #put(word: number, value: bigint): void {
    if (word < 0 || word >= this.frames * FRAME_WORDS) return;
    const frame = Math.floor(word / FRAME_WORDS);
    const content = this.#writable(frame);
    content[2 * (word % FRAME_WORDS)] = Number(value & 0xffff_ffffn);
    content[2 * (word % FRAME_WORDS) + 1] = Number((value >> 32n) & 0xffff_ffffn);
    let values = this.#values.get(frame);
    if (values === undefined) {
      values = new Map();
      this.#values.set(frame, values);
    }
    const known = values.get(word & 511);
    if (known === undefined) values.set(word & 511, [value]);
    else if (!known.includes(value)) known.push(value);
  }

  /** Values other than zero and paint that the words of a frame had. */
  of(frame: number): ReadonlyMap<number, readonly bigint[]> {
    return this.#values.get(frame) ?? new Map();
  }
}
