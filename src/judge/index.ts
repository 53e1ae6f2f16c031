import type { FindingIdentity, Judgement } from '../../spec/interface/judgement.js';
import type { History } from '../../spec/interface/scenario.js';

export interface JudgeOptions {
  /** Whether a deviation is known for this target, and so admitted and counted apart. */
  readonly known?: (identity: FindingIdentity) => boolean;
  /** Keep the reasoning for every operation in `Judgement.explanation`. */
  readonly explain?: boolean;
}

/** A history that cannot be: an observation that contradicts its operation, a reference to nothing. */
export class BadHistory extends Error {
  /** Index of the operation. */
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.name = 'BadHistory';
    this.at = at;
  }
}

/**
 * Judges a history against the specification. Pure.
 *
 * @throws BadHistory when the history contradicts itself
 */
export function judge(_history: History, _options: JudgeOptions = {}): Judgement {
  throw new Error('being written');
}
