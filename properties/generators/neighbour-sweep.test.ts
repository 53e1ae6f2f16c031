import { describe, expect, test } from 'vitest';
import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import { runCase } from '../../src/harness/case.js';
import { createJudge } from '../../src/judge/index.js';
import { createEngineTarget } from '../../src/targets/engine.js';
import { platformOf } from './capabilities.js';
import { buildNeighbours, type NeighbourPoint, neighbourPoints } from './neighbour-sweep.js';

const judge = createJudge();

function operationsOf(profile: Profile, point: NeighbourPoint): readonly Operation[] {
  const { scenario } = buildNeighbours(profile, point);
  if (scenario.level !== 'operations') throw new Error('not operations');
  return scenario.operations;
}

describe.each(['39-2m', '48-4k', '57-4k', '57-1g'])('neighbours on %s', (shape) => {
  const target = createEngineTarget({ shape });

  test('both pages are read before the change and after it, and a third; the unit is right', async () => {
    const profile = await target.describe();
    const points = neighbourPoints(platformOf(profile));
    expect(points.length).toBeGreaterThanOrEqual(8);
    for (const point of points) {
      const reads = operationsOf(profile, point).filter(({ op }) => op === 'dma');
      expect(reads.length).toBe(5);
      const [other, own] = reads.map((each) => (each.op === 'dma' ? each.address : 0n));
      expect(other! ^ own!).toBe(point.apart);
      const { judgement, finding } = await runCase(target, buildNeighbours(profile, point).scenario, { judge });
      expect([point, finding]).toEqual([point, undefined]);
      expect(judgement.verdict).toBe('conformant');
    }
  });
});

test('there are none where nothing is invalidated by page', async () => {
  const profile = await createEngineTarget({ shape: '48-2m' }).describe();
  expect(neighbourPoints(platformOf(profile))).toEqual([]);
});
