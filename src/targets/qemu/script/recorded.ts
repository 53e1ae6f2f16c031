import type { LineSink } from '../pipeline.js';

/** The lines that something would send. */
export function linesOf(add: (sink: LineSink) => unknown): readonly string[] {
  const lines: string[] = [];
  add({ add: (text) => lines.push(text), read: (text) => lines.push(text) });
  return lines;
}
