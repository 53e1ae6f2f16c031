import type { Flags } from './flags.js';
import type { Io } from './io.js';
import type { World } from './world.js';

/** What a command is run with. */
export interface Invocation {
  readonly io: Io;
  readonly world: World;
  readonly args: readonly string[];
  readonly flags: Flags;
}

/** A command: how it is written, and what it does. */
export interface CommandSpec {
  readonly name: string;
  /** Its arguments, as in "[...properties]". */
  readonly args: string;
  readonly description: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
  readonly examples: readonly string[];
  /** Not shown in the list of commands. */
  readonly hidden?: boolean;
  /** Gives the exit code. */
  run(invocation: Invocation): Promise<number>;
}
