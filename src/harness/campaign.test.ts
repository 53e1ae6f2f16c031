import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../../spec/interface/operations.js';
import { TargetUnavailable } from '../../spec/interface/target.js';
import { CampaignBroken } from './broken.js';
import { runCampaign } from './campaign.js';
import { caseId } from './corpus.js';
import type { CampaignDependencies } from './dependencies.js';
import * as fake from './fake.js';
import { CaseMaker, type CaseOrigin } from './origin.js';
import type { Property } from './property.js';
import { replay } from './replay.js';
import type { CampaignOptions, CampaignResult, Progress, StoredCase } from './types.js';
import { NothingExecuted, verdictOf } from './verdict.js';

const { ARENA, dma, FakeTarget, fakeProperty, message, PROFILE, store } = fake;
const dependencies = fake.dependencies();

function optionsOf(more: Partial<CampaignOptions> = {}): CampaignOptions {
  return { seed: 1, cases: 60, out: fake.temporaryFolder(), known: [], stored: [], ...more };
}

async function campaign(
  more: Partial<CampaignOptions> = {},
  properties: readonly Property[] = [fakeProperty()],
  target = new FakeTarget(),
): Promise<CampaignResult & { readonly out: string }> {
  const options = optionsOf(more);
  return { ...(await runCampaign(target, properties, options, dependencies)), out: options.out };
}

function read(file: string): StoredCase {
  return dependencies.decodeCase(readFileSync(file, 'utf8'), file);
}

function storedFrom(result: CampaignResult, clause: string): { file: string; stored: StoredCase } {
  const { file } = result.deviations.find(({ finding }) => finding.clause === clause)!;
  return { file, stored: read(file) };
}

