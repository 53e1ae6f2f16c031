import type { Finding, Judgement } from '../../spec/interface/judgement.js';
import type { CaseOrigin } from './origin.js';
import type { Built } from './property.js';
import type { CaseOutcome } from './types.js';

/** A case that was run. */
export interface RanCase {
  readonly origin: CaseOrigin;
  readonly built: Built;
  readonly outcome: CaseOutcome;
}

/** What is counted of a case that was run, and the whole of it where it found something; plain data. */
export interface CaseRecord {
  readonly origin: CaseOrigin;
  /** Operations, or stimuli. */
  readonly length: number;
  /** Device requests that were made. */
  readonly requests: number;
  /** Whether the target failed. */
  readonly failed: boolean;
  /** Labels of what was made. */
  readonly labels: Readonly<Record<string, number>>;
  readonly judgement: Pick<Judgement, 'verdict' | 'undecided' | 'clauses' | 'labels' | 'statistics'>;
  /** Whether the judgement rests on a known deviation. */
  readonly admitted: boolean;
  readonly known: readonly Finding[];
  readonly found?: { readonly finding: Finding; readonly also?: Finding; readonly ran: RanCase };
}

/** Scenario length: operations, or stimuli. */
export function lengthOf(built: Built): number {
  return built.scenario.level === 'operations' ? built.scenario.operations.length : built.scenario.stimuli.length;
}

/** Sums a case up. */
export function recordOf(ran: RanCase): CaseRecord {
  const { origin, built, outcome } = ran;
  const { history, finding, also, known } = outcome;
  const { verdict, undecided, clauses, labels, statistics } = outcome.judgement;
  let requests = 0;
  for (const { operation } of history.steps) if (operation.op === 'dma' || operation.op === 'signal') requests += 1;
  const record = {
    origin,
    length: lengthOf(built),
    requests,
    failed: history.failure !== undefined,
    labels: built.labels,
    judgement: { verdict, undecided, clauses, labels, statistics },
    admitted: outcome.judgement.known.length > 0,
    known,
  };
  if (finding === undefined) return record;
  return { ...record, found: { finding, ...(also === undefined ? {} : { also }), ran } };
}
