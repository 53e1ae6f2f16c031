/** The report: from what campaigns found to files and text. */
export { buildReport, combinedCode, type ExitCode, type JudgedRun, type ReportContext } from './build.js';
export { renderMarkdown } from './markdown.js';
export type { TableData } from './tables.js';
export { drawTable, renderTerminal, type TerminalOptions } from './terminal.js';
export { type WrittenReport, writeReport } from './write.js';
