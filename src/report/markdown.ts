import type { Report } from '../formats/report.js';
import { caseText, mergedDeviations, standingOf } from './merge.js';
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

/** Makes a text safe inside a table cell. */
function cell(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('|', '\\|').replaceAll('<', '&lt;').replace(/\s+/g, ' ');
}

function table({ title, head, rows, numeric }: TableData): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    `## ${title}`,
    '',
    line(head),
    line(head.map((_, column) => (numeric.includes(column) ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(cell))),
    '',
  ];
}

function code(text: string): string[] {
  return ['```', text.replaceAll('```', "'''"), '```', ''];
}

function deviationSections(report: Report): string[] {
  return mergedDeviations(report).flatMap((each) => [
    `### ${standingOf(each)}: ${each.clause} ${each.kind}`,
    '',
    `- what: ${each.discriminator}`,
    `- expected: ${each.expected}`,
    `- observed: ${each.observed}`,
    `- seen on ${each.runs.join(', ')} in ${each.hits} case${each.hits === 1 ? '' : 's'} of ${each.property}`,
    `- case: ${caseText(each)} (${each.operations} operations)`,
    '',
    ...code(each.command),
  ]);
}

/** The report for a person to read: verdict first. */
export function renderMarkdown(report: Report): string {
  const implementations = [...new Set(report.runs.map((run) => run.profile.implementation))];
  const lines = [
    `# ${report.verdict}`,
    '',
    report.summary,
    '',
    ...implementations.map((each) => `- target: ${each}`),
    `- tool: ${report.tool.name} ${report.tool.version}`,
    ...[...new Set(report.runs.map((run) => run.started))].slice(0, 1).map((each) => `- started: ${each}`),
    '',
    ...table(deviationsTable(report)),
    ...deviationSections(report),
    ...table(undecidedTable(report)),
    ...table(staleTable(report)),
    ...table(runsTable(report)),
    ...table(decisionTable(report)),
    ...table(propertiesTable(report)),
    ...table(clausesTable(report)),
    ...table(labelsTable(report)),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}
