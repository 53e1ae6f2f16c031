import type { Report, ReportRun } from '../formats/report.js';
import { mergedClauses, mergedDeviations, mergedLabels, standingOf } from './merge.js';

/** A table, whatever it is drawn with. */
export interface TableData {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Positions of columns that hold numbers. */
  readonly numeric: readonly number[];
}

const GROUPED = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

function number(value: number): string {
  return GROUPED.format(value);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** The runs, with what each did and how fast. */
export function runsTable(report: Report): TableData {
  return {
    title: 'Runs',
    head: ['run', 'verdict', 'seed', 'seconds', 'cases', 'cases/s', 'operations', 'operations/s', 'judged', 'restarts'],
    numeric: [2, 3, 4, 5, 6, 7, 8, 9],
    rows: report.runs.map((run) => [
      run.name,
      run.interrupted ? `${run.verdict} (interrupted)` : run.verdict,
      String(run.seed),
      run.seconds.toFixed(1),
      number(run.totals.cases),
      number(run.totals.casesPerSecond),
      number(run.totals.operations),
      number(run.totals.operationsPerSecond),
      percent(judgedShare(run)),
      number(run.totals.restarts),
    ]),
  };
}

function judgedShare({ totals }: ReportRun): number {
  return totals.operations === 0 ? 0 : totals.judged / totals.operations;
}

/** How well the runs could tell: what was left undecided, and how much the specification admitted. */
export function decisionTable(report: Report): TableData {
  return {
    title: 'Decisions',
    head: ['run', 'deviant cases', 'inconclusive cases', 'undefined operations', 'mean admissible', 'most worlds'],
    numeric: [1, 2, 3, 4, 5],
    rows: report.runs.map(({ name, totals }) => [
      name,
      number(totals.deviantCases),
      number(totals.inconclusiveCases),
      number(totals.undefinedOperations),
      totals.meanAdmissible.toFixed(2),
      number(totals.mostWorlds),
    ]),
  };
}

/** Why cases were left undecided. */
export function undecidedTable(report: Report): TableData {
  return {
    title: 'Undecided cases',
    head: ['run', 'reason', 'cases', 'first'],
    numeric: [2],
    rows: report.runs.flatMap(({ name, undecided }) =>
      undecided.map(({ reason, cases, first }) => [name, reason, number(cases), first]),
    ),
  };
}

/** Distinct deviations, worst first. */
export function deviationsTable(report: Report): TableData {
  return {
    title: 'Distinct deviations',
    head: ['', 'clause', 'kind', 'discriminator', 'hits', 'operations'],
    numeric: [4, 5],
    rows: mergedDeviations(report).map((each) => [
      standingOf(each),
      each.clause,
      each.kind,
      each.discriminator,
      number(each.hits),
      number(each.operations),
    ]),
  };
}

/** Known deviations that no longer happen. */
export function staleTable(report: Report): TableData {
  const stale = report.runs.flatMap((run) =>
    run.stale.map((each) => [run.name, each.clause, each.kind, each.discriminator]),
  );
  return {
    title: 'Known deviations that did not happen (STALE)',
    head: ['run', 'clause', 'kind', 'discriminator'],
    numeric: [],
    rows: stale,
  };
}

/** A row per clause. */
export function clausesTable(report: Report): TableData {
  return {
    title: 'Clauses',
    head: ['clause', 'verdict', 'exercised', 'findings', 'section'],
    numeric: [2, 3],
    rows: mergedClauses(report).map((each) => [
      each.clause,
      each.verdict,
      number(each.exercised),
      number(each.findings),
      each.section ?? '',
    ]),
  };
}

/** A row per property, with its cases over all runs. */
export function propertiesTable(report: Report): TableData {
  const ids = [...new Set(report.runs.flatMap((run) => run.properties.map((each) => each.property)))];
  return {
    title: 'Properties',
    head: ['property', 'cases', 'swept', 'claim'],
    numeric: [1, 2],
    rows: ids.map((id) => {
      const all = report.runs.flatMap((run) => run.properties.filter((each) => each.property === id));
      const idle = all.every((each) => each.notApplicable !== undefined) ? all[0]?.notApplicable : undefined;
      const swept = all.reduce((sum, each) => sum + each.swept, 0);
      const size = all.reduce((sum, each) => sum + each.sweepSize, 0);
      return [
        id,
        number(all.reduce((sum, each) => sum + each.cases, 0)),
        size === 0 ? '-' : `${number(swept)} of ${number(size)}`,
        idle === undefined ? (all[0]?.claim ?? '') : `not applicable: ${idle}`,
      ];
    }),
  };
}

/** A row per property and label. */
export function labelsTable(report: Report): TableData {
  return {
    title: 'Labels',
    head: ['property', 'label', 'share', 'minimum', 'of', ''],
    numeric: [2, 3, 4],
    rows: mergedLabels(report).map((each) => [
      each.property,
      each.label,
      percent(each.of === 0 ? 0 : each.count / each.of),
      percent(each.minimum),
      number(each.of),
      each.verdict,
    ]),
  };
}
