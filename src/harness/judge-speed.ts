import type { Profile } from '../../spec/interface/profile.js';
import type { History, Scenario } from '../../spec/interface/scenario.js';
import type { Target } from '../../spec/interface/target.js';
import { type Drive, type Judge, runCase } from './case.js';
import { CaseMaker } from './origin.js';
import type { Property } from './property.js';

/** Operations of the scenarios that are timed one by one, and the table changes that they hold at least. */
const OPERATIONS = 200;
const TABLE_CHANGES = 50;

/** Cases between two looks at the heap. */
const HEAP_EVERY = 10_000;

export interface JudgeSpeedOptions {
  readonly target: Target;
  readonly profile: Profile;
  readonly properties: readonly Property[];
  readonly judge: Judge;
  /** Runs software under test. */
  readonly drive?: Drive | undefined;
  readonly seed: number;
  /** Cases that are made, run and judged in all. */
  readonly cases: number;
  /** Long scenarios that are timed, and how often each is judged. */
  readonly scenarios: number;
  readonly rounds: number;
}

/** How fast the harness is. Times in milliseconds, sizes in bytes. */
export interface JudgeSpeed {
  readonly operations: number;
  /** Processor time and elapsed time of making, running and judging all cases. */
  readonly processor: number;
  readonly elapsed: number;
  /** Heap in use after every 10,000 cases, and at the end. */
  readonly heap: readonly { readonly cases: number; readonly bytes: number }[];
  /** Times of judging each long scenario, shortest first. */
  readonly judging: readonly number[];
  /** Long scenarios found. */
  readonly scenarios: number;
}

/** Measures how fast cases are made, run and judged, and how fast long scenarios alone are judged. */
export async function measureJudgeSpeed(options: JudgeSpeedOptions): Promise<JudgeSpeed> {
  const { target, profile, judge, seed, cases } = options;
  const makers = options.properties
    .filter((property) => property.notApplicable?.(profile) === undefined)
    .map((property) => new CaseMaker(property, profile));
  const heap: { cases: number; bytes: number }[] = [];
  let operations = 0;
  const begun = performance.now();
  const processorBegun = process.cpuUsage();
  for (let at = 0; at < cases; at++) {
    const built = made(makers, at, seed);
    const { history } = await runCase(target, built, { judge, profile, drive: options.drive });
    operations += history.steps.length;
    if ((at + 1) % HEAP_EVERY === 0 || at + 1 === cases) {
      heap.push({ cases: at + 1, bytes: process.memoryUsage().heapUsed });
    }
  }
  const { user, system } = process.cpuUsage(processorBegun);
  const elapsed = performance.now() - begun;
  const histories = await longHistories(options, makers);
  const judging = Array.from({ length: options.rounds }, () =>
    histories.map((history) => timed(judge, history)),
  ).flat();
  return {
    operations,
    processor: (user + system) / 1000,
    elapsed,
    heap,
    judging: judging.sort((a, b) => a - b),
    scenarios: histories.length,
  };
}

/** A case of each property in turn. */
function made(makers: readonly CaseMaker[], at: number, seed: number): Scenario {
  const maker = makers[at % makers.length]!;
  const index = Math.floor(at / makers.length);
  return maker.make({ kind: 'random', property: maker.property.id, seed, index }).scenario;
}

function timed(judge: Judge, history: History): number {
  const begun = performance.now();
  judge(history);
  return performance.now() - begun;
}

/** Most cases looked through for each long scenario wanted. */
const MOST_LOOKED_AT = 2000;

/** Histories of scenarios that begin with 200 operations, 50 of them stores to tables, cut there. */
async function longHistories(
  { target, profile, judge, seed, scenarios }: JudgeSpeedOptions,
  makers: readonly CaseMaker[],
): Promise<readonly History[]> {
  const found: History[] = [];
  for (let at = 0; found.length < scenarios && at < scenarios * MOST_LOOKED_AT; at++) {
    const scenario = made(makers, at, seed);
    if (scenario.level !== 'operations') continue;
    const operations = scenario.operations.slice(0, OPERATIONS);
    const changes = operations.filter(({ op }) => op === 'store').length;
    if (operations.length < OPERATIONS || changes < TABLE_CHANGES) continue;
    found.push((await runCase(target, { ...scenario, operations }, { judge, profile })).history);
  }
  return found;
}
