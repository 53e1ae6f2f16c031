import { caseSeed } from './seeds.js';

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/**
 * The order in which a sweep of `size` is gone through: every index once, in strides of about the golden ratio, so that
 * a sweep cut short by time has been everywhere; where it starts depends on the seed, so that other runs see the rest.
 */
export function sweepOrder(size: number, seed: number, property: string): (position: number) => number {
  let stride = Math.max(1, Math.round(size * 0.618));
  while (commonDivisor(size, stride) !== 1) stride += 1;
  const start = (caseSeed(seed, property, -1) >>> 0) % Math.max(1, size);
  return (position) => (start + position * stride) % size;
}

/** One of several that share time. */
export interface Sharer {
  /** Milliseconds spent so far. */
  spent: number;
  /** Its share, against the others'. */
  weight(): number;
}

/** Whose turn it is: who has had least, measured against its share. The first one wins a tie. */
export function nextTurn<T extends Sharer>(sharers: readonly T[]): T | undefined {
  let best: T | undefined;
  for (const sharer of sharers) {
    if (best === undefined || sharer.spent / sharer.weight() < best.spent / best.weight()) best = sharer;
  }
  return best;
}
