import { expect, it } from 'vitest';
import { properties } from '../../../properties/index.js';
import { measureSensitivity, sensitivityOf, shareRejected } from '../../harness/index.js';
import { createJudge } from '../../judge/index.js';
import { createEngineTarget } from '../../targets/engine.js';

it('rejects nine of ten changes of an observed field, and of those that no row of the facts admits', async () => {
  const target = createEngineTarget();
  const { kinds, any, histories } = await measureSensitivity({
    target,
    profile: await target.describe(),
    properties,
    judge: createJudge(),
    seed: 3,
    cases: 2,
    mutations: 2,
  });
  expect(histories).toBeGreaterThan(20);
  for (const { kind, mutations } of kinds) expect([kind, mutations > 0]).toEqual([kind, true]);
  expect(sensitivityOf(any)).toBeGreaterThanOrEqual(0.9);
  expect(shareRejected(kinds)).toBeGreaterThanOrEqual(0.9);
  for (const kind of ['device: data from another frame', 'device: completion status', 'memory: one word'] as const) {
    expect([kind, shareRejected(kinds.filter((each) => each.kind === kind))]).toEqual([kind, 1]);
  }
});
