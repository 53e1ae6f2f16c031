import type { Chance } from './chance.js';
import type { Pace } from './pace.js';

/** Most moments in a row in which nothing is done although there is work. */
const LONGEST_REST = 8;

/**
 * Does work later, in the order given: at each moment that passes some of it, or none. No more than
 * {@link LONGEST_REST} moments pass without progress, so every piece gets done in the end.
 */
export class ChaosPace implements Pace {
  private readonly chance: Chance;
  private readonly waiting: (() => void)[] = [];
  private rested = 0;
  private busy = false;

  constructor(chance: Chance) {
    this.chance = chance;
  }

  later(work: () => void): void {
    this.waiting.push(work);
    if (this.chance.once(3)) {
      this.elapse();
    }
  }

  /** Forgets the work that is left. */
  abandon(): void {
    this.waiting.length = 0;
    this.rested = 0;
  }

  finish(): void {
    this.work(Number.POSITIVE_INFINITY);
  }

  batch(): number {
    return 1 + this.chance.below(4);
  }

  /** A moment passes. */
  elapse(): void {
    if (this.waiting.length === 0 || this.busy) {
      return;
    }
    if (this.rested < LONGEST_REST && !this.chance.once(4)) {
      this.rested++;
      return;
    }
    this.rested = 0;
    this.work(1 + this.chance.below(3));
  }

  /** Does up to `most` pieces. Work that is under way already goes on where it is. */
  private work(most: number): void {
    if (this.busy) {
      return;
    }
    this.busy = true;
    try {
      for (let n = 0; n < most; n++) {
        const next = this.waiting.shift();
        if (next === undefined) {
          return;
        }
        next();
      }
    } finally {
      this.busy = false;
    }
  }
}
