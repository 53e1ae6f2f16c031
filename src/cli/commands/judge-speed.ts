import { type JudgeSpeed, measureJudgeSpeed } from '../../harness/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { wholeFlag } from '../flags.js';
import { selectProperties, selectTarget, TARGET_FLAGS, targetOptions } from '../select.js';

const USUAL_CASES = 3000;
const USUAL_SCENARIOS = 20;

/** How often each long scenario is judged. */
const ROUNDS = 5;

export const JUDGE_SPEED: CommandSpec = {
  name: 'judge-speed',
  args: '[...properties]',
  description: 'Measure how fast cases are made, run and judged, and long scenarios judged alone',
  options: [
    ['--target <name>', 'Target (default: engine; see: iovcheck list targets)'],
    ...TARGET_FLAGS,
    ['--cases <n>', `Random cases in all (default: ${USUAL_CASES})`],
    ['--scenarios <n>', `Scenarios of 200 operations with 50 table changes (default: ${USUAL_SCENARIOS})`],
    ['--seed <n>', 'Seed of the cases (default: 1)'],
  ],
  examples: ['judge-speed', 'judge-speed translation isolation --cases 40000 --shape 48-1g'],
  hidden: true,
  run,
};

async function run({ io, world, args, flags }: Invocation): Promise<number> {
  const kind = selectTarget(world, flags) ?? world.targets[0]!;
  const target = kind.create(targetOptions(kind, flags));
  try {
    const measured = await measureJudgeSpeed({
      target,
      profile: await target.describe(),
      properties: selectProperties(world, args),
      judge: world.judge,
      drive: world.drive,
      seed: wholeFlag(flags, 'seed', 0, 0xffff_ffff) ?? 1,
      cases: wholeFlag(flags, 'cases', 1, Number.MAX_SAFE_INTEGER) ?? USUAL_CASES,
      scenarios: wholeFlag(flags, 'scenarios', 0, 10_000) ?? USUAL_SCENARIOS,
      rounds: ROUNDS,
    });
    io.stdout.write(`${speedText(measured).join('\n')}\n`);
    return 0;
  } finally {
    await target.close();
  }
}

function speedText({ operations, processor, elapsed, heap, judging, scenarios }: JudgeSpeed): string[] {
  const perSecond = (milliseconds: number): string => Math.round((operations * 1000) / milliseconds).toString();
  const times = judging.map((each) => each.toFixed(2));
  return [
    `${operations} operations made, run and judged: ${perSecond(processor)} a second of processor time, ${perSecond(elapsed)} a second elapsed`,
    ...heap.map(({ cases, bytes }) => `heap after ${cases} cases: ${(bytes / 2 ** 20).toFixed(1)} MiB`),
    scenarios === 0
      ? 'no scenario of 200 operations with 50 table changes was found'
      : `${scenarios} scenarios of 200 operations with 50 table changes, each judged ${ROUNDS} times: ` +
        `median ${times[Math.floor(times.length / 2)]} ms, worst ${times.at(-1)} ms`,
  ];
}
