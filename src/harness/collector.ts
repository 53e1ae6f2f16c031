import type { Finding } from '../../spec/interface/judgement.js';
import { identityKey } from './identity.js';
import type { CaseOrigin } from './origin.js';
import type { Built } from './property.js';
import type { CampaignResult, CaseOutcome } from './types.js';

/** A case that was run. */
export interface RanCase {
  readonly origin: CaseOrigin;
  readonly built: Built;
  readonly outcome: CaseOutcome;
}

/** A distinct finding with the smallest case that showed it. */
export interface Collected {
  readonly finding: Finding;
  readonly case: RanCase;
  readonly hits: number;
}

/** A known deviation that happened. */
export interface KnownSeen {
  readonly finding: Finding;
  readonly property: string;
  readonly hits: number;
  readonly operations: number;
}

/** What is counted for one property. */
export interface Tally {
  /** Random cases and swept ones. */
  cases: number;
  swept: number;
  /** Random and swept cases that the judge could not decide. */
  inconclusive: number;
  /** Device requests of the random cases, and the random cases that had one. */
  requests: number;
  casesWithRequests: number;
  /** Labels of the random cases: sweeps dwell on corner cases on purpose and would drown the shares. */
  readonly labels: Map<string, number>;
}

/** Scenario length: operations, or stimuli. */
export function lengthOf(built: Built): number {
  return built.scenario.level === 'operations' ? built.scenario.operations.length : built.scenario.stimuli.length;
}

function add(counts: Map<string, number>, more: Readonly<Record<string, number>>): void {
  for (const key in more) counts.set(key, (counts.get(key) ?? 0) + more[key]!);
}

/** Sums up outcomes while a campaign runs. */
export class Collector {
  readonly found = new Map<string, Collected>();
  readonly known = new Map<string, KnownSeen>();
  readonly clauses = new Map<string, number>();
  readonly tallies = new Map<string, Tally>();
  private readonly sums = { cases: 0, operations: 0, judged: 0, undefinedOperations: 0 };
  private readonly verdicts = { inconclusiveCases: 0, deviantCases: 0, restarts: 0 };
  private readonly admissible = { sum: 0, count: 0 };
  private readonly undecidedReasons = new Map<string, { cases: number; readonly first: string }>();
  private mostWorlds = 0;

  /** Takes an outcome; gives the findings that are new with it. */
  record(ran: RanCase): readonly Collected[] {
    const { origin, outcome } = ran;
    if (this.sum(outcome, origin.kind === 'stored')) this.note(ran);
    this.count(this.tally(origin.property), ran);
    add(this.clauses, outcome.judgement.clauses);
    for (const finding of outcome.known) this.see(finding, ran);
    const findings = [outcome.finding, outcome.also].filter((finding) => finding !== undefined);
    return findings.map((finding) => this.collect(finding, ran)).filter((collected) => collected !== undefined);
  }

  tally(property: string): Tally {
    const existing = this.tallies.get(property);
    if (existing !== undefined) return existing;
    const fresh = { cases: 0, swept: 0, inconclusive: 0, requests: 0, casesWithRequests: 0, labels: new Map() };
    this.tallies.set(property, fresh);
    return fresh;
  }

  get totals(): CampaignResult['totals'] {
    const { sum, count } = this.admissible;
    const meanAdmissible = count === 0 ? 0 : sum / count;
    return { ...this.sums, ...this.verdicts, meanAdmissible, mostWorlds: this.mostWorlds };
  }

  /** Adds up an outcome; whether its case counts as undecided. */
  private sum(outcome: CaseOutcome, stored: boolean): boolean {
    const { statistics, undecided, verdict } = outcome.judgement;
    this.sums.cases += 1;
    this.sums.operations += statistics.operations;
    this.sums.judged += statistics.judged;
    for (const { kind } of undecided) if (kind === 'undefined') this.sums.undefinedOperations += 1;
    if (outcome.finding !== undefined) this.verdicts.deviantCases += 1;
    // What only a known deviation left undecided is its doing, not the judge's; nor was a stored case made for this profile.
    const undecidedCase =
      outcome.finding === undefined &&
      verdict === 'inconclusive' &&
      !stored &&
      outcome.history.failure === undefined &&
      outcome.judgement.known.length === 0;
    if (undecidedCase) this.verdicts.inconclusiveCases += 1;
    if (outcome.history.failure !== undefined) this.verdicts.restarts += 1;
    this.admissible.sum += statistics.admissible.sum;
    this.admissible.count += statistics.admissible.count;
    this.mostWorlds = Math.max(this.mostWorlds, statistics.worlds);
    return undecidedCase;
  }

  private note({ origin, outcome }: RanCase): void {
    const { undecided } = outcome.judgement;
    const why = undecided.find((each) => each.kind === 'inconclusive') ?? undecided[0];
    const reason = why?.reason ?? 'no reason given';
    const known = this.undecidedReasons.get(reason);
    if (known !== undefined) known.cases += 1;
    else
      this.undecidedReasons.set(reason, { cases: 1, first: `${origin.property}, ${origin.kind} case ${origin.index}` });
  }

  /** Why cases could not be decided, the most frequent reason first. */
  get undecided(): CampaignResult['undecided'] {
    const all = [...this.undecidedReasons].map(([reason, { cases, first }]) => ({ reason, cases, first }));
    return all.sort((a, b) => b.cases - a.cases);
  }

  private count(tally: Tally, { origin, built, outcome }: RanCase): void {
    if (origin.kind === 'stored') return;
    if (
      outcome.judgement.verdict === 'inconclusive' &&
      outcome.finding === undefined &&
      outcome.judgement.known.length === 0
    )
      tally.inconclusive += 1;
    if (origin.kind === 'sweep') {
      tally.swept += 1;
      return;
    }
    tally.cases += 1;
    let requests = 0;
    for (const { operation } of outcome.history.steps)
      if (operation.op === 'dma' || operation.op === 'signal') requests += 1;
    tally.requests += requests;
    if (requests > 0) tally.casesWithRequests += 1;
    add(tally.labels, outcome.judgement.labels);
    add(tally.labels, built.labels);
  }

  private see(finding: Finding, { origin, built }: RanCase): void {
    const key = identityKey(finding);
    const seen = this.known.get(key) ?? { finding, property: origin.property, hits: 0, operations: lengthOf(built) };
    this.known.set(key, { ...seen, hits: seen.hits + 1 });
  }

  private collect(finding: Finding, ran: RanCase): Collected | undefined {
    const key = identityKey(finding);
    const seen = this.found.get(key);
    if (seen === undefined) {
      const collected = { finding, case: ran, hits: 1 };
      this.found.set(key, collected);
      return collected;
    }
    // Smaller cases shrink faster. A certain one is worth more than one that is only suspect.
    const better =
      finding.certain === seen.finding.certain
        ? lengthOf(ran.built) < lengthOf(seen.case.built)
        : finding.certain && !seen.finding.certain;
    this.found.set(key, { ...(better ? { finding, case: ran } : seen), hits: seen.hits + 1 });
    return undefined;
  }
}
