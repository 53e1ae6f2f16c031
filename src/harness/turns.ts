import type { CaseMaker, CaseOrigin } from './origin.js';
import type { Property } from './property.js';
import { nextTurn, type Sharer } from './schedule.js';

/** A property at work in a campaign. */
export interface Job {
  readonly property: Property;
  readonly maker: CaseMaker;
  /** The order of its sweep. */
  readonly order: (position: number) => number;
  /** Cases handed out so far. */
  swept: number;
  drawn: number;
  /** Its part in the time of each kind of cases. */
  readonly sweep: Sharer;
  readonly random: Sharer;
}

/** Milliseconds of a property's turn when time is shared. */
const TURN = 20;

/** What a case is taken to cost until it is known: several are handed out before the first comes back. */
const ESTIMATE = 1;

/** A case of this job costs so many milliseconds. */
export function charge(job: Job, kind: CaseOrigin['kind'], milliseconds: number): void {
  const sharer = kind === 'sweep' ? job.sweep : job.random;
  sharer.spent += milliseconds - ESTIMATE;
}

function swept(job: Job, seed: number): CaseOrigin {
  const index = job.order(job.swept);
  job.swept += 1;
  job.sweep.spent += ESTIMATE;
  return { kind: 'sweep', property: job.property.id, seed, index };
}

function drawn(job: Job, seed: number): CaseOrigin {
  const index = job.drawn;
  job.drawn += 1;
  job.random.spent += ESTIMATE;
  return { kind: 'random', property: job.property.id, seed, index };
}

/** A point of each sweep in turn. */
export function* countedSweeps(jobs: readonly Job[], seed: number): Generator<CaseOrigin, undefined> {
  for (;;) {
    const left = jobs.filter((job) => job.swept < job.maker.sweepSize);
    if (left.length === 0) return undefined;
    for (const job of left) yield swept(job, seed);
  }
}

/** Points of the sweeps, more of those whose properties have clauses not exercised yet. */
export function* sharedSweeps(jobs: readonly Job[], seed: number): Generator<CaseOrigin, undefined> {
  for (;;) {
    const left = jobs.filter((job) => job.swept < job.maker.sweepSize);
    const next = nextTurn(left.map((job) => ({ job, spent: job.sweep.spent, weight: job.sweep.weight })));
    if (next === undefined) return undefined;
    yield swept(next.job, seed);
  }
}

/** Exactly `cases` random cases of each property, in turn, so that an interrupted run is balanced. */
export function* countedCases(jobs: readonly Job[], seed: number, cases: number): Generator<CaseOrigin, undefined> {
  for (let n = 0; n < cases; n += 1) {
    for (const job of jobs) yield drawn(job, seed);
  }
  return undefined;
}

/** Random cases without end, in short turns. */
export function* sharedCases(jobs: readonly Job[], seed: number): Generator<CaseOrigin, undefined> {
  for (;;) {
    const next = nextTurn(jobs.map((job) => ({ job, spent: job.random.spent, weight: job.random.weight })));
    if (next === undefined) return undefined;
    const begun = next.job.random.spent;
    do yield drawn(next.job, seed);
    while (next.job.random.spent - begun < TURN);
  }
}
