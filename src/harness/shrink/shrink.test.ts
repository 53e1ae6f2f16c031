import { describe, expect, it } from 'vitest';
import type { Operation } from '../../../spec/interface/operations.js';
import { runCase } from '../case.js';
import { ARENA, built, CRASH, dma, FakeTarget, fakeJudge, fakeProperty, message, PROFILE, store } from '../fake.js';
import { identityOf } from '../identity.js';
import { CaseMaker } from '../origin.js';
import { caseSeed, draw } from '../seeds.js';
import { showing } from '../shows.js';
import { framesUsed, renameFrames } from './frames.js';
import { Budget, shrink, shrinkOperations } from './index.js';
import { shrinkIntents } from './intents.js';
import { keepOperations } from './references.js';

const budget = (attempts = 5000): Budget => new Budget(attempts, 60_000, () => 0);

/** Shrinks operations with the finding they show, and says what is left. */
async function least(...operations: readonly Operation[]): Promise<readonly Operation[]> {
  const target = new FakeTarget();
  const options = { judge: fakeJudge, profile: PROFILE };
  const case_ = built(...operations);
  const { finding } = await runCase(target, case_.scenario, options);
  const shows = showing(finding!, target, options);
  const small = await shrink({ built: case_, profile: PROFILE, operations: true, shows, budget: budget() });
  const again = await runCase(target, small.scenario, options);
  expect(identityOf(again.finding!)).toEqual(identityOf(finding!));
  return small.scenario.level === 'operations' ? small.scenario.operations : [];
}

const FRAME_9 = ARENA + 0x9000n;
const FRAME_5 = ARENA + 0x5000n;

describe('second pass', () => {
  it('leaves the marked word and the DMA, each as simple as can be', async () => {
    expect(
      await least(
        message(5n),
        store(FRAME_9, 0xff00n, 0n, 0xabcd_0000_00f2n),
        message(6n),
        dma(7, 64, 0xf00fn),
        store(FRAME_5, 1n),
      ),
    ).toEqual([store(ARENA, 2n), dma(0, 1, 0n)]);
  });

  it('keeps the identity though another finding is nearby', async () => {
    // Dropping the first DMA would show C-2 as first; clearing bit 1 as well.
    const small = await least(store(FRAME_9, 2n), dma(1), store(FRAME_9, 4n), dma(2), store(FRAME_5, 4n), dma(3));
    expect(small).toEqual([store(ARENA, 2n), dma(0, 1)]);
    const other = await least(store(FRAME_5, 0x84n), store(FRAME_9, 2n), dma(1), dma(2));
    expect(other).toEqual([store(ARENA, 4n), dma(0, 1)]);
  });

  it('moves frames down together, in addresses and in the words that point to them', async () => {
    const small = await least(store(FRAME_9 + 8n, 1n | FRAME_5), message(1n), store(FRAME_5 + 16n, 1n << 45n), dma(4));
    // Which of the two comes to lie lower is not important.
    expect([
      [store(ARENA + 0x1000n, 1n | ARENA), store(ARENA, 0n), dma(0, 1)],
      [store(ARENA, 1n | (ARENA + 0x1000n)), store(ARENA + 0x1000n, 0n), dma(0, 1)],
    ]).toContainEqual(small);
  });

  it('renames a frame in every place that names it, whatever bits stand above and below', () => {
    const names = new Map([[FRAME_9, ARENA]]);
    const high = 1n << 45n;
    const before = [store(FRAME_9 + 8n, high | FRAME_9 | 3n, FRAME_5), dma(0, 8, FRAME_9 + 4n)];
    const after = [store(ARENA + 8n, high | ARENA | 3n, FRAME_5), dma(0, 8, FRAME_9 + 4n)];
    expect(renameFrames(before, PROFILE.arena, names, false)).toEqual(after);
    expect(renameFrames(before, PROFILE.arena, names, true)[1]).toEqual(dma(0, 8, ARENA + 4n));
    expect(framesUsed(before, PROFILE.arena)).toEqual([FRAME_5, FRAME_9]);
  });

  it('does not accept an undecided candidate', async () => {
    const target = new FakeTarget();
    const options = { judge: fakeJudge, profile: PROFILE };
    const { finding } = await runCase(target, built(store(ARENA, 2n), dma()).scenario, options);
    expect(await showing(finding!, target, options)(built({ op: 'settle' }))).toBe(false);
  });

  it('does not accept a candidate that is less certain', async () => {
    const target = new FakeTarget();
    const options = { judge: fakeJudge, profile: PROFILE };
    const { finding } = await runCase(target, built(store(ARENA, 8n), dma()).scenario, options);
    expect(finding?.certain).toBe(false);
    const same = built(store(ARENA, 8n), dma());
    expect(await showing(finding!, target, options)(same)).toBe(true);
    expect(await showing({ ...finding!, certain: true }, target, options)(same)).toBe(false);
  });

  it('drops what refers to a dropped operation and moves other references', async () => {
    const read = (): Operation => ({ op: 'regRead', component: 'unit', register: 'A', size: 8 });
    const write = (ref: number): Operation => ({
      op: 'regWrite',
      component: 'unit',
      register: 'A',
      size: 8,
      value: { ref },
    });
    expect(keepOperations([read(), write(0), read(), message(1n), write(2)], (i) => i !== 0)).toEqual([
      read(),
      message(1n),
      write(0),
    ]);
    const chained: Operation = {
      op: 'poll',
      component: 'u',
      register: 'A',
      size: 4,
      index: { ref: 1 },
      mask: 1n,
      expect: 1n,
      limit: 9,
    };
    expect(keepOperations([read(), { ...read(), index: { ref: 0 } } as Operation, chained], (i) => i > 0)).toEqual([]);
    expect(await least(message(1n), read(), message(2n), read(), message(3n), write(3))).toEqual([read(), write(0)]);
  });

  it('shrinks a crash by its message, without a second run for each candidate', async () => {
    const target = new FakeTarget();
    const options = { judge: fakeJudge, profile: PROFILE };
    const case_ = built(store(FRAME_9, 8n), dma(3), message(CRASH), dma(4));
    const { also, finding } = await runCase(target, case_.scenario, options);
    expect(also?.clause).toBe('TARGET');
    expect(finding?.clause).toBe('C-9');
    target.oneByOneRuns = 0;
    const shows = showing(also!, target, options);
    const small = await shrink({ built: case_, profile: PROFILE, operations: true, shows, budget: budget() });
    expect(small.scenario).toEqual(built(message(CRASH)).scenario);
    expect(target.oneByOneRuns).toBe(0);
  });

  it('lowers the index of a word together with the address that selects it', async () => {
    const shows = (operations: readonly Operation[]): Promise<boolean> => {
      const [table, request] = operations;
      if (operations.length !== 2 || table?.op !== 'store' || request?.op !== 'dma') return Promise.resolve(false);
      return Promise.resolve((table.address & 0xfffn) >> 3n === ((request.address >> 21n) & 0x1ffn));
    };
    const before = [store(ARENA + 0xff8n, 3n), dma(1, 8, 0x7fff_ffffn)];
    expect(await shrinkOperations(before, PROFILE, shows, budget())).toEqual([store(ARENA, 0n), dma(0, 1, 0n)]);
  });

  it('goes round again while something got smaller', async () => {
    // The other message can go only when bit 1 has gone, which happens after the first round of dropping.
    const shows = (operations: readonly Operation[]): Promise<boolean> => {
      const data = operations.map((operation) => (operation.op === 'message' ? operation.data : 0n));
      return Promise.resolve(data.includes(1n) || (data.includes(3n) && data.length > 1));
    };
    expect(await shrinkOperations([message(8n), message(3n)], PROFILE, shows, budget())).toEqual([message(1n)]);
  });

  it('stops when its budget is spent, with what it has', async () => {
    let tried = 0;
    const case_ = built(store(ARENA, 2n), dma(), message(1n));
    const shows = (): Promise<boolean> => {
      tried += 1;
      return Promise.resolve(false);
    };
    const small = await shrink({ built: case_, profile: PROFILE, operations: true, shows, budget: budget(3) });
    expect(tried).toBe(3);
    expect(small).toEqual(case_);
  });
});

