import type { ArenaMemory } from './memory.js';

/** Entries that were broken on purpose, with what they held before. */
export class Breakage {
  readonly #memory: ArenaMemory;
  /** What stood in a word before it was broken. */
  readonly #good = new Map<number, bigint>();
  /** Words at which a pair begins: a root or context entry, which is always stored whole. */
  readonly #pairs = new Set<number>();

  constructor(memory: ArenaMemory) {
    this.#memory = memory;
  }

  #remember(word: number): void {
    if (!this.#good.has(word)) this.#good.set(word, this.#memory.read(word));
  }

  /** Breaks one paging entry. */
  breakEntry(word: number, value: bigint): void {
    this.#remember(word);
    this.#memory.set(word, value);
  }

  /** Breaks a root or context entry. */
  breakPair(word: number, low: bigint, high: bigint): void {
    this.#remember(word);
    this.#remember(word + 1);
    this.#pairs.add(word);
    this.#memory.setPair(word, low, high);
  }

  /** What is stored in a word from now on is meant to stay. */
  forget(word: number): void {
    this.#good.delete(word);
  }

  /** The same for a root or context entry. */
  forgetPair(word: number): void {
    this.#good.delete(word);
    this.#good.delete(word + 1);
    this.#pairs.delete(word);
  }

  /** Puts back everything that was broken. */
  repair(): void {
    for (const [word, good] of this.#good) {
      if (this.#pairs.has(word)) this.#memory.setPair(word, good, this.#good.get(word + 1)!);
      else if (!this.#pairs.has(word - 1)) this.#memory.set(word, good);
    }
    this.#good.clear();
    this.#pairs.clear();
    this.#memory.confused = false;
  }
}
