import { resolve } from 'node:path';
import type { Judgement } from '../../../spec/interface/judgement.js';
import type { History } from '../../../spec/interface/scenario.js';
import { BadInput, decodeCase, decodeTrace, readText } from '../../formats/index.js';
import { BadHistory } from '../../judge/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { findingText, historyText } from '../story.js';

export const JUDGE: CommandSpec = {
  name: 'judge',
  args: '<...traces>',
  description: 'Judge recorded traces (or the histories of stored cases) without running anything',
  options: [],
  examples: ['judge trace.jsonl', 'judge .iovcheck/cases/CASE.json'],
  run,
};

const CODES = { conformant: 0, deviant: 1, inconclusive: 2 } as const;

async function run({ io, world, args }: Invocation): Promise<number> {
  const histories = args.map((file) => ({
    file,
    history: readHistory(resolve(io.cwd, file), file, world.checkComponent),
  }));
  const codes: number[] = [];
  for (const { file, history } of histories) {
    const judgement = judged(file, history, world.judge);
    io.stdout.write(`${describe(file, history, judgement).join('\n')}\n`);
    codes.push(history.failure === undefined ? CODES[judgement.verdict] : 1);
  }
  return [1, 2].find((code) => codes.includes(code)) ?? 0;
}

function readHistory(path: string, file: string, check: Invocation['world']['checkComponent']): History {
  const text = readText(path, file);
  const history = isCase(text) ? decodeCase(text, file, check).history : decodeTrace(text, file, check);
  if (history.steps.length === 0) throw new BadInput(`${file}: expected at least one step to judge, got none`);
  return history;
}

/** A case is one JSON document over many lines, a trace has one document per line. */
export function isCase(text: string): boolean {
  return /^\s*\{\s*"format"\s*:\s*"iovcheck-case"/.test(text);
}

function judged(file: string, history: History, judge: Invocation['world']['judge']): Judgement {
  try {
    return judge(history);
  } catch (error) {
    if (!(error instanceof BadHistory)) throw error;
    throw new BadInput(`${file}: operation ${error.at}: ${error.message}`);
  }
}

function describe(file: string, history: History, judgement: Judgement): string[] {
  const { verdict, finding, candidates, undecided, statistics } = judgement;
  const head = `${file}: ${verdict}: ${statistics.judged} of ${history.steps.length} operations judged`;
  const story = finding === undefined ? [] : [...historyText(history, finding), ...findingText(finding)];
  const failure =
    history.failure === undefined ? [] : [`the target failed: ${history.failure.kind}: ${history.failure.message}`];
  return [
    head,
    ...[
      ...story,
      ...candidates.map((each) => `later: ${each.clause} ${each.kind}: ${each.discriminator}, operation #${each.at}`),
      ...undecided.map((each) => `#${each.at} ${each.kind}: ${each.reason}`),
      ...failure,
    ].map((line) => `  ${line}`),
  ];
}