describe('a campaign', () => {
  it('collects every distinct finding, shrunk, confirmed and stored', async () => {
    const target = new FakeTarget();
    const result = await campaign({}, [fakeProperty()], target);
    const found = result.deviations.map(({ finding }) => finding.clause);
    expect(new Set(found)).toEqual(new Set(['C-1', 'C-2', 'C-9']));
    expect(result.totals.cases).toBe(60);
    expect(result.totals.deviantCases).toBe(result.deviations.reduce((sum, { hits }) => sum + hits, 0));
    expect(target.colds).toBe(3);
    for (const { finding, confirmed, operations, file, known } of result.deviations) {
      expect({ confirmed, operations, known }).toEqual({ confirmed: true, operations: 2, known: false });
      const stored = read(file);
      expect(stored.id).toBe(caseId(finding));
      expect(stored.identity.clause).toBe(finding.clause);
      expect(stored.scenario).toMatchObject({ level: 'operations', operations: [{ op: 'store' }, { op: 'dma' }] });
      expect(stored.history.steps).toHaveLength(2);
    }
    expect(readdirSync(join(result.out, 'cases'))).toHaveLength(3);
    expect(result.clauses).toEqual(
      [
        { clause: 'C-1', verdict: 'FAIL', exercised: expect.any(Number), findings: 1 },
        { clause: 'C-2', verdict: 'FAIL', exercised: 0, findings: 1 },
        { clause: 'C-5', verdict: 'PASS', exercised: expect.any(Number), findings: 0 },
        { clause: 'C-6', verdict: 'NOT EXERCISED', exercised: 0, findings: 0 },
        { clause: 'C-9', verdict: 'FAIL', exercised: 0, findings: 1 },
      ].map((line) => (line.clause === 'C-9' ? { ...line, verdict: 'SUSPECT' } : line)),
    );
    expect(result.totals.meanAdmissible).toBe(2);
  });

  it('gives the same cases and results for the same seed, and others for another', async () => {
    const asked = async (seed: number): Promise<{ result: CampaignResult; operations: readonly Operation[][] }> => {
      const target = new FakeTarget();
      const operations: Operation[][] = [];
      target.onRun = (some) => operations.push([...some]);
      return { result: await campaign({ seed }, [fakeProperty()], target), operations };
    };
    const [a, b, c] = [await asked(7), await asked(7), await asked(8)];
    expect(a.operations).toEqual(b.operations);
    expect(a.operations).not.toEqual(c.operations);
    expect(a.result.deviations.map((d) => [d.finding, d.hits])).toEqual(
      b.result.deviations.map((d) => [d.finding, d.hits]),
    );
  });

  it('goes on after crashes and locates the operation', async () => {
    const target = new FakeTarget();
    const result = await campaign({ cases: 80 }, [fakeProperty({}, true)], target);
    expect(result.totals.cases).toBe(80);
    expect(result.totals.restarts).toBeGreaterThan(1);
    const crash = result.deviations.find(({ finding }) => finding.clause === 'TARGET')!;
    expect(crash).toMatchObject({ confirmed: true, operations: 1, finding: { kind: 'crash', at: 0 } });
    expect(result.deviations.map(({ finding }) => finding.clause)).toContain('C-1');
    expect(result.clauses.map(({ clause }) => clause)).not.toContain('TARGET');
  });

  it('does not confirm what a cold restart does not show, and keeps the case', async () => {
    const target = new FakeTarget();
    target.flaky = true;
    const result = await campaign({ cases: 80 }, [fakeProperty({}, true)], target);
    const crash = result.deviations.find(({ finding }) => finding.clause === 'TARGET')!;
    expect(crash.confirmed).toBe(false);
    expect(read(crash.file).identity.clause).toBe('TARGET');
  });

  it('ends promptly when aborted, with what it has', async () => {
    const controller = new AbortController();
    const target = new FakeTarget();
    target.onRun = () => target.runs === 20 && controller.abort();
    const result = await campaign({ cases: 1_000_000, signal: controller.signal }, [fakeProperty()], target);
    expect(result).toMatchObject({ interrupted: true, totals: { cases: 20 } });
    expect(target.runs).toBe(20);
    expect(target.colds).toBe(0);
    expect(result.deviations.length).toBeGreaterThan(0);
    for (const { confirmed, file } of result.deviations) {
      expect(confirmed).toBe(false);
      expect(existsSync(file)).toBe(true);
    }
  });

  it('has every finding on disk as soon as it is found, whatever happens next', async () => {
    const out = fake.temporaryFolder();
    const target = new FakeTarget();
    target.onRun = () => {
      if (target.runs === 30) throw new Error('killed');
    };
    await expect(campaign({ out }, [fakeProperty()], target)).rejects.toThrow('killed');
    const kept = readdirSync(join(out, 'cases'));
    expect(kept.length).toBeGreaterThan(0);
    for (const name of kept) {
      const stored = read(join(out, 'cases', name));
      expect((await replay(new FakeTarget(), stored, { judge: fake.fakeJudge })).result).toBe('reproduced');
    }
  });

  it('lets a timer abort it though the target never waits', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1);
    const result = await campaign({ cases: 10_000_000, signal: controller.signal });
    expect(result.interrupted).toBe(true);
  });

  it('throws when nothing was executed', async () => {
    await expect(campaign({}, [])).rejects.toThrow(NothingExecuted);
    const never = fakeProperty({ notApplicable: () => 'has no such thing' });
    await expect(campaign({}, [never])).rejects.toThrow('fake-property: has no such thing');
    await expect(campaign({ cases: 0 })).rejects.toThrow(NothingExecuted);
  });

  it('asks for a bound', async () => {
    const { cases: _, ...unbounded } = optionsOf();
    await expect(runCampaign(new FakeTarget(), [], unbounded, dependencies)).rejects.toThrow(RangeError);
  });

  it('names property, index and seed when a generator throws, and leaves the case in flight', async () => {
    const broken = fakeProperty({
      build: () => {
        throw new Error('oops');
      },
    });
    await expect(campaign({}, [broken])).rejects.toThrow(
      'property "fake-property" cannot make random case 0 with seed 1: oops',
    );
  });
});

