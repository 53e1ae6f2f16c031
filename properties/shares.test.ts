import { describe, expect, test } from 'vitest';
import { shapeOf } from '../src/engine/index.js';
import { runCase } from '../src/harness/case.js';
import { caseSeed, draw } from '../src/harness/seeds.js';
import { driveHypervisor } from '../src/hypervisor/drive.js';
import { judge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { engineProfile } from '../src/targets/engine-profile.js';
import { properties } from './index.js';

/** Cases: more where a share is small. */
function casesFor(minimums: readonly number[]): number {
  return Math.min(...minimums) < 0.02 ? 200 : 60;
}

// What the cases come to on the engine: the shares that a campaign will ask for, with room to spare.
describe.each(['48-1g', '57-2m'] as const)('on the engine, shape %s', (shape) => {
  const applicable = properties.filter(
    ({ notApplicable }) => notApplicable?.(engineProfile(shapeOf(shape))) === undefined,
  );
  test.each(applicable)('$id reaches its shares and is decided', async (property) => {
    const target = createEngineTarget({ shape });
    const profile = await target.describe();
    const shares = Object.entries(property.minimumShares(profile));
    const labels: Record<string, number> = {};
    let requests = 0;
    for (let index = 0; index < casesFor(shares.map(([, minimum]) => minimum)); index++) {
      const built = property.build(profile, draw(property.intents(profile), caseSeed(3, property.id, index)));
      const { history, judgement } = await runCase(target, built.scenario, { judge, profile, drive: driveHypervisor });
      expect(judgement.undecided).toEqual([]);
      requests += history.steps.filter(({ operation: { op } }) => op === 'dma' || op === 'signal').length;
      for (const counts of [judgement.labels, built.labels]) {
        for (const [label, count] of Object.entries(counts)) labels[label] = (labels[label] ?? 0) + count;
      }
    }
    // Only a property without requests can go without shares.
    expect(shares.length > 0).toBe(requests > 0);
    if (requests === 0) return;
    const low = shares.filter(([label, minimum]) => (labels[label] ?? 0) / requests < 1.3 * minimum);
    expect(low).toEqual([]);
    expect((labels['made:withheld'] ?? 0) / requests).toBeLessThan(0.02);
  });
});
