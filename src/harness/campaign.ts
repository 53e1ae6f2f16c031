import { join } from 'node:path';
import type { Clause } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Target } from '../../spec/interface/target.js';
import { makeFolder } from '../formats/index.js';
import { type Aftermath, asFound, followUp, keep } from './aftermath.js';
import { CampaignBroken } from './broken.js';
import type { CaseOptions } from './case.js';
import { Collector } from './collector.js';
import { type CampaignDependencies, DEFAULT_LIMITS } from './dependencies.js';
import { unfit } from './fits.js';
import { certainClauses, identityKey } from './identity.js';
import { InFlight } from './inflight.js';
import { matchKnown } from './known.js';
import { CaseMaker, type CaseOrigin } from './origin.js';
import { Pace } from './pace.js';
import type { Built, Property } from './property.js';
import type { CaseRecord } from './record.js';
import { assemble } from './result.js';
import { type Batch, CaseBench, type CaseRunner, runInOrder } from './runner.js';
import { weightOf } from './schedule.js';
import { charge, countedCases, countedSweeps, type Job, sharedCases, sharedSweeps } from './turns.js';
import type { CampaignOptions, CampaignResult, FoundDeviation, Progress, StoredCase } from './types.js';
import { NothingExecuted } from './verdict.js';

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 200;

