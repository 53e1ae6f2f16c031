import type { DefectResult } from './hunters.js';
import { lineOf, totalOf } from './summary.js';

/** A run over defects, as it is written down. */
export interface BugsRun {
  /** The first seed. */
  readonly seed: number;
  /** Most cases of a seed. */
  readonly cases: number;
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly results: readonly DefectResult[];
}

/** The text of `bugs.json`. */
export function encodeBugs({ results, ...run }: BugsRun): string {
  const defects = results.map((result) => {
    const { defect, outcomes, shrunk } = result;
    const { id: _, area, row, ...line } = lineOf(result);
    return {
      id: defect.id,
      area,
      shipped: { ...defect.shipped, row },
      plants: defect.plants,
      file: defect.file,
      ...line,
      ...(shrunk === undefined ? {} : { shrunk }),
      outcomes,
    };
  });
  return `${JSON.stringify({ format: 'iovcheck-bugs', version: 1, ...run, total: totalOf(results), defects }, undefined, 2)}\n`;
}
