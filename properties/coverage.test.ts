import { expect, test } from 'vitest';
import { clauseApplies } from '../spec/catalog/applies.js';
import { catalog } from '../spec/catalog/index.js';
import type { Profile } from '../spec/interface/profile.js';
import type { Target } from '../spec/interface/target.js';
import { SHAPE_NAMES } from '../src/engine/index.js';
import { runCase } from '../src/harness/case.js';
import { CaseMaker, type CaseOrigin } from '../src/harness/origin.js';
import { driveHypervisor } from '../src/hypervisor/drive.js';
import { createJudge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { properties } from './index.js';

const SEED = 11;

/** Rounds over the properties on the shapes, at most; swept cases in each. */
const ROUNDS = 60;
const SWEPT = 4;

/** A property on a shape. */
interface Seat {
  readonly target: Target;
  readonly profile: Profile;
  readonly maker: CaseMaker;
  readonly order: (position: number) => number;
  /** Clauses that the property names and the shape has. */
  readonly clauses: ReadonlySet<string>;
}

async function seats(): Promise<readonly Seat[]> {
  const shapes = await Promise.all(
    SHAPE_NAMES.map(async (shape) => {
      const target = createEngineTarget({ shape });
      return { target, profile: await target.describe() };
    }),
  );
  return shapes.flatMap(({ target, profile }) => {
    const has = new Set(catalog.filter((clause) => clauseApplies(clause, profile)).map(({ id }) => id));
    return properties
      .filter(({ notApplicable }) => notApplicable?.(profile) === undefined)
      .map((property) => {
        const maker = new CaseMaker(property, profile);
        const clauses = new Set(property.clauses.filter((id) => has.has(id)));
        return { target, profile, maker, order: maker.sweepOrder(SEED), clauses };
      });
  });
}

const judge = createJudge();

/** The clauses that decided something in one round of a seat: a random case, and some of the sweep. */
async function round({ target, profile, maker, order }: Seat, nth: number): Promise<readonly string[]> {
  const { property, sweepSize } = maker;
  const swept = Array.from({ length: SWEPT }, (_, n) => nth * SWEPT + n).filter((position) => position < sweepSize);
  const origins: readonly CaseOrigin[] = [
    { kind: 'random', property: property.id, seed: SEED, index: nth },
    ...swept.map((at) => ({ kind: 'sweep' as const, property: property.id, seed: SEED, index: order(at) })),
  ];
  const decided: string[] = [];
  for (const origin of origins) {
    const { judgement, finding } = await runCase(target, maker.make(origin).scenario, {
      judge,
      profile,
      drive: driveHypervisor,
    });
    expect([property.id, origin.index, finding]).toEqual([property.id, origin.index, undefined]);
    decided.push(...Object.keys(judgement.clauses));
  }
  return decided;
}

test('every clause that obliges, and that some shape of the engine has, is exercised', async () => {
  const all = await seats();
  const obliging = catalog.filter(
    (clause) => clause.obligation === 'MUST' && all.some(({ profile }) => clauseApplies(clause, profile)),
  );
  const left = new Set(obliging.map(({ id }) => id));
  expect(left.size).toBeGreaterThan(120);
  for (let nth = 0; nth < ROUNDS && left.size > 0; nth++) {
    for (const seat of all) {
      // Once through everything, then only where a property names what is left.
      if (nth > 0 && ![...left].some((id) => seat.clauses.has(id))) continue;
      for (const id of await round(seat, nth)) left.delete(id);
    }
  }
  expect([...left]).toEqual([]);
}, 120_000);
