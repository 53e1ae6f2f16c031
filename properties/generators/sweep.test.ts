import { describe, expect, test } from 'vitest';
import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import { SHAPE_NAMES, shapeOf } from '../../src/engine/index.js';
import { engineProfile } from '../../src/targets/engine-profile.js';
import { platformOf } from './capabilities.js';
import { buildPoint, type SweepPoint, sweepPoints } from './sweep.js';

/** Words of the tables as stored before the root is latched. */
function tables(operations: readonly Operation[]): ReadonlyMap<bigint, bigint> {
  const words = new Map<bigint, bigint>();
  for (const operation of operations) {
    if (operation.op === 'regWrite') break;
    if (operation.op !== 'store' || operation.repeat !== undefined) continue;
    for (const [n, word] of operation.words.entries()) words.set(operation.address + BigInt(8 * n), word);
  }
  return words;
}

function operationsOf(profile: Profile, point: SweepPoint, index: number): readonly Operation[] {
  const { scenario } = buildPoint(profile, point, index);
  return scenario.level === 'operations' ? scenario.operations : [];
}

/** Bits in which two images of the tables differ, by address. */
function difference(a: ReadonlyMap<bigint, bigint>, b: ReadonlyMap<bigint, bigint>): [address: bigint, bits: bigint][] {
  const found: [bigint, bigint][] = [];
  for (const address of new Set([...a.keys(), ...b.keys()])) {
    const bits = (a.get(address) ?? 0n) ^ (b.get(address) ?? 0n);
    if (bits !== 0n) found.push([address, bits]);
  }
  return found;
}

function groups(profile: Profile): Map<string, SweepPoint[]> {
  const points = sweepPoints(platformOf(profile));
  const found = new Map<string, SweepPoint[]>();
  for (let index = 0; index < points.size; index++) {
    const point = points.at(index);
    if (point.change.kind !== 'bit') continue;
    const key = `${point.width.levels} ${point.leaf} ${point.where} ${point.present}`;
    found.set(key, [...(found.get(key) ?? []), point]);
  }
  return found;
}

describe.each(SHAPE_NAMES)('the sweep for the shape %s', (name) => {
  const profile = engineProfile(shapeOf(name));
  const platform = platformOf(profile);

  test('has every bit of every entry type once', () => {
    const found = groups(profile);
    const paging = platform.widths.flatMap(({ levels }) => levels - 1 + platform.leafLevels.length);
    expect(found.size).toBe(2 + 2 * paging.reduce((sum, each) => sum + each, 0));
    for (const [key, points] of found) {
      const width = key.includes('root') || key.includes('context') ? 128 : 64;
      const bits = points.map((point) => (point.change.kind === 'bit' ? point.change.bit : -1));
      expect(bits).toEqual(Array.from({ length: width }, (_, bit) => bit));
    }
  });

  test('flips exactly that bit of exactly that entry', () => {
    for (const points of groups(profile).values()) {
      const [first, second, ...rest] = points;
      // Bits 0 and 1 against each other, then every other bit against bit 0: the entry is the same.
      const zero = tables(operationsOf(profile, first!, 0));
      const [[entry, bits]] = difference(zero, tables(operationsOf(profile, second!, 0))) as [[bigint, bigint]];
      expect(bits).toBe(3n);
      for (const point of rest) {
        const bit = point.change.kind === 'bit' ? point.change.bit : -1;
        const expected: [bigint, bigint][] =
          bit < 64
            ? [[entry, 1n | (1n << BigInt(bit))]]
            : [
                [entry, 1n],
                [entry + 8n, 1n << BigInt(bit - 64)],
              ];
        expect(difference(zero, tables(operationsOf(profile, point, 0)))).toEqual(expected);
      }
    }
  });

  test('takes both rights from an entry that is not present before the flip', () => {
    const found = groups(profile);
    for (const [key, points] of found) {
      if (!key.endsWith('false')) continue;
      const bit = 5;
      const absent = tables(operationsOf(profile, points[bit]!, 0));
      const present = tables(operationsOf(profile, found.get(key.replace('false', 'true'))![bit]!, 0));
      const [[entry, bits]] = difference(absent, present) as [[bigint, bigint]];
      expect(bits).toBe(3n);
      expect(present.get(entry)! & 3n).toBe(3n);
    }
  });

  test('sends a read at least, and a write unless it could leave the arena', () => {
    const points = sweepPoints(platform);
    let withheld = 0;
    let unwritten = 0;
    for (let index = 0; index < points.size; index++) {
      const directions = operationsOf(profile, points.at(index), index).flatMap((operation) =>
        operation.op === 'dma' ? [operation.direction] : [],
      );
      if (directions.length < 2) withheld++;
      else if (!directions.includes('write')) unwritten++;
    }
    expect(withheld / points.size).toBeLessThan(0.01);
    expect(unwritten / points.size).toBeLessThan(0.2);
    expect(unwritten).toBeGreaterThan(0);
  });

  test('has every value of the context entry fields, and no point beyond its size', () => {
    const points = sweepPoints(platform);
    const values = { AW: new Set<bigint>(), TT: new Set<bigint>(), DID: new Set<bigint>() };
    for (let index = 0; index < points.size; index++) {
      const { change } = points.at(index);
      if (change.kind === 'field') values[change.field].add(change.value);
    }
    expect(values.AW.size).toBe(8);
    expect(values.TT.size).toBe(4);
    expect(values.DID).toContain((1n << BigInt(platform.domainBits)) - 1n);
    expect(() => points.at(points.size)).toThrow(`sweep point ${points.size}`);
  });
});