/** A campaign under way. */
class Campaign {
  private readonly collector = new Collector();
  private readonly pace: Pace;
  private readonly bench: CaseBench;
  private readonly runner: CaseRunner;
  private readonly jobs: readonly Job[];
  private readonly jobOf: ReadonlyMap<string, Job>;
  /** Clauses that the target has. */
  private readonly wanted: ReadonlySet<string>;
  private readonly caseOptions: Omit<CaseOptions, 'built' | 'property'>;
  private readonly context: Aftermath;
  private readonly followed = new Map<string, FoundDeviation>();
  private readonly lookedFor = new Set<string>();
  private readonly planned: number;
  private phase: Progress['phase'] = 'stored cases';
  private property = '';
  private done = 0;
  private reported = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly target: Target,
    private readonly profile: Profile,
    private readonly properties: readonly Property[],
    private readonly options: CampaignOptions,
    private readonly deps: CampaignDependencies,
    inFlight: InFlight,
  ) {
    const now = deps.now ?? (() => performance.now());
    const { signal } = options;
    this.pace = new Pace(options.seconds, now, signal);
    const known = matchKnown(options.known, profile.implementation);
    const certain = certainClauses(deps.catalogue);
    this.caseOptions = { judge: deps.judge, known, profile, certain, drive: deps.drive };
    const applies = (clause: Clause): boolean => deps.clauseApplies?.(clause, profile) ?? true;
    this.wanted = new Set(deps.catalogue.filter(applies).map(({ id }) => id));
    this.jobs = properties.filter((p) => p.notApplicable?.(profile) === undefined).map((p) => this.job(p));
    this.jobOf = new Map(this.jobs.map((job) => [job.property.id, job]));
    const makers = new Map(this.jobs.map(({ property, maker }) => [property.id, maker]));
    this.bench = new CaseBench({ target, makers, options: this.caseOptions, inFlight, now });
    this.runner = deps.runner ?? this.bench;
    this.planned = this.jobs.reduce((n, { maker }) => n + maker.sweepSize + (options.cases ?? 0), 0);
    this.context = {
      target,
      profile,
      folder: join(options.out, 'cases'),
      deps,
      limits: { ...DEFAULT_LIMITS, ...deps.limits },
      options: this.caseOptions,
      properties: new Map(properties.map((p) => [p.id, p])),
      pace: this.pace,
      inFlight,
      now,
      signal,
      phase: (phase) => this.report(phase, this.property, true),
    };
  }

  async run(): Promise<CampaignResult> {
    const started = new Date().toISOString();
    try {
      await this.storedCases();
      do {
        await this.sweeps();
        await this.randomCases();
        await this.followUps();
        // Time kept back for shrinking and not needed goes to more cases.
      } while (this.options.cases === undefined && this.jobs.length > 0 && this.goesOn);
    } catch (error) {
      if (this.collector.totals.cases === 0) throw error;
      throw new CampaignBroken(this.result(started, true), error);
    }
    const { interrupted } = this.pace;
    if (this.collector.totals.cases === 0 && !interrupted) throw new NothingExecuted(this.whyNothing());
    return this.result(started, interrupted);
  }

  private get goesOn(): boolean {
    return this.pace.left > 0 && !this.pace.interrupted;
  }

  /** What was done until now; findings that nobody followed up are in it as they were found. */
  private result(started: string, interrupted: boolean): CampaignResult {
    const { target, profile, properties, options, deps, collector, lookedFor, pace } = this;
    const deviations = [...collector.found].map(([key, collected]) => {
      const found = this.followed.get(key) ?? asFound(this.context, collected);
      return { ...found, hits: collected.hits };
    });
    const sweepSizes = new Map(this.jobs.map(({ property, maker }) => [property.id, maker.sweepSize]));
    const seconds = pace.elapsed / 1000;
    return assemble(
      { started, seconds, interrupted, target: target.id, profile, properties, options, deps },
      { collector, deviations, lookedFor, sweepSizes },
    );
  }

  private job(property: Property): Job {
    const { collector } = this;
    const maker = new CaseMaker(property, this.profile);
    const order = maker.sweepOrder(this.options.seed);
    const weight = (): number => weightOf(property.clauses, this.wanted, collector.clauses);
    return { property, maker, order, swept: 0, drawn: 0, sweep: { spent: 0, weight }, random: { spent: 0, weight } };
  }

  private whyNothing(): string {
    const { properties, profile, options } = this;
    if (properties.length === 0) return 'no case was executed: no property was given';
    const reasons = properties.map((p) => `${p.id}: ${p.notApplicable?.(profile) ?? 'applicable'}`);
    return `no case was executed in ${options.seconds ?? 'any number of'} seconds (${reasons.join('; ')})`;
  }

  private get over(): boolean {
    return this.pace.collected(this.collector.found.size - this.followed.size, this.context.limits.shrinkSeconds);
  }

  /** Counts a case and keeps it at once when it found something new, so that nothing is lost if we are killed. */
  private take(record: CaseRecord): void {
    const { origin, found } = record;
    for (const { finding } of this.collector.record(record)) {
      keep(this.context, finding, found!.ran, origin.kind !== 'stored');
    }
  }

  private async storedCases(): Promise<void> {
    for (const { file, stored } of this.options.stored) {
      if (this.over) return;
      if (unfit(this.profile, stored.scenario) !== undefined) continue;
      this.report('stored cases', stored.property);
      await this.storedCase(file, stored);
    }
  }

  private async storedCase(file: string, stored: StoredCase): Promise<void> {
    const { seed, index } = stored.origin;
    const origin: CaseOrigin = { kind: 'stored', property: stored.property, seed, index, file };
    const built: Built = { scenario: stored.scenario, labels: {}, expectation: stored.expectation };
    // A claim may rest on facts that only the case of that very claim has kept.
    const property = stored.identity.kind === 'claim' ? this.context.properties.get(stored.property) : undefined;
    const record = await this.bench.one(origin, built, property);
    this.take(record);
    await this.pace.breathe();
    // Only a case that ended as it should says that a known deviation is gone.
    const settled = record.judgement.verdict === 'conformant' && record.found === undefined;
    if (settled && !record.failed) this.lookedFor.add(identityKey(stored.identity));
  }

  /** The sweeps; with a time budget, more of those whose properties have clauses not exercised yet, and at most half of it. */
  private sweeps(): Promise<void> {
    const { seed, cases } = this.options;
    if (cases !== undefined) return this.collect(countedSweeps(this.jobs, seed), () => this.over);
    return this.collect(sharedSweeps(this.jobs, seed), () => this.over || this.pace.sweepsOver);
  }

  private randomCases(): Promise<void> {
    const { seed, cases } = this.options;
    const turns = cases === undefined ? sharedCases(this.jobs, seed) : countedCases(this.jobs, seed, cases);
    return this.collect(turns, () => this.over);
  }

  private collect(turns: Generator<CaseOrigin, undefined>, over: () => boolean): Promise<void> {
    const next = (): CaseOrigin | undefined => {
      const origin = over() ? undefined : turns.next().value;
      if (origin !== undefined) this.report(origin.kind === 'sweep' ? 'sweep' : 'random', origin.property);
      return origin;
    };
    return runInOrder(this.runner, next, (batch) => this.taken(batch));
  }

  private async taken({ records, milliseconds }: Batch): Promise<void> {
    for (const record of records) {
      const { kind, property } = record.origin;
      charge(this.jobOf.get(property)!, kind, milliseconds / records.length);
      if ('lost' in record) this.options.onLost?.(record);
      else this.take(record);
      this.done += 1;
    }
    await this.pace.breathe();
  }

  /** Shrinks, confirms and stores what was found, certain findings first. */
  private async followUps(): Promise<void> {
    const fresh = [...this.collector.found].filter(([key]) => !this.followed.has(key));
    const sorted = fresh.sort(([, a], [, b]) => Number(b.finding.certain) - Number(a.finding.certain));
    const begun = this.pace.elapsed;
    for (const [index, [key, collected]] of sorted.entries()) {
      this.property = collected.case.origin.property;
      const others = sorted.length - index - 1;
      this.followed.set(key, await followUp(this.context, collected, others, this.pace.elapsed - begun));
    }
  }

  private report(phase: Progress['phase'], property: string, always = false): void {
    this.property = property;
    const { onProgress } = this.options;
    if (onProgress === undefined) return;
    const { elapsed } = this.pace;
    if (!always && phase === this.phase && elapsed - this.reported < REPORT_EVERY) return;
    this.reported = elapsed;
    this.phase = phase;
    const { cases, operations } = this.collector.totals;
    const share = this.options.cases === undefined ? this.pace.share : this.done / Math.max(1, this.planned);
    const elapsedSeconds = elapsed / 1000;
    onProgress({ property, phase, cases, operations, deviations: this.collector.found.size, share, elapsedSeconds });
  }
}