describe('the case in flight', () => {
  it('is on disk while it runs, makes the very case again, and goes at the end', async () => {
    const out = fake.temporaryFolder();
    const target = new FakeTarget();
    const property = fakeProperty();
    let checked = 0;
    let candidates = 0;
    target.onRun = (operations) => {
      const text = readFileSync(join(out, 'in-flight.json'), 'utf8');
      const record = JSON.parse(text) as CaseOrigin & { format: string };
      if (record.format === 'iovcheck-in-flight') {
        const { scenario } = new CaseMaker(property, PROFILE).make(record);
        expect(scenario).toMatchObject({ operations });
        checked += 1;
      } else if (target.colds === 0) {
        const stored = dependencies.decodeCase(text, 'in-flight.json');
        expect(stored.scenario).toMatchObject({ operations });
        candidates += 1;
      }
    };
    await campaign({ out }, [property], target);
    expect(checked).toBe(60);
    expect(candidates).toBeGreaterThan(5);
    expect(existsSync(join(out, 'in-flight.json'))).toBe(false);
  });

  it('of a killed run is set aside, and that of a run that broke stays', async () => {
    const out = fake.temporaryFolder();
    writeFileSync(join(out, 'in-flight.json'), 'old');
    const target = new FakeTarget();
    target.run = () => Promise.reject(new Error('bug'));
    await expect(campaign({ out }, [fakeProperty()], target)).rejects.toThrow('bug');
    expect(readFileSync(join(out, 'in-flight-1.json'), 'utf8')).toBe('old');
    expect(JSON.parse(readFileSync(join(out, 'in-flight.json'), 'utf8'))).toMatchObject({ kind: 'random', index: 0 });
  });
});

describe('a campaign that cannot go on', () => {
  it('gives what it has: the target cannot be started again', async () => {
    const target = new FakeTarget();
    const begin = target.begin.bind(target);
    target.begin = (start, options) => {
      if (target.begins === 30) return Promise.reject(new TargetUnavailable('it is gone', 'bring it back'));
      return begin(start, options);
    };
    const broken = await campaign({}, [fakeProperty()], target).catch((error: unknown) => error);
    expect(broken).toBeInstanceOf(CampaignBroken);
    const { result, cause } = broken as CampaignBroken;
    expect(cause).toBeInstanceOf(TargetUnavailable);
    expect(result).toMatchObject({ interrupted: true, totals: { cases: 30 } });
    expect(result.deviations.length).toBeGreaterThan(0);
    for (const { file, confirmed } of result.deviations) expect([existsSync(file), confirmed]).toEqual([true, false]);
  });

  it('gives what it has: nothing can be written any more', async () => {
    const out = fake.temporaryFolder();
    writeFileSync(join(out, 'cases'), 'a file');
    const broken = await campaign({ out }).catch((error: unknown) => error);
    expect(broken).toBeInstanceOf(CampaignBroken);
    const { result, cause } = broken as CampaignBroken;
    expect(String(cause)).toMatch(/cases\/C-.*: a part of the path is not a folder$/);
    expect(result.deviations).toMatchObject([
      { file: '', command: 'npx iovcheck run fake-property --target fake --seed 1', confirmed: false },
    ]);
    expect(existsSync(join(out, 'in-flight.json'))).toBe(true);
  });
});

