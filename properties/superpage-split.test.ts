import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { History } from '../spec/interface/scenario.js';
import { shapeOf } from '../src/engine/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { engineProfile } from '../src/targets/engine-profile.js';
import { changedBySplit, type Pair, superpageSplit } from './superpage-split.js';

describe('superpage-split', () => {
  test('does not apply where there are no superpages', () => {
    expect(superpageSplit.notApplicable?.(engineProfile(shapeOf('48-4k')))).toContain('SSLPS');
    expect(superpageSplit.notApplicable?.(engineProfile(shapeOf('48-2m')))).toBeUndefined();
  });

  test.each(['39-2m', '57-1g'] as const)(
    'reads of the engine agree (%s), and one changed byte is told',
    async (shape) => {
      const target = createEngineTarget({ shape });
      const profile = await target.describe();
      for (const intents of fc.sample(superpageSplit.intents(profile), { seed: 2, numRuns: 40 })) {
        const { scenario, expectation } = superpageSplit.build(profile, intents);
        if (scenario.level !== 'operations') throw new Error('not operations');
        const pairs = expectation as readonly Pair[];
        expect(pairs.length).toBeGreaterThan(0);
        const { operations, start } = scenario;
        await target.begin(start);
        const { observations } = await target.run(operations);
        const steps = operations.map((operation, at) => ({ operation, observation: observations[at]! }));
        const history: History = { profile, start, steps };
        expect(changedBySplit(history, pairs)).toBeUndefined();
        const { before, after } = pairs.at(-1)!;
        expect(operations[before]).toMatchObject({ op: 'dma', direction: 'read' });
        const observation = observations[after]!;
        if (observation.of !== 'dma' || observation.data === undefined) throw new Error('no data');
        expect(observation.status).toBe('ok');
        const data = observation.data.map((byte, n) => (n === 0 ? byte ^ 1 : byte));
        const changed = steps.map((step, at) =>
          at === after ? { ...step, observation: { ...observation, data } } : step,
        );
        expect(changedBySplit({ ...history, steps: changed }, pairs)).toMatchObject({
          at: after,
          clause: 'VTD-SS-024',
        });
      }
    },
  );
});
