import type { Observation } from './observations.js';
import type { Operation } from './operations.js';
import type { Profile } from './profile.js';
import type { StartState, TargetFailure } from './scenario.js';

/** What a batch gave: an observation for each operation that ran, and the failure if not all did. */
export interface BatchResult {
  readonly observations: readonly Observation[];
  readonly failure?: TargetFailure;
}

/** An observation that became available only at the end, to be merged into the one of that operation. */
export interface LateData {
  /** Index of the operation among all since `begin`. */
  readonly at: number;
  readonly data: Uint8Array;
}

export interface BatchOptions {
  /** Await each operation before sending the next, to find the one that ends the target. */
  readonly oneByOne?: boolean;
  /** Observe interrupt messages too, where the target can but would be slower for it. */
  readonly messages?: boolean;
}

/**
 * Something that executes hardware operations. A target that crashes, hangs or
 * lies is a result (`failure`), never an exception; exceptions mean a broken
 * environment ({@link TargetUnavailable}) or a bug of ours.
 */
export interface Target {
  /** Short name: "engine", "qemu". */
  readonly id: string;
  /** Starts the target if needed and reads what it is. */
  describe(): Promise<Profile>;
  /** Brings the target into a start state; restarts it when the last batch failed. `cold` forces a restart. */
  begin(start: StartState, options?: { readonly cold?: boolean }): Promise<TargetFailure | undefined>;
  /** Runs operations after those run since `begin`. References count from the first operation since `begin`. */
  run(operations: readonly Operation[], options?: BatchOptions): Promise<BatchResult>;
  /** Ends the scenario and gives what could be seen only now (data that devices read). */
  finish(): Promise<{ readonly late: readonly LateData[]; readonly failure?: TargetFailure }>;
  /** Ends the target; nothing of it is left behind. */
  close(): Promise<void>;
}

/** The target cannot be started here: missing, too old, dies at start. `hint` says what to do about it. */
export class TargetUnavailable extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.name = 'TargetUnavailable';
    this.hint = hint;
  }
}
