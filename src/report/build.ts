import type { Clause } from '../../spec/interface/judgement.js';
import type { Report, ReportRun, RunVerdict } from '../formats/report.js';
import type { CampaignResult, ClauseLine, FoundDeviation } from '../harness/types.js';

/** Exit code of a run: 0 conformant, 1 new deviation, 2 inconclusive or under-exercised, 3 target failure, 64 nothing executed. */
export type ExitCode = Report['exitCode'];

/** A campaign with what the harness says of it. */
export interface JudgedRun {
  /** The target and which variant of it, for people. */
  readonly name: string;
  readonly result: CampaignResult;
  readonly code: ExitCode;
  /** The verdict with its reasons, one line. */
  readonly line: string;
}

export interface ReportContext {
  readonly catalogue: readonly Clause[];
  readonly tool: { readonly name: string; readonly version: string };
}

/** The clause that stands for a failed target (see `FindingIdentity`). */
const TARGET = 'TARGET';

const VERDICTS: Readonly<Record<ExitCode, RunVerdict>> = {
  0: 'conformant',
  1: 'deviant',
  2: 'inconclusive',
  3: 'target-failure',
  64: 'nothing-executed',
};

/** Which code stands for several runs: the first of these that any has. */
const PRECEDENCE: readonly ExitCode[] = [1, 3, 2, 0, 64];

/** The exit code of several runs together: a deviation before a failed target, that before what is undecided. */
export function combinedCode(codes: readonly ExitCode[]): ExitCode {
  return PRECEDENCE.find((code) => codes.includes(code)) ?? 64;
}

/** The report of one or more campaigns. */
export function buildReport(runs: readonly JudgedRun[], context: ReportContext): Report {
  const exitCode = combinedCode(runs.map((run) => run.code));
  const clauses = new Map(context.catalogue.map((clause) => [clause.id, clause]));
  return {
    format: 'iovcheck-report',
    version: 1,
    tool: { ...context.tool },
    verdict: VERDICTS[exitCode],
    exitCode,
    summary: runs.length === 1 ? runs[0]!.line : summaryOf(runs, exitCode),
    runs: runs.map((run) => reportRun(run, clauses)),
  };
}

/** One line for several runs. */
function summaryOf(runs: readonly JudgedRun[], code: ExitCode): string {
  const text = verdictText(runs, code);
  const interrupted = runs.some(({ result }) => result.interrupted) && !text.includes('interrupted');
  return interrupted ? `${text}; interrupted` : text;
}

function verdictText(runs: readonly JudgedRun[], code: ExitCode): string {
  const decisive = runs.filter((run) => run.code === code);
  const where = `${decisive.length} of ${runs.length} runs`;
  const aside = distinct(runs, ({ known }) => known);
  const more = aside === 0 ? '' : ` (${counted(aside, 'known deviation')})`;
  if (code === 0) {
    const sum = (of: (totals: CampaignResult['totals']) => number): number =>
      runs.reduce((total, run) => total + of(run.result.totals), 0);
    return `conformant${more}: ${where}, ${sum((t) => t.cases)} cases, ${sum((t) => t.judged)} operations judged`;
  }
  if (code === 1) {
    const fresh = (each: FoundDeviation): boolean => !each.known && each.finding.certain && each.confirmed;
    const deviations = distinct(runs, (each) => fresh(each) && each.finding.clause !== TARGET);
    const failures = distinct(runs, (each) => fresh(each) && each.finding.clause === TARGET);
    const also = failures === 0 ? '' : ` and ${counted(failures, 'target failure')}`;
    return `${counted(deviations, 'new deviation')} in ${where}${also}${more}`;
  }
  const first = decisive[0];
  return first === undefined ? 'nothing was executed' : `${where}, the first of them ${first.name}: ${first.line}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** How many identities the deviations of a kind have over all runs. */
function distinct(runs: readonly JudgedRun[], kind: (deviation: FoundDeviation) => boolean): number {
  const all = runs.flatMap(({ result }) => result.deviations.filter(kind));
  return new Set(
    all.map(({ finding: { clause, kind: how, discriminator } }) => JSON.stringify([clause, how, discriminator])),
  ).size;
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? Math.round((count / seconds) * 10) / 10 : 0;
}

function reportRun({ name, result, code, line }: JudgedRun, clauses: ReadonlyMap<string, Clause>): ReportRun {
  const { totals, seconds } = result;
  return {
    name,
    target: result.target,
    verdict: VERDICTS[code],
    summary: line,
    seed: result.seed,
    started: result.started,
    seconds: Math.round(seconds * 1000) / 1000,
    interrupted: result.interrupted,
    profile: result.profile,
    totals: {
      ...totals,
      casesPerSecond: perSecond(totals.cases, seconds),
      operationsPerSecond: perSecond(totals.operations, seconds),
    },
    deviations: result.deviations.map(reportDeviation),
    undecided: result.undecided.map((each) => ({ ...each })),
    stale: result.stale.map(({ clause, kind, discriminator }) => ({ clause, kind, discriminator })),
    clauses: result.clauses.map((each) => reportClause(each, clauses.get(each.clause))),
    labels: result.labels.map((label) => ({ ...label })),
    properties: result.properties.map((property) => ({ ...property })),
  };
}

function reportDeviation({ finding, ...found }: FoundDeviation): ReportRun['deviations'][number] {
  const { clause, kind, discriminator, certain, expected, observed } = finding;
  const { known, confirmed, hits, property, file, operations, command } = found;
  return {
    clause,
    kind,
    discriminator,
    certain,
    known,
    confirmed,
    hits,
    property,
    expected,
    observed,
    file,
    operations,
    command,
  };
}

function reportClause(line: ClauseLine, clause: Clause | undefined): ReportRun['clauses'][number] {
  if (clause === undefined) return { ...line };
  const { document, section, rule, obligation, tag } = clause;
  return { ...line, document, section, rule, obligation, tag };
}
