import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { properties } from '../../properties/index.js';
import { isShapeName } from '../engine/index.js';
import { AnchorLost, type Defect, plantedSource } from './defect.js';
import { encodeBugs } from './encode.js';
import type { DefectResult } from './hunters.js';
import { DEFECTS } from './list.js';
import type { Found, Outcome } from './outcome.js';
import { lineOf, survivors, totalOf } from './summary.js';
import { transpiled } from './transpile.js';

describe('every defect', () => {
  test.each(DEFECTS)('$id is planted where its anchor stands, once, and is still TypeScript', (defect) => {
    const source = readFileSync(defect.file, 'utf8');
    const planted = plantedSource(source, defect);
    expect(transpiled(planted, defect.file)).not.toBe(transpiled(source, defect.file));
  });

  it('has a name of its own, a place where it shipped, and shapes that exist', () => {
    expect(new Set(DEFECTS.map(({ id }) => id)).size).toBe(DEFECTS.length);
    expect(DEFECTS.length).toBeGreaterThanOrEqual(30);
    const known = properties.map((property) => property.id);
    for (const { id, shapes, shipped, plants, properties: named = [] } of DEFECTS) {
      expect(named.filter((name) => !known.includes(name))).toEqual([]);
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(shapes.length).toBeGreaterThan(0);
      expect(shapes.filter((shape) => !isShapeName(shape))).toEqual([]);
      expect(shipped.row).toBeGreaterThan(0);
      expect([shipped.what, plants].filter((text) => text.length < 8)).toEqual([]);
      expect(shipped.link).not.toBe('');
    }
  });
});

const [SAMPLE] = DEFECTS as readonly [Defect];

describe('an anchor', () => {
  it('that is gone, or there twice, is an error that names the defect', () => {
    expect(() => plantedSource('nothing of the kind', SAMPLE)).toThrow(AnchorLost);
    const twice = `${SAMPLE.anchor}\n${SAMPLE.anchor}`;
    expect(() => plantedSource(twice, SAMPLE)).toThrow(/table-reserved-unchecked: its anchor occurs 2 times in src/);
  });

  it('is replaced as it stands, whatever the replacement looks like', () => {
    expect(plantedSource('a anchor b', { ...SAMPLE, anchor: 'anchor', replacement: '$& $1' })).toBe('a $& $1 b');
  });
});

const FOUND: Found = {
  property: 'translation',
  origin: 'random 0',
  clause: 'C-1',
  kind: 'value-differs',
  discriminator: 'field',
  expected: '0',
  observed: '1',
  operations: 9,
};

function outcome(seed: number, more: Partial<Outcome> = {}): Outcome {
  return { defect: SAMPLE.id, seed, shape: '48-1g', cases: 10 * seed, seconds: seed, aside: 0, ...more };
}

describe('what became of a defect', () => {
  const result: DefectResult = {
    defect: SAMPLE,
    outcomes: [
      outcome(1, { found: FOUND }),
      outcome(2, { found: { ...FOUND, property: 'isolation' } }),
      outcome(3, { found: FOUND }),
      outcome(4),
    ],
    shrunk: { seed: 1, from: 9, to: 4, seconds: 1 },
  };

  it('is summed up with what found it most often, and medians', () => {
    const { id, area, shipped } = SAMPLE;
    const found = { runs: 4, found: 3, property: 'translation', clause: 'C-1', cases: 20, seconds: 2, operations: 4 };
    expect(lineOf(result)).toEqual({ id, area, row: shipped.row, ...found });
    expect(lineOf({ defect: SAMPLE, outcomes: [outcome(1)] })).toMatchObject({ found: 0, property: '', clause: '' });
    expect(totalOf([result])).toEqual({ runs: 4, found: 3, share: 0.75 });
    expect(totalOf([])).toEqual({ runs: 0, found: 0, share: 0 });
    expect(survivors([result])).toEqual([outcome(4)]);
  });

  it('is written down with every run', () => {
    const text = encodeBugs({ seed: 1, cases: 100, seconds: 2, interrupted: false, results: [result] });
    expect(JSON.parse(text)).toMatchObject({
      format: 'iovcheck-bugs',
      seed: 1,
      total: { runs: 4, found: 3 },
      defects: [{ id: SAMPLE.id, shipped: SAMPLE.shipped, found: 3, outcomes: [{ seed: 1 }, {}, {}, {}] }],
    });
  });
});
