import { expect, test } from 'vitest';
import { clauseApplies } from '../spec/catalog/applies.js';
import { catalog } from '../spec/catalog/index.js';
import { SHAPE_NAMES } from '../src/engine/index.js';
import { runCase } from '../src/harness/case.js';
import { CaseMaker } from '../src/harness/origin.js';
import { sweepOrder } from '../src/harness/schedule.js';
import { createJudge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { properties } from './index.js';

const SEED = 11;

/** Rounds over every property on every shape, at most; swept cases in each. */
const ROUNDS = 24;
const SWEPT = 4;

/** What rests on the rule of caching, which is not there yet. */
const CACHING = ['VTD-GCMD-009', 'VTD-GCMD-010', 'VTD-QI-016', 'VTD-WAIT-010'];

/** Runs cases of every property on every shape in turn, until every wanted clause has decided something. */
async function exercise(wanted: Set<string>): Promise<void> {
  const judge = createJudge();
  const seats = await Promise.all(
    SHAPE_NAMES.map(async (shape) => {
      const target = createEngineTarget({ shape });
      const profile = await target.describe();
      const makers = properties
        .filter(({ notApplicable }) => notApplicable?.(profile) === undefined)
        .map((property) => new CaseMaker(property, profile));
      return { target, profile, makers };
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    for (const { target, profile, makers } of seats) {
      for (const maker of makers) {
        const { id } = maker.property;
        const order = sweepOrder(maker.sweepSize, SEED, id);
        const swept = Array.from({ length: Math.min(SWEPT, maker.sweepSize) }, (_, n) => order(round * SWEPT + n));
        const origins = [
          { kind: 'random' as const, property: id, seed: SEED, index: round },
          ...swept.map((index) => ({ kind: 'sweep' as const, property: id, seed: SEED, index })),
        ];
        for (const origin of origins) {
          const { judgement, finding } = await runCase(target, maker.make(origin).scenario, { judge, profile });
          if (finding !== undefined) throw new Error(`${id}: ${finding.clause} ${finding.discriminator}`);
          for (const clause of Object.keys(judgement.clauses)) wanted.delete(clause);
        }
        if (wanted.size === 0) return;
      }
    }
  }
}

test('every clause that obliges, and that some shape of the engine has, is exercised', async () => {
  const profiles = await Promise.all(SHAPE_NAMES.map((shape) => createEngineTarget({ shape }).describe()));
  const wanted = catalog.filter(
    (clause) => clause.obligation === 'MUST' && profiles.some((profile) => clauseApplies(clause, profile)),
  );
  const left = new Set(wanted.map(({ id }) => id).filter((id) => !CACHING.includes(id)));
  expect(left.size).toBeGreaterThan(100);
  await exercise(left);
  expect([...left]).toEqual([]);
}, 120_000);
