import { afterEach, expect, test, vi } from 'vitest';
import type { History } from '../spec/interface/scenario.js';
import { CacheInvalidation } from '../src/engine/cache-invalidation.js';
import { CaseMaker } from '../src/harness/origin.js';
import type { Built, Property, Violation } from '../src/harness/property.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { frameReuse, leak } from './frame-reuse.js';
import { changedByWarmth, warmCold } from './warm-cold.js';

const target = createEngineTarget({ shape: '48-1g' });

afterEach(() => {
  vi.restoreAllMocks();
});

/** Histories of the first cases, with what was built. */
async function histories<I>(property: Property<I>, count: number): Promise<{ history: History; built: Built }[]> {
  const profile = await target.describe();
  const maker = new CaseMaker(property as Property, profile);
  const all: { history: History; built: Built }[] = [];
  for (let index = 0; index < count; index++) {
    const built = maker.make({ kind: 'random', property: property.id, seed: 5, index });
    if (built.scenario.level !== 'operations') throw new Error('not operations');
    const { operations, start } = built.scenario;
    await target.begin(start);
    const { observations } = await target.run(operations);
    const steps = operations.map((operation, at) => ({ operation, observation: observations[at]! }));
    all.push({ history: { profile, start, steps }, built });
  }
  return all;
}

function leaks(all: readonly { history: History; built: Built }[]): Violation[] {
  return all.flatMap(({ history, built }) => leak(history, built.expectation as Parameters<typeof leak>[1]) ?? []);
}

test('a frame that was given away leaks only where translations are never dropped', async () => {
  expect(leaks(await histories(frameReuse, 30))).toEqual([]);
  vi.spyOn(CacheInvalidation.prototype, 'dropLeaves').mockImplementation(() => undefined);
  const found = leaks(await histories(frameReuse, 30)).map(({ discriminator }) => discriminator);
  expect(new Set(found)).toContain('frame of another domain: out of reach→read');
  expect(new Set(found)).toContain('frame of another domain: out of reach→written');
});

test('a request that ends otherwise on warm caches is noticed', async () => {
  const all = await histories(warmCold, 10);
  let noticed = 0;
  for (const { history, built } of all) {
    const pairs = built.expectation as Parameters<typeof changedByWarmth>[1];
    expect(changedByWarmth(history, pairs)).toBeUndefined();
    const [pair] = pairs;
    const step = pair === undefined ? undefined : history.steps[pair.warm];
    if (pair === undefined || step?.observation.of !== 'dma') continue;
    const status = step.observation.status === 'ok' ? ('unsupported-request' as const) : ('ok' as const);
    const steps = history.steps.with(pair.warm, { ...step, observation: { ...step.observation, status } });
    expect(changedByWarmth({ ...history, steps }, pairs)).toMatchObject({ at: pair.warm });
    noticed++;
  }
  expect(noticed).toBeGreaterThan(5);
});
