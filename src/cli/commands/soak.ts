import { runCase } from '../../harness/index.js';
import { tinyScenario } from '../../judge/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { clockText } from '../duration.js';
import { wholeFlag } from '../flags.js';
import { selectTarget, TARGET_FLAGS, targetOptions } from '../select.js';

const USUAL_CASES = 20_000;

/** Largest share of cases that may be left undecided. */
const UNDECIDED_SHARE = 0.005;

/** Seconds between two lines of progress. */
const LINE_EVERY = 10;

export const SOAK: CommandSpec = {
  name: 'soak',
  args: '',
  description: 'Run many short scenarios of table changes, invalidations and requests, and judge each',
  options: [
    ['--target <name>', 'Target (default: engine; see: iovcheck list targets)'],
    ...TARGET_FLAGS,
    ['--cases <n>', `How many (default: ${USUAL_CASES})`],
    ['--seed <n>', 'Seed of the first; the others follow (default: 1)'],
  ],
  examples: ['soak --shape chaos', 'soak --shape chaos --cases 1000000 --seed 7'],
  hidden: true,
  run,
};

interface Totals {
  cases: number;
  operations: number;
  judged: number;
  undecided: number;
  deviant: number;
  admissible: number;
  requests: number;
}

async function run({ io, world, flags }: Invocation): Promise<number> {
  const kind = selectTarget(world, flags) ?? world.targets[0]!;
  const cases = wholeFlag(flags, 'cases', 1, Number.MAX_SAFE_INTEGER) ?? USUAL_CASES;
  const seed = wholeFlag(flags, 'seed', 0, 0xffff_ffff) ?? 1;
  const target = kind.create(targetOptions(kind, flags));
  const totals: Totals = { cases: 0, operations: 0, judged: 0, undecided: 0, deviant: 0, admissible: 0, requests: 0 };
  const begun = performance.now();
  let lastLine = begun;
  try {
    const profile = await target.describe();
    for (let n = 0; n < cases; n++) {
      const { judgement, finding } = await runCase(target, tinyScenario(seed + n), { judge: world.judge, profile });
      const { operations, judged, admissible } = judgement.statistics;
      totals.cases += 1;
      totals.operations += operations;
      totals.judged += judged;
      totals.admissible += admissible.sum;
      totals.requests += admissible.count;
      if (judgement.verdict === 'inconclusive') totals.undecided += 1;
      if (finding !== undefined) {
        totals.deviant += 1;
        const { clause, kind: how, discriminator, at, expected, observed } = finding;
        io.stdout.write(
          `seed ${seed + n}: #${at} ${clause} ${how} ${discriminator}: ${expected}, observed ${observed}\n`,
        );
      }
      const now = performance.now();
      if (now - lastLine >= LINE_EVERY * 1000) {
        lastLine = now;
        io.stderr.write(`${progressLine(totals, cases, (now - begun) / 1000)}\n`);
      }
    }
  } finally {
    await target.close();
  }
  io.stdout.write(`${summary(totals, (performance.now() - begun) / 1000)}\n`);
  if (totals.deviant > 0) return 1;
  return totals.undecided > cases * UNDECIDED_SHARE ? 2 : 0;
}

function progressLine({ cases, deviant }: Totals, of: number, seconds: number): string {
  const left = clockText((seconds * (of - cases)) / cases);
  const heap = Math.round(process.memoryUsage().heapUsed / 1e6);
  return `${cases} of ${of} cases, ${deviant} deviations, ${clockText(seconds)} (ETA ${left}), heap ${heap} MB`;
}

function summary(totals: Totals, seconds: number): string {
  const { cases, operations, judged, undecided, deviant, admissible, requests } = totals;
  const percent = (part: number, of: number): string => `${((100 * part) / Math.max(1, of)).toFixed(2)}%`;
  return [
    `${cases} cases, ${operations} operations, ${deviant} deviations in ${clockText(seconds)}`,
    `${percent(judged, operations)} of operations judged, ${percent(undecided, cases)} of cases undecided`,
    `${(admissible / Math.max(1, requests)).toFixed(3)} admissible outcomes per request, mean`,
  ].join('\n');
}
