import { TargetUnavailable } from '../../spec/interface/target.js';
import { BadInput, CannotWrite, fileTrouble } from '../formats/index.js';
import { NoSoftware, NothingExecuted } from '../harness/index.js';
import { BadStimulus } from '../hypervisor/hypervisor.js';
import type { CommandSpec } from './command.js';
import { BUGS } from './commands/bugs.js';
import { CHECK_KNOWN } from './commands/check-known.js';
import { DOCTOR } from './commands/doctor.js';
import { EXPLAIN } from './commands/explain.js';
import { EXPORT } from './commands/export.js';
import { JUDGE } from './commands/judge.js';
import { JUDGE_SPEED } from './commands/judge-speed.js';
import { LIST } from './commands/list.js';
import { REPLAY } from './commands/replay.js';
import { RUN } from './commands/run.js';
import { SENSITIVITY } from './commands/sensitivity.js';
import { SOAK } from './commands/soak.js';
import type { Io } from './io.js';
import { parse } from './parse.js';
import { UsageError } from './usage.js';
import type { World } from './world.js';

const COMMANDS: readonly CommandSpec[] = [
  RUN,
  REPLAY,
  JUDGE,
  EXPLAIN,
  EXPORT,
  LIST,
  DOCTOR,
  CHECK_KNOWN,
  SENSITIVITY,
  SOAK,
  JUDGE_SPEED,
  BUGS,
];

/** Exit codes besides those of a verdict (0 conformant, 1 new deviation, 2 inconclusive or under-exercised). */
const TARGET_FAILURE = 3;
const USAGE = 64;
const INTERNAL = 70;

/** Exit code when a file, or standard output, cannot be written. */
export const CANNOT_WRITE = 73;

/**
 * Runs the command line.
 *
 * @param argv without the names of the interpreter and the program
 * @param makeWorld called only when a command needs it
 * @returns the exit code: 0 conformant, 1 new deviation, 2 inconclusive or under-exercised, 3 target failure,
 *   64 usage, bad input or nothing executed, 70 internal error, 73 a file cannot be written, 130 interrupted (143 by SIGTERM, 129 by SIGHUP)
 */
export async function main(argv: readonly string[], io: Io, makeWorld: () => World): Promise<number> {
  try {
    const request = parse(argv, COMMANDS);
    switch (request.kind) {
      case 'help':
        (request.asked ? io.stdout : io.stderr).write(request.text);
        return request.asked ? 0 : USAGE;
      case 'version': {
        const { name, version } = makeWorld().tool;
        io.stdout.write(`${name} ${version}\n`);
        return 0;
      }
      case 'command':
        return await request.command.run({ io, world: makeWorld(), args: request.args, flags: request.flags });
    }
  } catch (error) {
    return explained(error, io);
  }
}

function explained(error: unknown, io: Io): number {
  const say = (message: string): unknown => io.stderr.write(`iovcheck: ${message}\n`);
  if (error instanceof TargetUnavailable) {
    say(`${error.message}; ${error.hint}`);
    return TARGET_FAILURE;
  }
  const trouble = error instanceof CannotWrite ? error.message : fileTrouble(error);
  if (trouble !== undefined) {
    say(trouble);
    return CANNOT_WRITE;
  }
  const kinds = [UsageError, BadInput, NothingExecuted, NoSoftware, BadStimulus];
  if (error instanceof Error && kinds.some((kind) => error instanceof kind)) {
    say(error instanceof UsageError ? `${error.message} (see: iovcheck --help)` : error.message);
    return USAGE;
  }
  say(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return INTERNAL;
}
