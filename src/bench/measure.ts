import { Bench } from 'tinybench';
import type { Shape } from '../engine/index.js';
import { type Rival, rivalsOver } from './rivals.js';
import { buildTables, type Spread } from './tables.js';

/** Translations of one timed call at least. */
const BATCH = 65_536;

const WARM_PAGES = 512;
const WARM_ROUNDS = 200;

export interface MeasureOptions {
  readonly shape: Shape;
  readonly pages: readonly number[];
  readonly spreads: readonly Spread[];
  /** Rounds in which every rival has its turn; medians are of these. */
  readonly rounds: number;
  /** Milliseconds of each turn. */
  readonly turn: number;
}

/** One rival's speed. */
export interface Measured {
  readonly pages: number;
  readonly spread: Spread;
  readonly name: string;
  /** Millions of translations a second, the median of the rounds. */
  readonly millions: number;
  /** Median of the rounds' shares of the other's speed, each taken in the same round. */
  readonly share?: number;
  readonly against?: string;
  readonly aim?: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Tables for which everything is compiled first: what is measured must not be compiled for one unit alone. */
function warmUp(shape: Shape): void {
  for (const spread of ['dense', 'sparse'] as const) {
    const rivals = rivalsOver(buildTables(WARM_PAGES, spread), shape);
    for (let round = 0; round < WARM_ROUNDS; round++) for (const { sweep } of rivals) sweep();
  }
}

/** Measures every rival over every table; a first round, in which everything gets compiled, does not count. */
export async function measure(options: MeasureOptions, done: (measured: Measured) => void): Promise<void> {
  warmUp(options.shape);
  for (const pages of options.pages) {
    for (const spread of options.spreads) {
      const rivals = rivalsOver(buildTables(pages, spread), options.shape);
      const rounds: ReadonlyMap<string, number>[] = [];
      for (let round = 0; round <= options.rounds; round++) rounds.push(await turns(rivals, pages, options.turn));
      for (const rival of rivals) done(summary(rival, rounds.slice(1), pages, spread));
    }
  }
}

/** A turn of every rival, one after the other: translations a second by name. */
async function turns(rivals: readonly Rival[], pages: number, time: number): Promise<ReadonlyMap<string, number>> {
  const sweeps = Math.max(1, Math.floor(BATCH / pages));
  const bench = new Bench({ time, iterations: 3, warmupTime: time / 4, warmupIterations: 1 });
  for (const { name, sweep } of rivals) {
    bench.add(name, () => {
      for (let n = 0; n < sweeps; n++) sweep();
    });
  }
  const speeds = new Map<string, number>();
  for (const { name, result } of await bench.run()) {
    if (!('latency' in result)) throw new Error(`${name}: could not be timed`);
    // The fastest call: others on this machine make calls slow, nothing makes them fast.
    speeds.set(name, (sweeps * pages * 1000) / result.latency.min);
  }
  return speeds;
}

function summary(
  { name, against, aim }: Rival,
  rounds: readonly ReadonlyMap<string, number>[],
  pages: number,
  spread: Spread,
): Measured {
  const millions = median(rounds.map((speeds) => speeds.get(name)! / 1e6));
  if (against === undefined || aim === undefined) return { pages, spread, name, millions };
  const share = median(rounds.map((speeds) => speeds.get(name)! / speeds.get(against)!));
  return { pages, spread, name, millions, share, against, aim };
}
