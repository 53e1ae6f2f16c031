/** The report: from what campaigns found to files and text. */
export { buildReport, type ExitCode, type JudgedRun } from './build.js';
export { renderMarkdown } from './markdown.js';
export type { TableData } from './tables.js';
export { drawTable, renderTerminal } from './terminal.js';
export { writeReport } from './write.js';
