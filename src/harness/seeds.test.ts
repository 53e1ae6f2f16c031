import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sweepOrder } from './schedule.js';
import { caseSeed, draw, drawParameters } from './seeds.js';

const arbitrary = fc.array(fc.record({ a: fc.bigInt({ min: 0n, max: 1n << 64n }), b: fc.integer() }), {
  size: 'max',
  maxLength: 30,
});

describe('caseSeed', () => {
  it('gives the same seeds for ever', () => {
    expect([caseSeed(1, 'translation', 0), caseSeed(1, 'translation', 1), caseSeed(-7, 'x', 4_000_000)]).toEqual([
      1296696510, 271669909, -52171017,
    ]);
  });

  it('depends on seed, property and index, without collisions to speak of', () => {
    const seeds = new Set<number>();
    for (const seed of [0, 1]) {
      for (const property of ['a', 'b']) for (let n = 0; n < 2500; n += 1) seeds.add(caseSeed(seed, property, n));
    }
    expect(seeds.size).toBeGreaterThan(9990);
  });
});

describe('draw', () => {
  it('leans towards small values every other time', () => {
    expect([1, 2, -3, -4].map((seed) => drawParameters(seed).unbiased)).toEqual([true, false, true, false]);
  });

  it('draws what fast-check begins to shrink from', async () => {
    for (let n = 0; n < 50; n += 1) {
      const seed = caseSeed(3, 'draw', n);
      let first: unknown;
      const property = fc.asyncProperty(arbitrary, (value) => {
        first ??= value;
        return Promise.resolve(true);
      });
      await fc.check(property, drawParameters(seed));
      expect(first).toEqual(draw(arbitrary, seed));
    }
  });
});

describe('sweepOrder', () => {
  it('visits every index once, from a start that the seed chooses', () => {
    for (const size of [1, 2, 7, 100, 1024]) {
      const order = sweepOrder({ size }, 5, 'p');
      expect(new Set(Array.from({ length: size }, (_, n) => order(n))).size).toBe(size);
    }
    expect(sweepOrder({ size: 1024 }, 5, 'p')(0)).not.toBe(sweepOrder({ size: 1024 }, 6, 'p')(0));
  });

  it('begins with those that come first, if there are such', () => {
    for (const first of [1, 7, 20]) {
      const order = sweepOrder({ size: 20, first }, 5, 'p');
      const visited = Array.from({ length: 20 }, (_, n) => order(n));
      expect(new Set(visited).size).toBe(20);
      expect(Math.max(...visited.slice(0, first))).toBe(first - 1);
    }
  });
});
