import { styleText } from 'node:util';
import Table from 'cli-table3';
import type { Report } from '../formats/report.js';
import { caseText, type MergedDeviation, mergedDeviations, type Standing, standingOf } from './merge.js';
import {
  clausesTable,
  decisionTable,
  deviationsTable,
  labelsTable,
  propertiesTable,
  runsTable,
  staleTable,
  type TableData,
  undecidedTable,
} from './tables.js';

export interface TerminalOptions {
  readonly colour: boolean;
  /** Columns of the terminal. */
  readonly width: number;
}

type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

/** Lines without frames: nothing but spaces between the columns. */
const PLAIN_CHARS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const;

const SHORTEST_COLUMN = 16;

/** Column widths that fit: the widest column gives way, and is wrapped. */
function fittingWidths(data: TableData, width: number): number[] {
  const widths = data.head.map((head, column) => Math.max(head.length, ...data.rows.map((row) => row[column]!.length)));
  const used = widths.reduce((sum, each) => sum + each, 0) + 2 * (widths.length - 1);
  const widest = widths.indexOf(Math.max(...widths));
  if (used > width) widths[widest] = Math.max(SHORTEST_COLUMN, widths[widest]! - (used - width));
  return widths;
}

/** Draws a table without frames, as wide as the terminal at most where its columns allow. */
export function drawTable(data: TableData, { colour, width }: TerminalOptions): string {
  const drawn = new Table({
    head: [...data.head],
    colAligns: data.head.map((_, column) => (data.numeric.includes(column) ? 'right' : 'left')),
    colWidths: fittingWidths(data, width),
    wordWrap: true,
    chars: PLAIN_CHARS,
    style: { 'padding-left': 0, 'padding-right': 0, head: colour ? ['gray'] : [], border: [], compact: true },
  });
  drawn.push(...data.rows.map((row) => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

const STANDING_STYLE: Readonly<Record<Standing, 'red' | 'yellow' | 'magenta' | 'gray'>> = {
  FAIL: 'red',
  UNCONFIRMED: 'magenta',
  SUSPECT: 'yellow',
  KNOWN: 'gray',
};

function block(each: MergedDeviation, paint: Paint): string {
  const standing = standingOf(each);
  return [
    `${paint(STANDING_STYLE[standing], standing)} ${each.clause} ${each.kind}: ${each.discriminator}`,
    `  expected ${each.expected}`,
    `  observed ${each.observed}`,
    `  on ${each.runs.join(', ')}; ${caseText(each)}`,
    `  ${paint('bold', each.command)}`,
  ].join('\n');
}

function sections(report: Report, options: TerminalOptions, paint: Paint): string[] {
  const tables = [
    runsTable(report),
    decisionTable(report),
    propertiesTable(report),
    clausesTable(report),
    labelsTable(report),
    undecidedTable(report),
    staleTable(report),
    deviationsTable(report),
  ];
  return tables
    .filter((data) => data.rows.length > 0)
    .map((data) => `${paint('bold', data.title)}\n${drawTable(data, options)}`);
}

/** The report for a terminal: the tables, then each new deviation with the command that reproduces it, the verdict last, where the eye is. */
export function renderTerminal(report: Report, options: TerminalOptions): string {
  const paint: Paint = (style, text) => (options.colour ? styleText(style, text, { validateStream: false }) : text);
  const fresh = mergedDeviations(report).filter((each) => standingOf(each) !== 'KNOWN');
  const style = report.exitCode === 0 ? 'green' : report.exitCode === 2 ? 'yellow' : 'red';
  return [
    ...sections(report, options, paint),
    ...fresh.map((each) => block(each, paint)),
    `${paint(style, report.verdict.toUpperCase())}  ${report.summary.replace(new RegExp(`^${report.verdict}:? `), '')}`,
  ].join('\n\n');
}
