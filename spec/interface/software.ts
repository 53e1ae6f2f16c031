import type { FindingIdentity } from './judgement.js';
import type { Observation } from './observations.js';
import type { Operation } from './operations.js';
import type { Profile } from './profile.js';
import type { Answer, SoftwareRecord, Stimulus } from './scenario.js';

/**
 * What hardware was allowed to do with a device's request, whatever it did: software has to be right on all lawful
 * hardware, not only on the one at hand.
 */
export interface Reach {
  /** Host-physical byte addresses to which the request's first byte may have gone. */
  readonly addresses: readonly bigint[];
  /** It may have been blocked. */
  readonly mayBlock: boolean;
}

/** A hardware operation as the specification of software sees it. */
export interface Performed {
  readonly operation: Operation;
  readonly observation: Observation;
  /** For a `dma`, where its hardware is specified and could be followed. */
  readonly reach?: Reach;
  /** For a `signal`: whether the function sent a message. */
  readonly sent?: boolean;
}

/** A promise that was broken. */
export interface Broken {
  readonly identity: FindingIdentity;
  readonly expected: string;
  readonly observed: string;
}

/** A state one event on, with the clauses that the event was held against. */
export interface Verdict<S> {
  readonly next: S;
  readonly clauses: readonly string[];
  readonly broken?: Broken;
  /** Why nothing can be said from here on. */
  readonly undecided?: string;
}

/** The specification of software under test: pure functions from a state and an event to whether the event is admitted. */
export interface SoftwareModel<S> {
  /** The name that `SoftwareRecord.name` carries. */
  readonly name: string;
  initial(configuration: SoftwareRecord['configuration'], profile: Profile): S;
  /** A stimulus; `answer` is what will be answered to it, `undefined` when nothing ever is. */
  asked(state: S, id: number, stimulus: Stimulus, answer: Answer | undefined): Verdict<S>;
  answered(state: S, id: number, answer: Answer): Verdict<S>;
  performed(state: S, performed: Performed): Verdict<S>;
  /** The software has nothing to do. */
  rest(state: S): Verdict<S>;
  /** Nothing comes any more. */
  ended(state: S): Verdict<S>;
}