describe('first pass', () => {
  const property = fakeProperty();
  const drawnWith = async (clause: string): Promise<{ seed: number; index: number }> => {
    const maker = new CaseMaker(property, PROFILE);
    for (let index = 0; ; index += 1) {
      const origin = { kind: 'random', property: property.id, seed: 1, index } as const;
      const { scenario } = maker.make(origin);
      const { finding } = await runCase(new FakeTarget(), scenario, { judge: fakeJudge });
      if (finding?.clause === clause) return { seed: caseSeed(1, property.id, index), index };
    }
  };

  it('shrinks intents, held to the finding; both passes leave two operations', async () => {
    for (const clause of ['C-1', 'C-2']) {
      const { seed } = await drawnWith(clause);
      const target = new FakeTarget();
      const options = { judge: fakeJudge, profile: PROFILE };
      const first = property.build(PROFILE, draw(property.intents(PROFILE), seed));
      const { finding } = await runCase(target, first.scenario, options);
      const shows = showing(finding!, target, options);
      const drawn = { property, profile: PROFILE, seed };
      const small = await shrinkIntents(drawn, shows, budget());
      const again = await runCase(target, small!.scenario, options);
      expect(identityOf(again.finding!)).toEqual(identityOf(finding!));
      expect(again.history.steps.length).toBeLessThanOrEqual(3);
      const both = await shrink({ built: first, profile: PROFILE, drawn, operations: true, shows, budget: budget() });
      const bit = clause === 'C-1' ? 2n : 4n;
      expect(both.scenario).toEqual(built(store(ARENA, bit), dma(0, 1)).scenario);
    }
  });

  it('gives up when the generator no longer draws the same value', async () => {
    const { seed } = await drawnWith('C-1');
    let calls = 0;
    const shifting = fakeProperty({
      // The second time it is asked, it draws something else.
      intents: (profile) => property.intents(profile).map((intents) => ({ intents, nonce: calls++ })),
    });
    const shows = (): Promise<boolean> => Promise.resolve(true);
    expect(await shrinkIntents({ property: shifting, profile: PROFILE, seed }, shows, budget())).toBeUndefined();
  });
});
