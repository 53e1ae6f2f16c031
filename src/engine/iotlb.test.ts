import { describe, expect, test } from 'vitest';
import { Chance } from './chance.js';
import { Found } from './found.js';
import { Iotlb } from './iotlb.js';

const ROUNDS = 2000;
const READ_WRITE = 3;

describe('an IOTLB', () => {
  test.each([1, 16, 256])('of %i entries finds what was put in either way, at the same place', (size) => {
    const chance = new Chance(size);
    const found = new Found();
    const iotlb = new Iotlb(size, false, found);
    for (let round = 0; round < ROUNDS; round++) {
      const [sourceId, high, low] = [chance.below(2 ** 16), chance.below(2 ** 25), chance.below(2 ** 32) | 0];
      const [outHigh, outLow] = [chance.below(2 ** 11), (chance.below(2 ** 20) << 12) | (low & 0xfff)];
      const put = round % 2 === 0 ? iotlb.fill.bind(iotlb, 1) : iotlb.fillSmall.bind(iotlb);
      put(sourceId, 7, high, low, outHigh, outLow, READ_WRITE);
      expect(iotlb.find(sourceId, high, low) & READ_WRITE).toBe(READ_WRITE);
      expect([found.high, found.low]).toEqual([outHigh, outLow]);
      // With one entry the next takes its place; what was found there is not found for anyone else.
      expect(iotlb.find(sourceId ^ 1, high, low)).toBe(0);
      expect(iotlb.find(sourceId, high, low ^ 0x1000)).toBe(0);
    }
  });
});
