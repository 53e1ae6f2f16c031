import { resolve } from 'node:path';
import { BadInput, readCase, writeAtomically } from '../../formats/index.js';
import type { StoredCase } from '../../harness/index.js';
import { NoScript, qtestScript } from '../../targets/qemu/script/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { textFlag } from '../flags.js';
import { findAgain } from '../found.js';
import { signOf } from '../sign.js';
import { shownPath } from '../stored.js';
import { operationText } from '../story.js';
import { named, UsageError } from '../usage.js';
import type { World } from '../world.js';

export const EXPORT: CommandSpec = {
  name: 'export',
  args: '<file>',
  description: 'Write a stored case as something that runs without iovcheck: a shell script that drives QEMU',
  options: [
    ['--format <name>', 'What to write: qtest, a POSIX shell script that shows the deviation on any QEMU'],
    ['--output <path>', 'File to write (default: standard output)'],
  ],
  examples: [
    'export .iovcheck/cases/CASE.json --format qtest --output case.sh',
    'export CASE.json --format qtest | sh -s ./build/qemu-system-x86_64',
  ],
  run,
};

interface Format {
  readonly name: string;
  write(stored: StoredCase, file: string, world: World): string;
}

const FORMATS: readonly Format[] = [{ name: 'qtest', write: asScript }];

async function run({ io, world, args, flags }: Invocation): Promise<number> {
  const [file, more] = args;
  if (more !== undefined) throw new UsageError(`export: expected one file, got "${more}" too`);
  const wanted = textFlag(flags, 'format');
  if (wanted === undefined) throw new UsageError('--format: expected qtest, got none');
  const format = named('format', wanted, FORMATS, (each) => each.name);
  const output = textFlag(flags, 'output');
  const stored = readCase(resolve(io.cwd, file!), world.checkComponent, file);
  const text = format.write(stored, file!, world);
  if (output === undefined) {
    io.stdout.write(text);
    return 0;
  }
  const path = resolve(io.cwd, output);
  writeAtomically(path, text);
  io.stdout.write(`${shownPath(path, io.cwd)}: run it with "sh ${shownPath(path, io.cwd)} [QEMU]"\n`);
  return 0;
}

function asScript(stored: StoredCase, file: string, world: World): string {
  const { id, scenario, identity, profile, history, tool } = stored;
  if (scenario.level === 'stimuli') {
    throw new BadInput(
      `${file}: its scenario is for software under test ("${scenario.software.name}"), which a script cannot be`,
    );
  }
  const { finding } = findAgain(world, stored);
  if (finding === undefined) throw new BadInput(`${file}: its history does not show its finding when it is judged now`);
  const rule = world.catalogue.find((each) => each.id === identity.clause);
  try {
    return qtestScript({
      source: `Written by ${world.tool.name} ${world.tool.version} from case ${id}, found by ${tool.name} ${tool.version}.`,
      finding: `${identity.clause} ${identity.kind}: ${identity.discriminator}`,
      ...(rule === undefined ? {} : { rule: `${rule.rule} (${rule.document} ${rule.revision}, ${rule.section})` }),
      expected: stored.expected,
      observed: stored.observed,
      profile,
      start: scenario.start,
      operations: scenario.operations,
      observations: history.steps.map((step) => step.observation),
      describe: operationText,
      sign: signOf(history, finding, file),
    });
  } catch (error) {
    if (error instanceof NoScript) throw new BadInput(`${file}: ${error.message}`);
    throw error;
  }
}
