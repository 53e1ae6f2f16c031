import type { Batch, CaseOrigin, KnownDeviation } from '../../harness/index.js';
import type { TargetOptions } from '../world.js';

/** What every thread of a pool knows; plain data. */
export interface JobData {
  /** Id of the kind of target. */
  readonly kind: string;
  readonly properties: readonly string[];
  readonly known: readonly KnownDeviation[];
  /** Folder of the run. */
  readonly out: string;
}

/** A few cases to run; plain data. */
export interface JobTask {
  /** Number of the variant, and the options that make its target. */
  readonly variant: number;
  readonly options: TargetOptions;
  readonly origins: readonly CaseOrigin[];
}

/** What keeps every case from running, in words that cross threads: nothing can be written, or there is no target. */
export interface Hindrance {
  readonly hindrance: 'cannot write' | 'no target';
  readonly message: string;
  readonly hint: string;
}

/** What a task comes to. */
export type JobOutcome = Batch | Hindrance;
