import type { Observation } from './observations.js';
import type { Operation } from './operations.js';
import type { Profile } from './profile.js';

/**
 * In which state a scenario begins.
 *
 * - `reset`: after a power-good reset.
 * - `ready`: every component is in the state its architecture calls ready. For
 *   VT-d: TES=1, legacy mode, a latched root table without a present entry that lies outside the
 *   arena, every cache empty, no fault pending and the next one to be recorded in FRCD[0], all other registers
 *   but RTADDR as after reset.
 *
 * In both, the whole arena holds its paint, and other RAM is zero.
 */
export type StartState = 'reset' | 'ready';

/** A scenario of hardware operations. */
export interface OperationScenario {
  readonly level: 'operations';
  readonly start: StartState;
  readonly operations: readonly Operation[];
}

/** One thing that the world asks of software under test; its meaning belongs to that software. */
export interface Stimulus {
  readonly actor: string;
  readonly action: string;
  readonly arguments: Readonly<Record<string, string | number | bigint | boolean>>;
  /**
   * When it begins: after so many steps since the stimulus before it began, in the middle of whatever is under way; or when
   * that one is answered, whatever else is under way; absent: when nothing is. In any case when nothing else can go on.
   */
  readonly begins?: number | 'answered';
}

/** A scenario for software under test: what is asked of it and who steps next. */
export interface StimulusScenario {
  readonly level: 'stimuli';
  readonly start: StartState;
  /** Which software, with its configuration. */
  readonly software: {
    readonly name: string;
    readonly configuration: Readonly<Record<string, string | number | boolean>>;
  };
  readonly stimuli: readonly Stimulus[];
  /**
   * Schedule choices: whenever several tasks can go on, the next choice is which of them does, modulo their number; 0 is the
   * one that began last, and what is chosen when there are no more choices.
   */
  readonly schedule: readonly number[];
}

export type Scenario = OperationScenario | StimulusScenario;

/** How a target failed to do its work: it ended, did not answer in time, or answered what makes no sense. */
export interface TargetFailure {
  readonly kind: 'crash' | 'hang' | 'nonsense';
  /** One line, free of process ids, addresses of this run and times, so that equal failures read equal. */
  readonly message: string;
  /** Index of the operation in flight, where known. */
  readonly at?: number;
  /** What the target printed last, for people. */
  readonly output?: string;
}

export interface Step {
  readonly operation: Operation;
  readonly observation: Observation;
}

/** What software under test answers to a stimulus; the names belong to that software. */
export type Answer = Readonly<Record<string, string | number | bigint | boolean>>;

/** Something that happened at the level of software under test. */
export type SoftwareEvent = {
  /** Number of hardware operations that had been issued before it. */
  readonly at: number;
} & (
  | { readonly kind: 'asked'; readonly stimulus: Stimulus; readonly id: number }
  /** `id` is that of the stimulus. */
  | { readonly kind: 'answered'; readonly id: number; readonly answer: Answer }
  /** The software has nothing to do: it acts again only when it is asked, or when hardware signals something. */
  | { readonly kind: 'rest' }
);

/** What happened at the level of software under test, in order. */
export interface SoftwareRecord {
  readonly name: string;
  readonly configuration: StimulusScenario['software']['configuration'];
  readonly events: readonly SoftwareEvent[];
  /** For each hardware operation the stimulus on whose behalf it was issued; -1: none, the software's own doing. For people. */
  readonly issuers: readonly number[];
}

/** What happened: the operations with their observations, and the failure that ended it, if one did. */
export interface History {
  readonly profile: Profile;
  readonly start: StartState;
  readonly steps: readonly Step[];
  /** Present when the operations were issued by software under test. */
  readonly software?: SoftwareRecord;
  readonly failure?: TargetFailure;
}
