import { describe, expect, test } from 'vitest';
import { caseSeed, draw } from '../src/harness/seeds.js';
import { judge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { properties } from './index.js';

/** Cases: more where a share is small. */
function casesFor(minimums: readonly number[]): number {
  return Math.min(...minimums) < 0.02 ? 200 : 60;
}

// What the cases come to on the engine: the shares that a campaign will ask for, with room to spare.
describe.each(['48-1g', '57-2m'])('on the engine, shape %s', (shape) => {
  test.each(properties)('$id reaches its shares and is decided', async (property) => {
    const target = createEngineTarget({ shape });
    const profile = await target.describe();
    const shares = Object.entries(property.minimumShares(profile));
    expect(shares.length).toBeGreaterThan(0);
    const labels: Record<string, number> = {};
    let requests = 0;
    for (let index = 0; index < casesFor(shares.map(([, minimum]) => minimum)); index++) {
      const built = property.build(profile, draw(property.intents(profile), caseSeed(3, property.id, index)));
      if (built.scenario.level !== 'operations') throw new Error('not operations');
      const { operations, start } = built.scenario;
      await target.begin(start);
      const { observations } = await target.run(operations);
      const steps = operations.map((operation, at) => ({ operation, observation: observations[at]! }));
      const judgement = judge({ profile, start, steps });
      expect(judgement.undecided).toEqual([]);
      requests += operations.filter(({ op }) => op === 'dma').length;
      for (const counts of [judgement.labels, built.labels]) {
        for (const [label, count] of Object.entries(counts)) labels[label] = (labels[label] ?? 0) + count;
      }
    }
    const low = shares.filter(([label, minimum]) => (labels[label] ?? 0) / requests < 1.3 * minimum);
    expect(low).toEqual([]);
    expect((labels['made:withheld'] ?? 0) / requests).toBeLessThan(0.02);
  });
});
