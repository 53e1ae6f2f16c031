import { resolve } from 'node:path';
import type { Finding, Judgement } from '../../../spec/interface/judgement.js';
import type { History, Scenario } from '../../../spec/interface/scenario.js';
import { BadInput, decodeCase, decodeTrace, readText } from '../../formats/index.js';
import { replayCommand, type StoredCase, sameIdentity } from '../../harness/index.js';
import { BadHistory } from '../../judge/index.js';
import type { CommandSpec, Invocation } from '../command.js';
import { type Line, layOut, line } from '../explain/page.js';
import { storyLines } from '../explain/telling.js';
import { findingLines, told, verdictLines } from '../explain/verdict.js';
import { findAgain } from '../found.js';
import { wantsColour, widthOf } from '../io.js';
import { stimulusText } from '../software-story.js';
import { knownDeviations, shownPath } from '../stored.js';
import { UsageError } from '../usage.js';
import { isCase } from './judge.js';

export const EXPLAIN: CommandSpec = {
  name: 'explain',
  args: '<file>',
  description: 'Tell the story of a stored case or a trace: operations, walks, and where expected and observed part',
  options: [['--all', 'Show every operation, also those that have nothing to do with the finding']],
  examples: ['explain .iovcheck/cases/CASE.json', 'explain trace.jsonl --all', 'explain CASE.json | less'],
  run,
};

/** A history and what is known of it. */
interface Subject {
  readonly title: readonly Line[];
  readonly history: History;
  readonly judgement: Judgement;
  readonly finding: Finding | undefined;
  readonly stored?: StoredCase;
}

async function run({ io, world, args, flags }: Invocation): Promise<number> {
  const [file, more] = args;
  if (more !== undefined) throw new UsageError(`explain: expected one file, got "${more}" too`);
  const path = resolve(io.cwd, file!);
  const subject = subjectOf(readText(path, file), file!, world);
  const { history, judgement, finding, stored } = subject;
  const operations = stored?.scenario.level === 'operations' ? stored.scenario.operations : [];
  const inFlight = history.failure === undefined ? undefined : operations[history.steps.length];
  const lines = [
    ...subject.title,
    line(0, ''),
    ...storyLines({ history, judgement, finding, inFlight, all: flags['all'] === true }),
    line(0, ''),
    ...(finding === undefined ? verdictLines(judgement) : findingLines(finding, clauseOf(world, finding))),
    ...(stored === undefined ? [] : knownLines(world, stored, io.cwd)),
    line(0, ''),
    ...commandLines(path, io.cwd, stored),
  ];
  const text = layOut(lines, widthOf(io.stdout), wantsColour(io, io.stdout));
  io.stdout.write(`${text}\n`);
  return 0;
}

type World = Invocation['world'];

function subjectOf(text: string, file: string, world: World): Subject {
  try {
    return isCase(text) ? ofCase(decodeCase(text, file, world.checkComponent), world) : ofTrace(text, file, world);
  } catch (error) {
    if (!(error instanceof BadHistory)) throw error;
    throw new BadInput(`${file}: operation ${error.at}: ${error.message}`);
  }
}

function ofCase(stored: StoredCase, world: World): Subject {
  const { identity, history, property, target, scenario } = stored;
  const { judgement, finding } = findAgain(world, stored);
  const title = [
    line(0, `${identity.clause} ${identity.kind}: ${identity.discriminator}`, 'bold'),
    line(2, `case ${stored.id} of property ${property}, found on ${target.implementation}`),
    ...askedLines(scenario, history),
  ];
  const gone = 'Its history does not show this when it is judged now.';
  return {
    title: finding === undefined ? [...title, line(2, gone, 'yellow')] : title,
    history,
    judgement,
    finding,
    stored,
  };
}

/** What the software was asked, where the history itself does not tell it. */
function askedLines(scenario: Scenario, { software }: History): readonly Line[] {
  if (scenario.level !== 'stimuli') return [];
  const { name } = scenario.software;
  const head = line(2, `the operations are those of "${name}", which was asked ${scenario.stimuli.length} times`);
  return software === undefined
    ? [head, ...scenario.stimuli.map((each) => line(4, stimulusText(each), 'cyan'))]
    : [head];
}

function ofTrace(text: string, file: string, world: World): Subject {
  const history = decodeTrace(text, file, world.checkComponent);
  if (history.steps.length === 0) throw new BadInput(`${file}: expected at least one step to explain, got none`);
  const judgement = world.judge(history, { explain: true, firstOnly: true });
  const title = [line(0, `${file}: ${history.steps.length} operations`, 'bold')];
  return { title, history, judgement, finding: judgement.finding };
}

function clauseOf(world: World, { clause }: Finding): World['catalogue'][number] | undefined {
  return world.catalogue.find((each) => each.id === clause);
}

/** Why the target deviates, where that is known. */
function knownLines(world: World, { identity, target }: StoredCase, cwd: string): readonly Line[] {
  const known = knownDeviations(world, target.id, cwd).find((each) => sameIdentity(each, identity));
  return known === undefined ? [] : [told('known', known.reason)];
}

function commandLines(path: string, cwd: string, stored: StoredCase | undefined): readonly Line[] {
  const shown = shownPath(path, cwd);
  if (stored === undefined) return [line(0, `Judge it:           npx iovcheck judge ${shown}`)];
  const script = stored.target.id === 'qemu' && stored.scenario.level === 'operations';
  return [
    line(0, `Run it again:       ${replayCommand(path, stored.target.id, cwd)}`),
    ...(script ? [line(0, `As a shell script:  npx iovcheck export ${shown} --format qtest --output case.sh`)] : []),
  ];
}
