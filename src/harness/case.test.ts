import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { LateData } from '../../spec/interface/target.js';
import { BadHistory } from '../judge/index.js';
import { NoSoftware, runCase } from './case.js';
import { ARENA, built, CRASH, dma, FakeTarget, fakeJudge, fakeProperty, message, PROFILE, store } from './fake.js';
import { unfit } from './fits.js';

const options = { judge: fakeJudge };

describe('runCase', () => {
  it('gives history and judgement', async () => {
    const outcome = await runCase(new FakeTarget(), built(store(0n, 2n), dma()).scenario, options);
    expect(outcome.history.steps).toHaveLength(2);
    expect(outcome.finding).toMatchObject({ clause: 'C-1', at: 0, shownAt: 1 });
  });

  it('runs a failed case again one by one and says which operation was in flight', async () => {
    const target = new FakeTarget();
    const { scenario } = built(dma(), message(1n), message(CRASH), dma(1));
    const outcome = await runCase(target, scenario, options);
    expect(target.runs).toBe(2);
    expect(target.oneByOneRuns).toBe(1);
    expect(outcome.history.steps).toHaveLength(2);
    expect(outcome.history.failure).toMatchObject({ kind: 'crash', at: 2 });
    expect(outcome.finding).toMatchObject({
      clause: 'TARGET',
      kind: 'crash',
      discriminator: 'assertion failed',
      at: 2,
      certain: true,
    });
  });

  it('keeps a known failure apart', async () => {
    const known = (identity: { clause: string }): boolean => identity.clause === 'TARGET';
    const outcome = await runCase(new FakeTarget(), built(message(CRASH)).scenario, { ...options, known });
    expect(outcome.finding).toBeUndefined();
    expect(outcome.known).toMatchObject([{ clause: 'TARGET', kind: 'crash' }]);
  });

  it('merges late data, and calls it nonsense where nothing was read', async () => {
    const late = (entries: readonly LateData[]): FakeTarget => {
      const target = new FakeTarget();
      target.finish = () => Promise.resolve({ late: entries as [] });
      return target;
    };
    const data = Uint8Array.of(1, 2);
    const { scenario } = built(dma(0, 2), message(0n));
    const good = await runCase(late([{ at: 0, data }]), scenario, options);
    expect(good.history.steps[0]?.observation).toMatchObject({ of: 'dma', data });
    const bad = await runCase(late([{ at: 1, data }]), scenario, options);
    expect(bad.finding).toMatchObject({ clause: 'TARGET', kind: 'nonsense' });
  });

  it('calls a missing observation nonsense', async () => {
    const target = new FakeTarget();
    target.run = () => Promise.resolve({ observations: [] });
    const outcome = await runCase(target, built(dma()).scenario, options);
    expect(outcome.finding).toMatchObject({ kind: 'nonsense', discriminator: 'fewer observations than operations' });
  });

  it('calls a history that the judge cannot read nonsense, with one identity whatever its numbers', async () => {
    const judge = (): Judgement => {
      throw new BadHistory(1, 'operation 1: value 0xff of 3 bytes');
    };
    const outcome = await runCase(new FakeTarget(), built(dma(), dma(1)).scenario, { judge });
    expect(outcome.finding).toMatchObject({
      kind: 'nonsense',
      discriminator: 'operation #: value # of # bytes',
      at: 1,
    });
    expect(outcome.history.failure?.kind).toBe('nonsense');
  });

  it('ends the history of a target that lies where the lie is, and starts the target again', async () => {
    const answering = (...observations: readonly unknown[]): FakeTarget => {
      const target = new FakeTarget();
      target.run = () => Promise.resolve({ observations: observations as readonly Observation[] });
      return target;
    };
    const span = { begin: 1, complete: 1 };
    const load: Operation = { op: 'load', address: ARENA, bytes: 8 };
    const read: Operation = { op: 'regRead', component: 'unit', register: 'R', size: 4 };
    const lies: readonly (readonly [Operation, unknown, RegExp])[] = [
      [read, { of: 'regWrite', ...span }, /^regRead: of: expected "regRead", as the operation, got "regWrite"$/],
      [read, { of: 'regRead', ...span, value: 1n << 40n }, /^regRead: value: expected at most # bits, got #$/],
      [read, { of: 'regRead', ...span, value: -1n }, /^regRead: value: expected at most # bits/],
      [load, { of: 'load', ...span, data: new Uint8Array(3) }, /^load: data: expected # bytes, got # bytes$/],
      [read, { of: 'regRead', begin: 0, complete: 0 }, /^regRead: begin: expected at least #/],
    ];
    for (const [operation, lie, message] of lies) {
      const target = answering({ of: 'dma', ...span }, lie);
      const outcome = await runCase(target, built(dma(), operation).scenario, options);
      expect(outcome.finding).toMatchObject({ clause: 'TARGET', kind: 'nonsense', at: 1 });
      expect(outcome.finding?.discriminator).toMatch(message);
      expect(outcome.history.steps).toHaveLength(1);
      expect(target.colds).toBe(1);
    }
    const more = answering({ of: 'dma', ...span }, { of: 'dma', ...span });
    const outcome = await runCase(more, built(dma()).scenario, options);
    expect(outcome.finding?.discriminator).toBe('more observations than operations');
    expect(more.colds).toBe(1);
  });

  it('looks at the claim of the property on conformant histories only', async () => {
    const violation = { clause: 'C-6', discriminator: 'claim', at: 0, expected: 'a', observed: 'b' };
    const property = fakeProperty({ violated: () => violation });
    const claim = (...operations: readonly Operation[]) => {
      const made = built(...operations);
      return runCase(new FakeTarget(), made.scenario, { ...options, property, built: made, certain: () => false });
    };
    expect((await claim(dma())).finding).toMatchObject({ clause: 'C-6', kind: 'claim', certain: false });
    expect((await claim({ op: 'settle' })).finding).toBeUndefined();
    expect((await claim(store(0n, 2n), dma())).finding?.clause).toBe('C-1');
  });

  it('refuses stimuli unless something drives them', async () => {
    const software = { name: 'hypervisor', configuration: {} };
    const scenario = { level: 'stimuli', start: 'ready', software, stimuli: [], schedule: [] } as const;
    const target = new FakeTarget();
    await expect(runCase(target, scenario, options)).rejects.toThrow(NoSoftware);
    await expect(runCase(target, scenario, options)).rejects.toThrow('no software under test is registered');
    expect(target.begins).toBe(0);
    const step = { operation: dma(), observation: { of: 'dma', begin: 0, complete: 0 } } as const;
    const driven = await runCase(target, scenario, { ...options, drive: () => Promise.resolve({ steps: [step] }) });
    expect(driven.history.steps).toEqual([step]);
  });
});

describe('unfit', () => {
  it('says why a target cannot run a scenario', () => {
    const inside = PROFILE.arena.base;
    expect(unfit(PROFILE, built(store(inside, 1n), dma(63, 256)).scenario)).toBeUndefined();
    expect(unfit(PROFILE, built(dma(), store(0n, 1n)).scenario)).toBe(
      'operation 1 uses memory at 0x0, outside the arena of fake',
    );
    expect(unfit(PROFILE, built(dma(64)).scenario)).toContain('token 64');
    expect(unfit(PROFILE, built(dma(0, 0)).scenario)).toContain('zero-length reads');
    const noSnoop = built({ ...dma(0, 8), noSnoop: true } as Operation).scenario;
    expect(unfit(PROFILE, noSnoop)).toContain('no-snoop requests');
    const able = { ...PROFILE, requesters: PROFILE.requesters.map((each) => ({ ...each, noSnoop: true })) };
    expect(unfit(able, noSnoop)).toBeUndefined();
    expect(unfit(PROFILE, built(dma(0, 257)).scenario)).toContain('257 bytes');
    expect(unfit(PROFILE, built({ ...message(0n), requester: 'x' } as Operation).scenario)).toContain('"x"');
    const end = inside + BigInt(PROFILE.arena.bytes) - 8n;
    expect(unfit(PROFILE, built(store(end, 1n, 2n)).scenario)).toContain('outside the arena');
  });
});