/**
 * Runs properties on a target: stored cases first, then sweeps, then random cases; never stops at a finding. Afterwards
 * each distinct finding is shrunk, confirmed on a cold restart, and stored under `OUT/cases`. With `cases` the run is
 * repeatable: that many random cases of each property and the whole of each sweep; with `seconds` sweeps take at most
 * half of the time. With both, whichever ends first. `target` is left open.
 *
 * @throws RangeError when neither `cases` nor `seconds` is given
 * @throws NothingExecuted when no case ran
 * @throws CampaignBroken, with the result until then, when it cannot go on: nothing can be written, the target cannot be
 *   started again, a bug of ours
 * @throws NoSoftware for a stored case of software under test without `deps.drive`
 */
export async function runCampaign(
  target: Target,
  properties: readonly Property[],
  options: CampaignOptions,
  deps: CampaignDependencies,
): Promise<CampaignResult> {
  if (options.cases === undefined && options.seconds === undefined) {
    throw new RangeError('a campaign needs a number of cases or a number of seconds');
  }
  const profile = await target.describe();
  makeFolder(options.out);
  const inFlight = new InFlight(options.out, target.id, profile);
  let ended = false;
  try {
    const result = await new Campaign(target, profile, properties, options, deps, inFlight).run();
    ended = true;
    return result;
  } catch (error) {
    ended = error instanceof NothingExecuted;
    throw error;
  } finally {
    // After an error of our own the file stays: it holds the case that led to it.
    inFlight.close(ended);
  }
}
