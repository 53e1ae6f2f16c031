import {
  CaseMaker,
  type CaseOutcome,
  certainClauses,
  type InFlightRecord,
  matchKnown,
  runCase,
} from '../../harness/index.js';
import type { Invocation } from '../command.js';
import { selectTarget, targetOptions } from '../select.js';
import { knownDeviations } from '../stored.js';
import { findingText, historyText } from '../story.js';
import { named } from '../usage.js';

/** What a case that was in flight shows, and the exit code for it. */
interface Shown {
  readonly text: string;
  readonly code: 0 | 1 | 2;
}

/**
 * Makes the case again that was in flight when a run was killed, and runs it after a cold start, on the target that the run
 * was on or on another of the same profile. Deviations known for the target are admitted as in a run.
 */
export async function replayInFlight(
  { io, world, flags }: Invocation,
  file: string,
  record: InFlightRecord,
): Promise<Shown> {
  const kind =
    selectTarget(world, flags) ?? named('target of the case', record.target, world.targets, (each) => each.id);
  const property = named('property of the case', record.property, world.properties, (each) => each.id);
  const made = { name: record.profile, implementation: record.implementation };
  const target = kind.create({ ...kind.optionsFor(made), ...targetOptions(kind, flags) });
  try {
    const profile = await target.describe();
    const head = `${file}: in flight: ${record.kind} case ${record.index} of ${property.id}, seed ${record.seed}`;
    if (profile.name !== record.profile) {
      return { text: `${head}: was made for ${record.profile}, not for ${profile.name}`, code: 2 };
    }
    const built = new CaseMaker(property, profile).make(record);
    const { judge, drive, catalogue } = world;
    const known = matchKnown(knownDeviations(world, kind.id, io.cwd), profile.implementation);
    const certain = certainClauses(catalogue);
    const cold = true;
    const outcome = await runCase(target, built.scenario, {
      judge,
      drive,
      known,
      certain,
      profile,
      property,
      built,
      cold,
    });
    return described(head, outcome);
  } finally {
    await target.close();
  }
}

function described(head: string, outcome: CaseOutcome): Shown {
  const { history, finding, also, judgement } = outcome;
  const findings = [finding, also].filter((each) => each !== undefined);
  const failed = history.failure === undefined ? '' : ', the target failed';
  const verdict = finding === undefined ? judgement.verdict : 'deviant';
  const lines = [
    `${head}: ${verdict}${failed}`,
    ...historyText(history, finding).map((line) => `  ${line}`),
    ...findings.flatMap(findingText).map((line) => `  ${line}`),
    ...judgement.undecided.map((each) => `  #${each.at} ${each.kind}: ${each.reason}`),
  ];
  return { text: lines.join('\n'), code: finding !== undefined ? 1 : judgement.verdict === 'inconclusive' ? 2 : 0 };
}
