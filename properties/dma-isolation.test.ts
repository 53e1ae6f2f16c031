import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { History } from '../spec/interface/scenario.js';
import { FRAME_BYTES, paintWord, tokenBytes } from '../spec/layout/tokens.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { dmaIsolation, intrusion } from './dma-isolation.js';
import { FRAME, platformOf } from './generators/capabilities.js';
import { Stage } from './generators/stage.js';
import { Versions } from './generators/versions.js';

const target = createEngineTarget({ shape: '48-1g' });

async function run(start: 'reset' | 'ready', operations: History['steps'][number]['operation'][]): Promise<History> {
  await target.begin(start);
  const { observations } = await target.run(operations);
  await target.finish();
  const profile = await target.describe();
  return { profile, start, steps: operations.map((operation, at) => ({ operation, observation: observations[at]! })) };
}

/** One 4 KiB page mapped for the first requester, one written token in it. */
async function written(): Promise<{ history: History; own: number; foreign: number }> {
  const profile = await target.describe();
  const stage = new Stage(platformOf(profile), [{ edge: 1, share: 0, indices: [3, 4, 5, 6, 7] }], 0);
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  const domain = plan.addDomain(plan.platform.widths[0]!, 5n)!;
  const own = plan.memory.takeData();
  const foreign = plan.memory.takeData();
  const mapping = plan.map(domain, stage.slotAddress(domain, 0, 1), 1, 3n, plan.memory.frameAddress(own))!;
  plan.attach(plan.seat(0), { domain: 0, faultDisable: false });
  stage.latchRoot(plan.rootAddress);
  stage.send(plan.seat(0), { address: mapping.iova + 0x40n, bytes: 16, write: true });
  stage.finish();
  return { history: await run('ready', script.operations), own, foreign };
}

/** The same history, but its last load shows other bytes at an offset of a frame. */
function tampered(history: History, frame: number, offset: number, bytes: Uint8Array): History {
  const last = history.steps.at(-1)!;
  if (last.observation.of !== 'load' || last.observation.data === undefined) throw new Error('no load');
  const data = last.observation.data.slice();
  data.set(bytes, frame * FRAME_BYTES + offset);
  const step = { operation: last.operation, observation: { ...last.observation, data } };
  return { ...history, steps: [...history.steps.slice(0, -1), step] };
}

describe('dmaIsolation', () => {
  let history: History;
  let own: number;
  let foreign: number;
  beforeAll(async () => {
    ({ history, own, foreign } = await written());
  });

  test('a token in the own frame is no intrusion', () => {
    expect(intrusion(history)).toBeUndefined();
    expect(intrusion(tampered(history, own, 0x40, tokenBytes(0, 0, 8)))).toBeUndefined();
  });

  test('a token in a frame that no table maps is one', () => {
    const violation = intrusion(tampered(history, foreign, 0x40, tokenBytes(0, 0, 16)));
    expect(violation).toMatchObject({ clause: 'VTD-FLT-001', discriminator: 'frame reached that no table maps' });
    const address = history.profile.arena.base + BigInt(foreign) * FRAME;
    expect(violation?.expected).toContain(`0x${address.toString(16)}`);
    expect(violation?.observed).toContain('token 0 of edu0');
  });

  test('a token in a table is one', () => {
    const violation = intrusion(tampered(history, 3, 0x40, tokenBytes(0, 0, 16)));
    expect(violation?.discriminator).toBe('frame reached that no table maps');
  });

  test('a changed byte that is of no token is one, wherever it lies', () => {
    for (const [frame, offset] of [
      [own, 0x40],
      [foreign, 0xfff],
      [0, 0],
    ] as const) {
      const violation = intrusion(tampered(history, frame, offset, Uint8Array.of(0x77)));
      expect(violation?.discriminator).toBe('memory changed by nobody');
    }
  });

  test('the bytes of a token at another offset are of nobody', () => {
    const violation = intrusion(tampered(history, own, 0x100, tokenBytes(0, 0, 16)));
    expect(violation?.discriminator).toBe('memory changed by nobody');
  });

  test('bytes of a token beyond the length of its write are of nobody', () => {
    const violation = intrusion(tampered(history, own, 0x40, tokenBytes(0, 0, 24)));
    expect(violation?.expected).toContain('byte 80 of');
    expect(violation?.discriminator).toBe('memory changed by nobody');
  });

  test('random cases on the engine show none', async () => {
    const profile = await target.describe();
    const drawn = fc.sample(dmaIsolation.intents(profile), { seed: 4, numRuns: 60 });
    for (const intents of drawn) {
      const { scenario } = dmaIsolation.build(profile, intents);
      if (scenario.level !== 'operations') throw new Error('not operations');
      expect(intrusion(await run(scenario.start, [...scenario.operations]))).toBeUndefined();
    }
  });

  test('most random cases leave frames that some writer must not reach', async () => {
    const profile = await target.describe();
    let caught = 0;
    const drawn = fc.sample(dmaIsolation.intents(profile), { seed: 9, numRuns: 40 });
    for (const intents of drawn) {
      const { scenario } = dmaIsolation.build(profile, intents);
      if (scenario.level !== 'operations') throw new Error('not operations');
      const real = await run(scenario.start, [...scenario.operations]);
      const write = scenario.operations.find(
        ({ op, ...rest }) => op === 'dma' && 'direction' in rest && rest.direction === 'write',
      );
      if (write?.op !== 'dma') continue;
      const position = profile.requesters.findIndex(({ id }) => id === write.requester);
      const lastFrame = profile.arena.bytes / FRAME_BYTES - 1;
      const offset = Number(write.address & 0xfffn);
      const bytes = tokenBytes(position, write.token, Math.min(write.bytes, FRAME_BYTES - offset));
      if (intrusion(tampered(real, lastFrame, offset, bytes)) !== undefined) caught++;
    }
    expect(caught).toBeGreaterThan(20);
  });
});

test('versions paint frames as the layout says', async () => {
  const profile = await target.describe();
  for (const base of [profile.arena.base, 0x12_3456_7000n]) {
    const versions = new Versions({ ...profile, arena: { ...profile.arena, base } });
    for (const frame of [0, 5, 95]) {
      const words = versions.words(frame);
      for (const at of [0, 1, 511]) {
        const painted = paintWord(base + BigInt(frame * FRAME_BYTES + 8 * at));
        expect((BigInt(words[2 * at + 1]!) << 32n) | BigInt(words[2 * at]!)).toBe(painted);
      }
    }
  }
});