describe('stored cases', () => {
  it('never overwrite a file that holds something else', async () => {
    const first = await campaign();
    const { file, stored } = storedFrom(first, 'C-1');
    const out = fake.temporaryFolder();
    mkdirSync(join(out, 'cases'));
    const other = { ...stored, identity: { ...stored.identity, discriminator: 'else' } };
    const taken = join(out, 'cases', `${stored.id}.json`);
    writeFileSync(taken, dependencies.encodeCase(other));
    const foreign = join(out, 'cases', `${stored.id}-2.json`);
    writeFileSync(foreign, 'not a case');
    const second = await campaign({ out });
    expect(storedFrom(second, 'C-1')).toMatchObject({
      file: join(out, 'cases', `${stored.id}-3.json`),
      stored: { id: `${stored.id}-3` },
    });
    expect(read(taken).identity.discriminator).toBe('else');
    expect(readFileSync(foreign, 'utf8')).toBe('not a case');
    expect(readdirSync(join(out, 'cases')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(file).not.toBe(taken);
  });

  it('are run first, and found again by themselves', async () => {
    const first = await campaign();
    const entry = storedFrom(first, 'C-2');
    const phases: Progress['phase'][] = [];
    const again = await campaign({ cases: 0, stored: [entry], onProgress: ({ phase }) => phases.push(phase) });
    expect(again.deviations).toMatchObject([{ finding: { clause: 'C-2' }, hits: 1, confirmed: true }]);
    expect(phases[0]).toBe('stored cases');
    expect(phases).toContain('shrinking');
    expect(phases).toContain('confirming');
  });

  it('that do not fit the target are left out', async () => {
    const { stored } = storedFrom(await campaign(), 'C-2');
    const scenario = fake.built(store(0n, 4n), dma()).scenario;
    await expect(campaign({ cases: 0, stored: [{ file: 'x', stored: { ...stored, scenario } }] })).rejects.toThrow(
      NothingExecuted,
    );
    expect(await replay(new FakeTarget(), { ...stored, scenario }, { judge: fake.fakeJudge })).toMatchObject({
      result: 'not applicable',
    });
  });

  it('of known deviations decide between KNOWN and STALE', async () => {
    const { stored } = storedFrom(await campaign(), 'C-1');
    const known = [fake.knownEntry()];
    const entry = { file: 'cases/c1.json', stored };
    const happens = await campaign({ known, stored: [entry] });
    expect(happens.deviations.find(({ finding }) => finding.clause === 'C-1')).toMatchObject({
      known: true,
      file: 'cases/c1.json',
    });
    expect(happens.clauses.find(({ clause }) => clause === 'C-1')?.verdict).toBe('KNOWN');
    expect(happens.stale).toEqual([]);

    const { scenario } = fake.built(dma());
    const harmless = { file: 'cases/c1.json', stored: { ...stored, scenario } };
    const gone = await campaign({ cases: 0, known, stored: [harmless] });
    expect(gone.stale).toEqual([{ clause: 'C-1', kind: 'value-differs', discriminator: 'bit 1' }]);
    expect(gone.clauses.find(({ clause }) => clause === 'C-1')?.verdict).toBe('STALE');

    const undecided = { file: 'x', stored: { ...stored, scenario: fake.built({ op: 'settle' }).scenario } };
    expect((await campaign({ cases: 0, known, stored: [undecided] })).stale).toEqual([]);
  });
});

describe('stored cases that cannot be decided', () => {
  const undecidable = fake.built({ op: 'settle' }).scenario;

  it('do not make the run inconclusive: they were made for another profile', async () => {
    const { stored } = storedFrom(await campaign(), 'C-2');
    const profile = { ...PROFILE, name: 'another' };
    const entries = ['a', 'b', 'c'].map((file) => ({ file, stored: { ...stored, profile, scenario: undecidable } }));
    const harmless = fakeProperty({ clauses: ['C-1'], build: () => fake.built(dma()) });
    const result = await campaign({ cases: 5, stored: entries }, [harmless]);
    expect(result.totals).toMatchObject({ cases: 8, inconclusiveCases: 0 });
    expect(verdictOf(result).code).toBe(0);
  });

  it('unlike the cases that a property makes', async () => {
    const open = fakeProperty({ clauses: ['C-1'], build: () => fake.built(dma(), { op: 'settle' }) });
    const result = await campaign({ cases: 5 }, [open]);
    expect(result.totals.inconclusiveCases).toBe(5);
    expect(result.undecided).toMatchObject([{ cases: 5, first: expect.stringMatching(/random case 0$/) }]);
    expect(verdictOf(result).code).toBe(2);
  });
});

describe('sweeps', () => {
  const sweeping = (size: number, at: (index: number) => Operation[]): Property =>
    fakeProperty({ sweep: () => ({ size, at: (index) => fake.built(...at(index)) }) });

  it('are gone through whole with a number of cases, and their findings shrunk by operations', async () => {
    const seen = new Set<number>();
    const property = sweeping(37, (index) => {
      seen.add(index);
      return index === 20 ? [message(1n), store(ARENA + 0x3000n, 6n), dma(3)] : [dma(index)];
    });
    const result = await campaign({ cases: 0 }, [property]);
    expect(seen.size).toBe(37);
    expect(result.properties).toMatchObject([{ cases: 0, swept: 37, sweepSize: 37 }]);
    const { stored } = storedFrom(result, 'C-1');
    expect(stored.scenario).toEqual(fake.built(store(ARENA, 2n), dma(0, 1)).scenario);
    expect(stored.origin).toEqual({ seed: 1, index: 20, sweep: true });
  });

  it('begin with the points that come first', async () => {
    const seen: number[] = [];
    const at = (index: number) => {
      seen.push(index);
      return fake.built(dma());
    };
    await campaign({ cases: 0 }, [fakeProperty({ sweep: () => ({ size: 20, first: 3, at }) })]);
    expect(new Set(seen.slice(0, 3))).toEqual(new Set([0, 1, 2]));
    expect(new Set(seen).size).toBe(20);
  });

  /** Four seconds in which every case takes a millisecond; two properties with endless sweeps. */
  async function shared(clauses: readonly string[], more: Partial<CampaignDependencies> = {}) {
    let clock = 0;
    const target = new FakeTarget();
    target.onRun = () => (clock += 1);
    const deps = { ...dependencies, ...more, now: () => clock };
    const harmless = {
      build: () => fake.built(message(0n), dma()),
      sweep: () => ({ size: 1e6, at: () => fake.built(dma()) }),
    };
    const one = fakeProperty({ ...harmless, id: 'one', clauses });
    const other = fakeProperty({ ...harmless, id: 'other', clauses: ['C-1'] });
    const { cases: _, ...options } = optionsOf({ seconds: 4 });
    const [a, b] = (await runCampaign(target, [one, other], options, deps)).properties;
    return { swept: [a!.swept, b!.swept], cases: [a!.cases, b!.cases] } as const;
  }

  const sum = ([a, b]: readonly [number, number]): number => a + b;
  const ratio = ([a, b]: readonly [number, number]): number => a / b;

  it('take at most half of a time budget; of sweeps and cases, properties with clauses not exercised get more', async () => {
    const { swept, cases } = await shared(['C-1', 'C-6']);
    expect([sum(swept), sum(cases)]).toEqual([2000, 2000]);
    for (const share of [ratio(swept), ratio(cases)]) {
      expect(share).toBeGreaterThan(3);
      expect(share).toBeLessThan(5);
    }
  });

  it('a clause that the target does not have, or the catalogue, asks for no time', async () => {
    const clauseApplies = ({ id }: { readonly id: string }): boolean => id !== 'C-6';
    for (const { swept, cases } of [await shared(['C-1', 'C-6'], { clauseApplies }), await shared(['C-1', 'C-none'])]) {
      for (const share of [ratio(swept), ratio(cases)]) expect(share).toBeCloseTo(1, 1);
    }
  });

  it('a property is asked for its sweep and its intents once', async () => {
    let sweeps = 0;
    let intents = 0;
    const whole = fakeProperty();
    const property = fakeProperty({
      sweep: () => {
        sweeps += 1;
        return { size: 9, at: () => fake.built(dma()) };
      },
      intents: (profile) => {
        intents += 1;
        return whole.intents(profile);
      },
      build: () => fake.built(dma()),
    });
    const result = await campaign({ cases: 30 }, [property]);
    expect(result.totals.cases).toBe(39);
    expect([sweeps, intents]).toEqual([1, 1]);
  });
});

describe('replay', () => {
  it('says what a stored case shows', async () => {
    const { stored } = storedFrom(await campaign(), 'C-1');
    const options = { judge: fake.fakeJudge };
    const result = async (...operations: readonly Operation[]): Promise<string> =>
      (await replay(new FakeTarget(), { ...stored, scenario: fake.built(...operations).scenario }, options)).result;
    const target = new FakeTarget();
    expect((await replay(target, stored, options)).result).toBe('reproduced');
    expect(target.colds).toBe(1);
    expect((await replay(target, stored, { ...options, known: () => true })).result).toBe('reproduced');
    expect(await result(store(ARENA, 4n), dma())).toBe('other finding');
    expect(await result(dma())).toBe('conformant');
    expect(await result({ op: 'settle' })).toBe('inconclusive');
    expect(await result(message(fake.CRASH))).toBe('target failure');
  });

  it('of a claim has the facts that the claim rests on', async () => {
    const property = fakeProperty({
      build: () => ({ ...fake.built(dma(), dma(1)), expectation: { most: 1 } }),
      violated: ({ steps }, { expectation }) =>
        steps.length > (expectation as { most: number }).most
          ? { clause: 'C-6', discriminator: 'too many', at: 1, expected: '1', observed: '2' }
          : undefined,
    });
    const result = await campaign({ cases: 3 }, [property]);
    const { stored } = storedFrom(result, 'C-6');
    expect(stored).toMatchObject({ identity: { kind: 'claim' }, expectation: { most: 1 } });
    expect((await replay(new FakeTarget(), stored, { judge: fake.fakeJudge, property })).result).toBe('reproduced');
  });
});
