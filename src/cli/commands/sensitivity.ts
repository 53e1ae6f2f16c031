import {
  type KindTally,
  measureSensitivity,
  type Sensitivity,
  sensitivityOf,
  shareRejected,
} from '../../harness/index.js';
import { drawTable } from '../../report/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { wholeFlag } from '../flags.js';
import { wantsColour, widthOf } from '../io.js';
import { selectProperties, selectTarget, TARGET_FLAGS, targetOptions } from '../select.js';
import { observationText, operationText } from '../story.js';

const USUAL_CASES = 20;
const USUAL_MUTATIONS = 2;

/** Least share of the changes of any field that a judge must reject. */
const ENOUGH = 0.9;

export const SENSITIVITY: CommandSpec = {
  name: 'sensitivity',
  args: '[...properties]',
  description: 'Change one observed field at a time of good histories, and count what the judge rejects',
  options: [
    ['--target <name>', 'Target (default: engine; see: iovcheck list targets)'],
    ...TARGET_FLAGS,
    ['--cases <n>', `Random cases of each property (default: ${USUAL_CASES})`],
    ['--mutations <n>', `Changes of each kind and history (default: ${USUAL_MUTATIONS})`],
    ['--seed <n>', 'Seed of cases and changes (default: 1)'],
  ],
  examples: ['sensitivity', 'sensitivity translation fault-log --cases 100 --seed 7 --shape 48-1g'],
  hidden: true,
  run,
};

async function run(invocation: Invocation): Promise<number> {
  const { io, world, args, flags } = invocation;
  const kind = selectTarget(world, flags) ?? world.targets[0]!;
  const target = kind.create(targetOptions(kind, flags));
  try {
    const measured = await measureSensitivity({
      target,
      profile: await target.describe(),
      properties: selectProperties(world, args),
      judge: world.judge,
      drive: world.drive,
      seed: wholeFlag(flags, 'seed', 0, 0xffff_ffff) ?? 1,
      cases: wholeFlag(flags, 'cases', 1, Number.MAX_SAFE_INTEGER) ?? USUAL_CASES,
      mutations: wholeFlag(flags, 'mutations', 1, Number.MAX_SAFE_INTEGER) ?? USUAL_MUTATIONS,
    });
    const options = { colour: wantsColour(io, io.stdout), width: widthOf(io.stdout) };
    io.stdout.write(`${sensitivityText(measured, options).join('\n')}\n`);
    return sensitivityOf(measured.any) >= ENOUGH ? 0 : 1;
  } finally {
    await target.close();
  }
}

const percent = (share: number): string => `${(share * 100).toFixed(1)}%`;

function row(name: string, tallies: readonly KindTally[]): string[] {
  const sum = (value: (tally: KindTally) => number): number => tallies.reduce((total, each) => total + value(each), 0);
  const changed = sum((each) => each.mutations);
  const rejected = sum((each) => each.rejected);
  const inconclusive = sum((each) => each.inconclusive);
  const unexplained = sum((each) => each.unexplained.length);
  const admitted = changed - rejected - inconclusive - unexplained;
  const share = changed === 0 ? '-' : percent(rejected / changed);
  return [
    name,
    ...[changed, rejected, inconclusive, admitted, unexplained].map(String),
    share,
    percent(shareRejected(tallies)),
  ];
}

function sensitivityText(
  { histories, leftOut, kinds, any }: Sensitivity,
  options: { readonly colour: boolean; readonly width: number },
): string[] {
  const table = drawTable(
    {
      title: 'Sensitivity',
      head: [
        'field',
        'changed',
        'rejected',
        'inconclusive',
        'admitted by a row',
        'not explained',
        'rejected',
        'of what no row admits',
      ],
      numeric: [1, 2, 3, 4, 5, 6, 7],
      rows: [
        ...kinds.map((tally) => row(tally.kind, [tally])),
        row('every kind alike', kinds),
        row('every field alike', [any]),
      ],
    },
    options,
  );
  const rows = new Map<string, number>();
  for (const { admitted } of kinds) for (const [name, count] of admitted) rows.set(name, (rows.get(name) ?? 0) + count);
  return [
    `${histories} good histories, ${leftOut} left out`,
    table,
    ...[...rows].map(([name, count]) => `admitted by ${name}: ${count}`),
    ...kinds.flatMap(({ kind, unexplained }) =>
      unexplained.map(({ property, index, mutation: { at, before, after }, history }) => {
        const what = operationText(history.steps[at]!.operation);
        return `not explained: ${kind}: ${property} case ${index}, #${at} ${what}: ${observationText(before)} → ${observationText(after)}`;
      }),
    ),
  ];
}
