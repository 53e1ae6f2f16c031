#!/usr/bin/env node
/**
 * How fast the engine translates, next to a bare walk and a bare IOTLB over the same tables in the same run.
 *
 *     npm run bench -- [--rounds 7] [--turn 60] [--pages 64,4096,65536] [--json]
 *
 * Speeds depend on the machine and on what else it does; the shares are what counts. The exit code says only whether it
 * could run.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { DEFAULT_SHAPE, shapeOf } from '../engine/index.js';
import { type Measured, measure } from './measure.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    turn: { type: 'string', default: '60' },
    pages: { type: 'string', default: '64,4096,65536' },
    json: { type: 'boolean', default: false },
  },
});

const shape = shapeOf(DEFAULT_SHAPE);
const WIDTHS = [7, 7, 32, 9, 7, 7] as const;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, n) => (n === 2 ? cell.padEnd(WIDTHS[n]!) : cell.padStart(WIDTHS[n] ?? 0))).join('  ');
}

function rowOf({ pages, spread, name, millions, share, aim }: Measured): string {
  const ratio = share === undefined ? '' : share.toFixed(2);
  const wanted = aim === undefined ? '' : `${aim}${(share ?? 0) >= aim ? '' : ' !'}`;
  return row([String(pages), spread, name, millions.toFixed(1), ratio, wanted]);
}

const all: Measured[] = [];
if (!values.json) {
  const { root, context, structure, iotlb } = shape.caches;
  say(
    `Shape ${shape.name}: ${root} root entries, ${context} contexts, ${structure} entries of each level that point to`,
  );
  say(`tables, an IOTLB of ${iotlb}; otherwise where a line says so, and for hits an IOTLB that all pages fit.`);
  say(
    `Node ${process.version}, ${cpus()[0]?.model.trim() ?? 'processor unknown'}, medians of ${values.rounds} rounds.\n`,
  );
  say(row(['pages', '', 'RemappingUnit.translate', 'M/s', 'share', 'aim']));
}
await measure(
  {
    shape,
    pages: values.pages.split(',').map(Number),
    spreads: ['dense', 'sparse'],
    rounds: Number(values.rounds),
    turn: Number(values.turn),
  },
  (measured) => {
    all.push(measured);
    if (!values.json) say(rowOf(measured));
  },
);
if (values.json) {
  say(
    JSON.stringify(
      { node: process.version, processor: cpus()[0]?.model.trim(), shape: shape.name, measured: all },
      null,
      2,
    ),
  );
}
