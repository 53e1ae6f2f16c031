import { resolve } from 'node:path';
import { decodeReplayable, type Replayable, readCase, readText } from '../../formats/index.js';
import { certainClauses, type Replay, replay, type StoredCase } from '../../harness/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { selectTarget, TARGET_FLAGS, targetOptions } from '../select.js';
import { findingText, historyText } from '../story.js';
import { named } from '../usage.js';
import { replayInFlight } from './replay-in-flight.js';

export const REPLAY: CommandSpec = {
  name: 'replay',
  args: '<...files>',
  description: 'Run stored cases after a cold start and say whether their findings appear',
  options: [['--target <name>', 'Target (default: the one that the case was found on)'], ...TARGET_FLAGS],
  examples: [
    'replay .iovcheck/cases/CASE.json',
    'replay properties/cases/*.json --target engine',
    'replay CASE.json --target qemu --qemu ./build/qemu-system-x86_64',
  ],
  run,
};

type Result = Replay['result'];

/** 1 where something deviates, 2 where nothing can be said, 0 where all is as specified. */
const CODES: Readonly<Record<Result, 0 | 1 | 2>> = {
  reproduced: 1,
  'other finding': 1,
  'target failure': 1,
  conformant: 0,
  inconclusive: 2,
  'not applicable': 2,
};

const HEADS: Readonly<Record<Result, string>> = {
  reproduced: 'reproduced',
  'other finding': 'not reproduced: another deviation',
  'target failure': 'not reproduced: the target failed',
  conformant: 'not reproduced: conformant',
  inconclusive: 'not reproduced: inconclusive',
  'not applicable': 'not reproduced: cannot run here',
};

async function run(invocation: Invocation): Promise<number> {
  const { io, world, args, flags } = invocation;
  selectTarget(world, flags);
  // All are read before any runs: a file that cannot be read is told before time is spent.
  const cases = args.map((file) => ({ file, read: readable(invocation, file) }));
  const codes: number[] = [];
  for (const { file, read } of cases) {
    if (read.format === 'iovcheck-case') {
      const result = await replayOne(invocation, read);
      io.stdout.write(`${describe(file, read, result).join('\n')}\n`);
      codes.push(CODES[result.result]);
    } else {
      const { text, code } = await replayInFlight(invocation, file, read);
      io.stdout.write(`${text}\n`);
      codes.push(code);
    }
  }
  return [1, 2].find((code) => codes.includes(code)) ?? 0;
}

/** A case, or the record of one that was in flight; of one that was itself a stored case, that case. */
function readable({ io, world }: Invocation, file: string): Replayable {
  const path = resolve(io.cwd, file);
  const read = decodeReplayable(readText(path, file), file, world.checkComponent);
  if (read.format !== 'iovcheck-in-flight' || read.file === undefined) return read;
  return readCase(resolve(io.cwd, read.file), world.checkComponent, read.file);
}

async function replayOne({ world, flags }: Invocation, stored: StoredCase): Promise<Replay> {
  const kind =
    selectTarget(world, flags) ?? named('target of the case', stored.target.id, world.targets, (each) => each.id);
  const target = kind.create({ ...kind.optionsFor(stored.profile), ...targetOptions(kind, flags) });
  try {
    const property = world.properties.find((each) => each.id === stored.property);
    const { judge, drive } = world;
    return await replay(target, stored, { judge, drive, certain: certainClauses(world.catalogue), property });
  } finally {
    await target.close();
  }
}

function describe(file: string, stored: StoredCase, replayed: Replay): string[] {
  const { clause, kind, discriminator } = stored.identity;
  const head = `${file}: ${HEADS[replayed.result]}: ${clause} ${kind}: ${discriminator}`;
  if (replayed.result === 'not applicable') return [head, `  ${replayed.reason}`];
  const { history, finding, also } = replayed.outcome;
  const findings = [finding, also].filter((each) => each !== undefined);
  return [
    head,
    ...historyText(history, finding).map((line) => `  ${line}`),
    ...findings.flatMap(findingText).map((line) => `  ${line}`),
    ...replayed.outcome.judgement.undecided.map((each) => `  #${each.at} ${each.kind}: ${each.reason}`),
  ];
}
