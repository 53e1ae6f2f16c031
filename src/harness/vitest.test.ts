import { describe, expect, it } from 'vitest';
import { ARENA, built, dma, FakeTarget, fakeJudge, fakeProperty, store } from './fake.js';
import { checkProperty, type PropertyFailed } from './vitest.js';

const harmless = fakeProperty({ build: () => built(dma()) });

describe('checkProperty', () => {
  it('runs sweep and random cases and counts them', async () => {
    const property = { ...harmless, sweep: () => ({ size: 30, at: () => built({ op: 'settle' }) }) };
    const options = { judge: fakeJudge, cases: 12, seed: 1 };
    expect(await checkProperty(new FakeTarget(), property, options)).toEqual({
      cases: 12,
      swept: 30,
      inconclusive: 30,
    });
    expect(await checkProperty(new FakeTarget(), property, { ...options, sweep: 5 })).toMatchObject({ swept: 5 });
  });

  it('says why it ran nothing', async () => {
    const property = { ...harmless, notApplicable: () => 'no such thing' };
    const checked = await checkProperty(new FakeTarget(), property, { judge: fakeJudge, cases: 12, seed: 1 });
    expect(checked).toMatchObject({ cases: 0, notApplicable: 'no such thing' });
  });

  it('tells the story of the first finding, made small', async () => {
    const failure = await checkProperty(new FakeTarget(), fakeProperty(), {
      judge: fakeJudge,
      cases: 500,
      seed: 1,
    }).then(
      () => undefined,
      (error: PropertyFailed) => error,
    );
    expect(failure?.name).toBe('PropertyFailed');
    const lines = failure!.message.split('\n');
    expect(lines[0]).toBe('fake-property: the fake target does right');
    expect(lines[1]).toMatch(/^C-\d value-differs: bit \d/);
    expect(lines.slice(2, 4)).toEqual(['expected: x', 'observed: y']);
    expect(lines[4]).toMatch(/^from random case \d+ with seed 1; broken at 0, seen at 1:$/);
    const word = 1n << BigInt(failure!.finding.discriminator.slice(4));
    const json = (value: bigint): string => `0x${value.toString(16)}`;
    expect(lines[5]).toBe(`> 0 {"op":"store","address":"${json(ARENA)}","words":["${json(word)}"]}`);
    expect(lines[7]).toContain('"op":"dma"');
  });

  it('admits known deviations', async () => {
    const property = fakeProperty({ build: () => built(store(ARENA, 2n), dma()) });
    const options = { judge: fakeJudge, cases: 5, seed: 1 };
    await expect(checkProperty(new FakeTarget(), property, options)).rejects.toThrow('C-1');
    expect(await checkProperty(new FakeTarget(), property, { ...options, known: () => true })).toMatchObject({
      cases: 5,
    });
  });
});
