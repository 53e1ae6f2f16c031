import type { DefectResult } from './hunters.js';
import type { Outcome } from './outcome.js';

/** Least share of all runs that must find their defect. */
export const ENOUGH = 0.95;

/** One defect in a table. */
export interface DefectLine {
  readonly id: string;
  readonly area: string;
  /** Row of the collection of published bugs. */
  readonly row: number;
  readonly runs: number;
  readonly found: number;
  /** What found it most often; empty when nothing did. */
  readonly property: string;
  readonly clause: string;
  /** Medians over the runs that found it. */
  readonly cases: number;
  readonly seconds: number;
  /** Operations of the shrunk case. */
  readonly operations?: number;
}

/** All defects together. */
export interface Total {
  readonly runs: number;
  readonly found: number;
  readonly share: number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

/** Sums up what became of one defect. */
export function lineOf({ defect, outcomes, shrunk }: DefectResult): DefectLine {
  const hits = outcomes.filter(({ found }) => found !== undefined);
  // Property and clause belong together.
  const both = mostFrequent(hits.map(({ found }) => `${found?.property}\n${found?.clause}`));
  const [property = '', clause = ''] = both.split('\n');
  return {
    id: defect.id,
    area: defect.area,
    row: defect.shipped.row,
    runs: outcomes.length,
    found: hits.length,
    property,
    clause,
    cases: median(hits.map(({ cases }) => cases)),
    seconds: median(hits.map(({ seconds }) => seconds)),
    ...(shrunk === undefined ? {} : { operations: shrunk.to }),
  };
}

/** How many of all runs found their defect. */
export function totalOf(results: readonly DefectResult[]): Total {
  const outcomes = results.flatMap((result) => result.outcomes);
  const found = outcomes.filter((outcome) => outcome.found !== undefined).length;
  return { runs: outcomes.length, found, share: outcomes.length === 0 ? 0 : found / outcomes.length };
}

/** The runs that did not find their defect. */
export function survivors(results: readonly DefectResult[]): readonly Outcome[] {
  return results.flatMap(({ outcomes }) => outcomes.filter(({ found }) => found === undefined));
}
