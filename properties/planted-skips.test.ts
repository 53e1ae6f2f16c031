import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Finding } from '../spec/interface/judgement.js';
import { CacheInvalidation } from '../src/engine/cache-invalidation.js';
import { runCase } from '../src/harness/case.js';
import { CaseMaker } from '../src/harness/origin.js';
import type { Property } from '../src/harness/property.js';
import { createJudge } from '../src/judge/index.js';
import { createEngineTarget } from '../src/targets/engine.js';
import { frameReuse } from './frame-reuse.js';
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

/** Seed of the cases here, and the most that a skip may take; with any seed 2000 are enough. */
const SEED = 7;
const MOST_CASES = 300;

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

/** The property with two rounds a case: what follows a deviation takes long to judge. */
function brief<I extends { readonly rounds: readonly unknown[] }>(property: Property<I>): Property {
  const { build } = property;
  return {
    ...property,
    build: (profile, intents) => build(profile, { ...(intents as I), rounds: (intents as I).rounds.slice(0, 2) }),
  } as Property;
}

/** Properties in turn. */
const TURNS: readonly Property[] = [brief(staleWindow), brief(frameReuse), brief(staleWindow)];

interface Found {
  readonly index: number;
  readonly property: string;
  readonly finding: Finding;
}

/** The first case that shows something, and what it shows. */
async function firstFinding(most: number): Promise<Found | undefined> {
  const profile = await target.describe();
  const makers = TURNS.map((property) => new CaseMaker(property, profile));
  for (let index = 0; index < most; index++) {
    const maker = makers[index % makers.length]!;
    const { property } = maker;
    const built = maker.make({ kind: 'random', property: property.id, seed: SEED, index });
    const { finding } = await runCase(target, built.scenario, { judge, profile, property, built });
    if (finding !== undefined) return { index, property: property.id, finding };
  }
  return undefined;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an engine that forgets one drop is found', () => {
  const named: Found[] = [];

  test.each(SKIPS)(
    '$method, level $level, $granularity',
    async (skip) => {
      plant(skip);
      const found = await firstFinding(MOST_CASES);
      expect(found).toBeDefined();
      if (found?.finding.kind === 'used-after-invalidation') named.push(found);
    },
    120_000,
  );

  test('most of them by what they forget', () => {
    expect(named.length).toBeGreaterThan(SKIPS.length / 2);
  });
});

test('one that forgets nothing is not', async () => {
  expect(await firstFinding(60)).toBeUndefined();
}, 120_000);
