import type { Report, ReportRun } from '../formats/report.js';

type Deviation = ReportRun['deviations'][number];
type ClauseRow = ReportRun['clauses'][number];
type LabelRow = ReportRun['labels'][number];

/** A distinct deviation over all runs of a report. */
export interface MergedDeviation extends Deviation {
  /** Names of the runs that showed it. */
  readonly runs: readonly string[];
}

/** What a deviation counts as. */
export type Standing = 'FAIL' | 'SUSPECT' | 'UNCONFIRMED' | 'KNOWN';

/** What a deviation counts as: only FAIL fails a run. */
export function standingOf(deviation: Deviation): Standing {
  if (deviation.known) return 'KNOWN';
  if (!deviation.certain) return 'SUSPECT';
  return deviation.confirmed ? 'FAIL' : 'UNCONFIRMED';
}

/** Where the case of a deviation is kept, for people. */
export function caseText({ file }: Deviation): string {
  return file === '' ? 'its case could not be written' : file;
}

const STANDINGS: readonly Standing[] = ['FAIL', 'UNCONFIRMED', 'SUSPECT', 'KNOWN'];

/** When runs differ, the clause gets the first of these. */
const CLAUSE_ORDER: readonly ClauseRow['verdict'][] = [
  'FAIL',
  'SUSPECT',
  'INCONCLUSIVE',
  'KNOWN',
  'STALE',
  'PASS',
  'NOT EXERCISED',
  'NOT APPLICABLE',
];

/** The distinct deviations of all runs, worst first; hits are added up, the case is the shortest one. */
export function mergedDeviations(report: Report): MergedDeviation[] {
  const merged = new Map<string, MergedDeviation>();
  for (const run of report.runs) {
    for (const each of run.deviations) {
      const key = JSON.stringify([standingOf(each), each.clause, each.kind, each.discriminator]);
      const before = merged.get(key);
      const runs = [...(before?.runs ?? []), run.name];
      const shown = before !== undefined && before.operations <= each.operations ? before : each;
      merged.set(key, { ...shown, hits: (before?.hits ?? 0) + each.hits, runs });
    }
  }
  return [...merged.values()].sort((a, b) => STANDINGS.indexOf(standingOf(a)) - STANDINGS.indexOf(standingOf(b)));
}

/** One row per clause over all runs. */
export function mergedClauses(report: Report): ClauseRow[] {
  const merged = new Map<string, ClauseRow>();
  for (const each of report.runs.flatMap((run) => run.clauses)) {
    const before = merged.get(each.clause);
    if (before === undefined) merged.set(each.clause, each);
    else {
      const verdict = CLAUSE_ORDER.find((one) => one === each.verdict || one === before.verdict) ?? each.verdict;
      const exercised = before.exercised + each.exercised;
      merged.set(each.clause, { ...before, verdict, exercised, findings: before.findings + each.findings });
    }
  }
  return [...merged.values()];
}

/** One row per property and label over all runs; low anywhere is low. */
export function mergedLabels(report: Report): LabelRow[] {
  const merged = new Map<string, LabelRow>();
  for (const each of report.runs.flatMap((run) => run.labels)) {
    const key = JSON.stringify([each.property, each.label]);
    const before = merged.get(key);
    if (before === undefined) merged.set(key, each);
    else {
      const verdict = (['low', 'ok', 'too few'] as const).find((one) => one === each.verdict || one === before.verdict);
      const minimum = Math.max(before.minimum, each.minimum);
      const count = before.count + each.count;
      merged.set(key, { ...before, count, of: before.of + each.of, minimum, verdict: verdict ?? each.verdict });
    }
  }
  return [...merged.values()];
}
