import { join } from 'node:path';
import { writeAtomically } from '../formats/files.js';
import { encodeReport, type Report } from '../formats/report.js';
import { renderMarkdown } from './markdown.js';

/** Where a report was written. */
export interface WrittenReport {
  readonly json: string;
  readonly markdown: string;
}

/**
 * Writes `report.json` and `summary.md` into a folder, each as a whole or not at all, and one even when the other cannot be
 * written.
 *
 * @throws CannotWrite with the reason
 */
export function writeReport(report: Report, folder: string): WrittenReport {
  const json = join(folder, 'report.json');
  const markdown = join(folder, 'summary.md');
  const text = encodeReport(report);
  try {
    writeAtomically(json, text);
  } finally {
    writeAtomically(markdown, renderMarkdown(report));
  }
  return { json, markdown };
}
