import fc, { type Arbitrary } from 'fast-check';

/** Murmur3's finaliser: spreads every input bit over all 32. */
function finalise(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) | 0;
}

/**
 * The seed of one case, 32 bits signed: FNV-1a over "seed:property:index", finalised. A case's seed
 * depends on nothing else, so the same cases come out on any number of workers. Never to be changed:
 * stored cases tell where they came from by it.
 */
export function caseSeed(seed: number, property: string, index: number): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(`${seed}:${property}:${index}`)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return finalise(hash);
}

/** How fast-check draws one value, and how it draws the same one again to shrink it. */
export interface DrawParameters {
  readonly seed: number;
  readonly numRuns: 1;
  readonly unbiased: boolean;
}

/**
 * fast-check leans most towards small values and bounds in the first run, and each of our cases is a
 * first run: so every other seed is drawn without that bias.
 */
export function drawParameters(seed: number): DrawParameters {
  return { seed, numRuns: 1, unbiased: (seed & 1) === 1 };
}

/** Draws the value of one case. */
export function draw<T>(arbitrary: Arbitrary<T>, seed: number): T {
  const [value] = fc.sample(arbitrary, drawParameters(seed));
  return value as T;
}
