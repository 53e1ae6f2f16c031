import type { Finding } from '../../spec/interface/judgement.js';
import { identityKey } from './identity.js';
import type { CaseRecord, RanCase } from './record.js';
import type { CampaignResult } from './types.js';

/** A distinct finding with the smallest case that showed it. */
export interface Collected {
  readonly finding: Finding;
  readonly case: RanCase;
  readonly length: number;
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

  /** Takes what a case came to; gives the findings that are new with it. */
  record(record: CaseRecord): readonly Collected[] {
    const { origin, found } = record;
    if (this.sum(record)) this.note(record);
    this.count(this.tally(origin.property), record);
    add(this.clauses, record.judgement.clauses);
    for (const finding of record.known) this.see(finding, record);
    if (found === undefined) return [];
    const findings = [found.finding, found.also].filter((finding) => finding !== undefined);
    return findings
      .map((finding) => this.collect(finding, record, found.ran))
      .filter((collected) => collected !== undefined);
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
  private sum({ origin, failed, admitted, found, judgement }: CaseRecord): boolean {
    const { statistics, undecided, verdict } = judgement;
    this.sums.cases += 1;
    this.sums.operations += statistics.operations;
    this.sums.judged += statistics.judged;
    for (const { kind } of undecided) if (kind === 'undefined') this.sums.undefinedOperations += 1;
    if (found !== undefined) this.verdicts.deviantCases += 1;
    // What only a known deviation left undecided is its doing, not the judge's; nor was a stored case made for this profile.
    const undecidedCase =
      found === undefined && verdict === 'inconclusive' && origin.kind !== 'stored' && !failed && !admitted;
    if (undecidedCase) this.verdicts.inconclusiveCases += 1;
    if (failed) this.verdicts.restarts += 1;
    this.admissible.sum += statistics.admissible.sum;
    this.admissible.count += statistics.admissible.count;
    this.mostWorlds = Math.max(this.mostWorlds, statistics.worlds);
    return undecidedCase;
  }

  private note({ origin, judgement }: CaseRecord): void {
    const { undecided } = judgement;
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

  private count(tally: Tally, { origin, found, admitted, requests, labels, judgement }: CaseRecord): void {
    if (origin.kind === 'stored') return;
    if (judgement.verdict === 'inconclusive' && found === undefined && !admitted) tally.inconclusive += 1;
    if (origin.kind === 'sweep') {
      tally.swept += 1;
      return;
    }
    tally.cases += 1;
    tally.requests += requests;
    if (requests > 0) tally.casesWithRequests += 1;
    add(tally.labels, judgement.labels);
    add(tally.labels, labels);
  }

  private see(finding: Finding, { origin, length }: CaseRecord): void {
    const key = identityKey(finding);
    const seen = this.known.get(key) ?? { finding, property: origin.property, hits: 0, operations: length };
    this.known.set(key, { ...seen, hits: seen.hits + 1 });
  }

  private collect(finding: Finding, { length }: CaseRecord, ran: RanCase): Collected | undefined {
    const key = identityKey(finding);
    const seen = this.found.get(key);
    if (seen === undefined) {
      const collected = { finding, case: ran, length, hits: 1 };
      this.found.set(key, collected);
      return collected;
    }
    // Smaller cases shrink faster. A certain one is worth more than one that is only suspect.
    const better =
      finding.certain === seen.finding.certain ? length < seen.length : finding.certain && !seen.finding.certain;
    this.found.set(key, { ...(better ? { finding, case: ran, length } : seen), hits: seen.hits + 1 });
    return undefined;
  }
}
