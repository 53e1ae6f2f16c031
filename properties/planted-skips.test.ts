import { afterEach, describe, expect, test, vi } from 'vitest';
import { CacheInvalidation } from '../src/engine/cache-invalidation.js';
import { runCase } from '../src/harness/case.js';
import { CaseMaker } from '../src/harness/origin.js';
import { createJudge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { staleWindow } from './stale-window.js';

/** What an engine forgets to drop: entries of a kind, for one granularity of invalidation. */
interface Skip {
  readonly method: 'dropRoots' | 'dropContexts' | 'dropStructures' | 'dropLeaves';
  readonly level?: number;
  readonly granularity: string;
}

const CONTEXT = ['global', 'domain', 'device', 'pointer'] as const;
const TRANSLATION = ['global', 'domain', 'page', 'pointer'] as const;

const SKIPS: readonly Skip[] = [
  ...(['global', 'pointer'] as const).map((granularity) => ({ method: 'dropRoots' as const, granularity })),
  ...CONTEXT.map((granularity) => ({ method: 'dropContexts' as const, granularity })),
  ...[5, 4, 3, 2].flatMap((level) =>
    TRANSLATION.map((granularity) => ({ method: 'dropStructures' as const, level, granularity })),
  ),
  ...[3, 2, 1].flatMap((level) =>
    TRANSLATION.map((granularity) => ({ method: 'dropLeaves' as const, level, granularity })),
  ),
];

/** Seed of the cases here, and the most that a skip may take. */
const SEED = Number(process.env['PLANT_SEED'] ?? 7);
const MOST_CASES = 2000;

/** Clauses that a skip may be found to break: those of invalidation. */
const OF_INVALIDATION = /^VTD-(INV-0(01|02|03|04|05|11|18)|CACHE-0(04|11|13)|GCMD-009)$/;

function plant({ method, level, granularity }: Skip): void {
  const methods = CacheInvalidation.prototype as unknown as Record<string, (...of: unknown[]) => void>;
  const original = methods[method]!;
  vi.spyOn(methods, method).mockImplementation(function (this: unknown, ...given) {
    const cover = given.at(-1) as { readonly granularity: string };
    const meant = cover.granularity === granularity && (level === undefined || given[0] === level);
    if (!meant) original.apply(this, given);
  });
}

const target = createEngineTarget({ shape: '57-1g' });
const judge = createJudge();

/** The first case that shows something, and what it shows. */
async function firstFinding(most: number) {
  const profile = await target.describe();
  const maker = new CaseMaker(staleWindow, profile);
  for (let index = 0; index < most; index++) {
    const built = maker.make({ kind: 'random', property: staleWindow.id, seed: SEED, index });
    const { finding } = await runCase(target, built.scenario, { judge, profile, property: staleWindow, built });
    if (finding !== undefined) return { index, finding };
  }
  return undefined;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an engine that forgets one drop is found', () => {
  test.each(SKIPS)(
    '$method, level $level, $granularity',
    async (skip) => {
      plant(skip);
      const found = await firstFinding(MOST_CASES);
      if (process.env['PLANT_SEED'])
        console.log(
          'PLANT',
          skip.method,
          skip.level ?? '',
          skip.granularity,
          found?.index,
          found?.finding.clause,
          '|',
          found?.finding.discriminator,
        );
      expect(found?.finding.kind).toBe('used-after-invalidation');
      expect(found?.finding.clause).toMatch(OF_INVALIDATION);
    },
    120_000,
  );
});
