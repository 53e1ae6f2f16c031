import { expect, it } from 'vitest';
import { properties } from '../../../properties/index.js';
import { measureSensitivity, sensitivityOf, shareRejected } from '../../harness/index.js';
import { createJudge } from '../../judge/index.js';
import { createEngineTarget } from '../../targets/engine.js';
import { driveSoftware } from '../software.js';

it('rejects nine of ten changes of an observed field, and of those that no row of the facts admits', async () => {
  const target = createEngineTarget();
  const { kinds, any, histories } = await measureSensitivity({
    target,
    profile: await target.describe(),
    properties,
    judge: createJudge(),
    drive: driveSoftware,
    seed: 3,
    cases: 2,
    mutations: 2,
  });
  expect(histories).toBeGreaterThan(20);
  for (const { kind, mutations } of kinds) expect([kind, mutations > 0]).toEqual([kind, true]);
  expect(sensitivityOf(any)).toBeGreaterThanOrEqual(0.9);
  expect(shareRejected(kinds)).toBeGreaterThanOrEqual(0.9);
  // A pass-through request under N16 may be refused as well, which the rows do not see.
  const least = { 'device: data from another frame': 1, 'device: completion status': 0.95, 'memory: one word': 1 };
  for (const [kind, share] of Object.entries(least)) {
    expect(shareRejected(kinds.filter((each) => each.kind === kind)), kind).toBeGreaterThanOrEqual(share);
  }
});
