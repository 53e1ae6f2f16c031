import type { Observation } from '../../../../spec/interface/observations.js';
import type { Operation } from '../../../../spec/interface/operations.js';
import type { Profile } from '../../../../spec/interface/profile.js';
import type { StartState } from '../../../../spec/interface/scenario.js';

/** Values that the specification admits: those with `(value & mask) === wanted`. */
export interface ValuePattern {
  readonly mask: bigint;
  readonly wanted: bigint;
}

/** A word of memory that shows a deviation. */
export interface TellingWord {
  readonly address: bigint;
  /** What the recorded run showed. */
  readonly recorded: bigint;
  /** What is right, where it is known. */
  readonly admitted: bigint | undefined;
}

/** How a script can tell that the deviation is there. */
export type Sign =
  /** A register, or configuration space, reads as it was recorded. */
  | { readonly kind: 'value'; readonly at: number; readonly admitted: readonly ValuePattern[] }
  /** A device receives what was recorded. */
  | { readonly kind: 'data'; readonly at: number; readonly admitted: readonly Uint8Array[] }
  /** Memory holds what was recorded. */
  | { readonly kind: 'words'; readonly at: number; readonly words: readonly TellingWord[] }
  /** QEMU ends by itself, or does not answer. */
  | { readonly kind: 'ending' | 'silence' };

/** What a script is written from. */
export interface ScriptInput {
  /** Where it comes from, a line: "case … of …". */
  readonly source: string;
  /** Name of the finding: clause, kind and discriminator. */
  readonly finding: string;
  /** The rule that is broken, in words, where it is known. */
  readonly rule?: string;
  readonly expected: string;
  readonly observed: string;
  readonly profile: Profile;
  readonly start: StartState;
  readonly operations: readonly Operation[];
  /** What was observed of the operations, as far as it was. */
  readonly observations: readonly Observation[];
  /** An operation in words. */
  readonly describe: (operation: Operation) => string;
  readonly sign: Sign;
}

/** A case that cannot be made a script; the message says why. */
export class NoScript extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NoScript';
  }
}
