import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.js';
import type { CampaignDependencies } from './dependencies.js';
import * as fake from './fake.js';
import { certainClauses } from './identity.js';
import { InFlight } from './inflight.js';
import { CaseMaker } from './origin.js';
import { CaseBench, type CaseRunner } from './runner.js';
import type { CampaignOptions, CampaignResult, LostCase } from './types.js';

const property = fake.fakeProperty({
  sweep: () => ({ size: 20, at: (n) => fake.built(fake.store(fake.ARENA, BigInt(n)), fake.dma(0, 8)) }),
});
const other = { ...fake.fakeProperty(), id: 'other' };

/** Runs batches on several targets; later ones may be done before earlier ones, and nothing but data comes back. */
function several(jobs: number, out: string, deps: CampaignDependencies): CaseRunner {
  const makers = new Map([property, other].map((each) => [each.id, new CaseMaker(each, fake.PROFILE)]));
  const free = Array.from({ length: jobs }, (_, job) => {
    const options = { judge: deps.judge, profile: fake.PROFILE, certain: certainClauses(deps.catalogue) };
    const inFlight = new InFlight(out, 'fake', fake.PROFILE, job);
    return new CaseBench({ target: new fake.FakeTarget(), makers, options, inFlight, now: () => performance.now() });
  });
  return {
    batch: 3,
    width: jobs,
    async run(origins) {
      const bench = free.pop()!;
      await setTimeout((origins[0]!.index * 7) % 5);
      const batch = await bench.run(structuredClone(origins));
      free.push(bench);
      return structuredClone(batch);
    },
  };
}

/** A result without its times and the place of its files. */
function timeless(result: CampaignResult): unknown {
  const { started: _when, seconds: _howLong, deviations, ...rest } = result;
  return { ...rest, deviations: deviations.map(({ file: _file, command: _command, ...each }) => each) };
}

async function campaign(jobs: number, more: Partial<CampaignOptions> = {}, wrap = (runner: CaseRunner) => runner) {
  const out = fake.temporaryFolder();
  const deps = fake.dependencies();
  const runner = jobs === 0 ? {} : { runner: wrap(several(jobs, out, deps)) };
  const options = { seed: 3, cases: 40, out, known: [], stored: [], ...more };
  return runCampaign(new fake.FakeTarget(), [property, other], options, { ...deps, ...runner });
}

describe('cases at the same time', () => {
  it('come to the same as one after the other, on any number of jobs', async () => {
    const alone = timeless(await campaign(0));
    expect(alone).toMatchObject({ totals: { cases: 100 } });
    for (const jobs of [1, 2, 3]) expect(timeless(await campaign(jobs))).toEqual(alone);
  });

  it('end with the time', async () => {
    const { cases: _none, ...timed } = { cases: 0, seconds: 0.3 };
    const result = await campaign(2, { ...timed, cases: 1_000_000 });
    expect(result.totals.cases).toBeGreaterThan(0);
    expect(result.properties.every(({ cases }) => cases > 0)).toBe(true);
  });

  it('are counted when others of them are lost, which is told', async () => {
    const lost: LostCase[] = [];
    const forgetful = (runner: CaseRunner): CaseRunner => ({
      ...runner,
      run: async (origins) => {
        const { records, milliseconds } = await runner.run(origins);
        const kept = records.map((record) =>
          record.origin.kind === 'random' && record.origin.index === 7
            ? { origin: record.origin, lost: 'gone' }
            : record,
        );
        return { records: kept, milliseconds };
      },
    });
    const result = await campaign(2, { onLost: (each) => lost.push(each) }, forgetful);
    expect(result.totals.cases).toBe(98);
    expect(lost.map(({ origin, lost: why }) => [origin.property, origin.index, why])).toEqual([
      [property.id, 7, 'gone'],
      ['other', 7, 'gone'],
    ]);
  });
});
