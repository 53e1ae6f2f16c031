import type { Target } from '../../spec/interface/target.js';
import { type CaseOptions, runCase } from './case.js';
import type { InFlight } from './inflight.js';
import type { CaseMaker, CaseOrigin } from './origin.js';
import type { Built, Property } from './property.js';
import { type CaseRecord, recordOf } from './record.js';
import type { LostCase } from './types.js';

/** What became of a few cases. */
export interface Batch {
  /** In the order in which the cases were given. */
  readonly records: readonly (CaseRecord | LostCase)[];
  /** What they took. */
  readonly milliseconds: number;
}

/** Runs random and swept cases, here or elsewhere. */
export interface CaseRunner {
  /** Cases of a batch at most. */
  readonly batch: number;
  /** Batches that may be under way at the same time. */
  readonly width: number;
  run(origins: readonly CaseOrigin[]): Promise<Batch>;
}

/** What cases are run with. */
export interface BenchParts {
  readonly target: Target;
  /** By property. */
  readonly makers: ReadonlyMap<string, CaseMaker>;
  readonly options: Omit<CaseOptions, 'built' | 'property'>;
  readonly inFlight: InFlight;
  /** Milliseconds that never decrease. */
  readonly now: () => number;
}

/** Runs cases on a target one after the other, in this thread. */
export class CaseBench implements CaseRunner {
  readonly batch = 1;
  readonly width = 1;
  private readonly parts: BenchParts;

  constructor(parts: BenchParts) {
    this.parts = parts;
  }

  async run(origins: readonly CaseOrigin[]): Promise<Batch> {
    const { now, makers } = this.parts;
    const begun = now();
    const records: CaseRecord[] = [];
    for (const origin of origins) {
      const maker = makers.get(origin.property);
      if (maker === undefined) throw new Error(`no property "${origin.property}"`);
      records.push(await this.one(origin, maker.make(origin), maker.property));
    }
    return { records, milliseconds: now() - begun };
  }

  /** Runs a case that was made already. */
  async one(origin: CaseOrigin, built: Built, property: Property | undefined): Promise<CaseRecord> {
    const { target, options, inFlight } = this.parts;
    inFlight.origin(origin);
    const outcome = await runCase(target, built.scenario, { ...options, property, built });
    return recordOf({ origin, built, outcome });
  }
}

/**
 * Runs cases on as many batches at a time as the runner takes, and hands over what became of them in the order in which
 * the cases came, so that whatever is made of it does not depend on how many there are at a time.
 *
 * @param next the next case; none when there are no more, or not now
 * @param take told of each batch
 */
export async function runInOrder(
  runner: CaseRunner,
  next: () => CaseOrigin | undefined,
  take: (batch: Batch) => Promise<void>,
): Promise<void> {
  const running: Promise<Batch>[] = [];
  for (;;) {
    while (running.length < runner.width) {
      const origins: CaseOrigin[] = [];
      while (origins.length < runner.batch) {
        const origin = next();
        if (origin === undefined) break;
        origins.push(origin);
      }
      if (origins.length === 0) break;
      const batch = runner.run(origins);
      // When an earlier batch throws, nobody asks for this one any more.
      batch.catch(() => {});
      running.push(batch);
    }
    const first = running.shift();
    if (first === undefined) return;
    await take(await first);
  }
}
