import type { Sweep } from './property.js';
import { caseSeed } from './seeds.js';

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** How much more time a property gets while one of its clauses is not exercised yet. */
const UNEXERCISED_WEIGHT = 4;

/** A property's share of the time: more while a clause of its that the target has did not decide anything yet. */
export function weightOf(
  clauses: readonly string[],
  wanted: ReadonlySet<string>,
  exercised: ReadonlyMap<string, number>,
): number {
  return clauses.some((clause) => wanted.has(clause) && !exercised.has(clause)) ? UNEXERCISED_WEIGHT : 1;
}

/**
 * The order in which a sweep is gone through: every index once, those that come first before the others.
 */
export function sweepOrder(
  { size, first = 0 }: Pick<Sweep, 'size' | 'first'>,
  seed: number,
  property: string,
): (position: number) => number {
  const early = strided(first, seed, property);
  const late = strided(size - first, seed, property);
  return (position) => (position < first ? early(position) : first + late(position - first));
}

/**
 * Every index below `size` once, in strides of about the golden ratio, so that a sweep cut short by time has been
 * everywhere; where it starts depends on the seed, so that other runs see the rest.
 */
function strided(size: number, seed: number, property: string): (position: number) => number {
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
