import type { Finding } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Target } from '../../spec/interface/target.js';
import { CannotWrite } from '../formats/index.js';
import type { CaseOptions } from './case.js';
import type { Collected } from './collector.js';
import { caseId, replayCommand, rerunCommand, storeCase } from './corpus.js';
import type { CampaignDependencies, CampaignLimits } from './dependencies.js';
import { identityOf } from './identity.js';
import type { InFlight } from './inflight.js';
import type { Pace } from './pace.js';
import type { Built, Property } from './property.js';
import { lengthOf, type RanCase } from './record.js';
import { caseSeed } from './seeds.js';
import { findingOf, runFor, showing } from './shows.js';
import { Budget, shrink } from './shrink/index.js';
import { type CaseOutcome, FORMAT_VERSION, type FoundDeviation, type StoredCase } from './types.js';

/** What is needed to follow a finding up. */
export interface Aftermath {
  readonly target: Target;
  readonly profile: Profile;
  /** `OUT/cases`. */
  readonly folder: string;
  readonly deps: CampaignDependencies;
  readonly limits: CampaignLimits;
  readonly options: Omit<CaseOptions, 'built' | 'property'>;
  readonly properties: ReadonlyMap<string, Property>;
  readonly pace: Pace;
  readonly inFlight: InFlight;
  readonly now: () => number;
  readonly signal: AbortSignal | undefined;
  readonly phase: (phase: 'shrinking' | 'confirming') => void;
}

function storedCase(context: Aftermath, finding: Finding, ran: RanCase): Omit<StoredCase, 'id'> {
  const { origin, built, outcome } = ran;
  const claim = finding.kind === 'claim' && built.expectation !== undefined;
  return {
    format: 'iovcheck-case',
    version: FORMAT_VERSION,
    property: origin.property,
    identity: identityOf(finding),
    profile: context.profile,
    scenario: built.scenario,
    expected: finding.expected,
    observed: finding.observed,
    origin: { seed: origin.seed, index: origin.index, sweep: origin.kind === 'sweep' },
    tool: context.deps.tool,
    target: { id: context.target.id, implementation: context.profile.implementation },
    history: outcome.history,
    ...(claim ? { expectation: built.expectation } : {}),
  };
}

/** Keeps the case of a finding in `OUT/cases`, over an earlier one of the same finding with `replace`; gives its path. */
export function keep(context: Aftermath, finding: Finding, ran: RanCase, replace: boolean): string {
  return storeCase(context.folder, storedCase(context, finding, ran), context.deps, replace);
}

/** Milliseconds of shrinking that each finding gets even when the time is over. */
const LEAST_SHRINKING = 1000;

/** Milliseconds that this finding's shrinking may take, so that the others get theirs. */
function shareOf(context: Aftermath, others: number, spent: number): number {
  const { pace, limits } = context;
  const total = Number.isFinite(pace.left) ? pace.left : limits.shrinkTotalSeconds * 1000 - spent;
  return Math.min(limits.shrinkSeconds * 1000, Math.max(LEAST_SHRINKING, total / (others + 1)));
}

async function smallest(context: Aftermath, collected: Collected, milliseconds: number): Promise<Built> {
  const { finding, case: ran } = collected;
  const property = context.properties.get(ran.origin.property);
  const shows = showing(finding, context.target, { ...context.options, property });
  const draft = storedCase(context, finding, ran);
  const id = caseId(finding);
  const announced = async (built: Built): Promise<boolean> => {
    await context.pace.breathe();
    const history = { ...draft.history, steps: [] };
    context.inFlight.text(context.deps.encodeCase({ ...draft, id, scenario: built.scenario, history }));
    return shows(built);
  };
  if (!(await announced(ran.built))) return ran.built;
  const { kind, seed, index } = ran.origin;
  const drawn = kind === 'random' && property !== undefined;
  return shrink({
    built: ran.built,
    profile: context.profile,
    drawn: drawn ? { property, profile: context.profile, seed: caseSeed(seed, property.id, index) } : undefined,
    operations: finding.kind !== 'claim' || ran.built.expectation === undefined,
    shows: announced,
    budget: new Budget(context.limits.shrinkAttempts, milliseconds, context.now, context.signal),
  });
}

/** Runs a case after a cold restart; gives what it was judged as when the finding is there again. */
async function confirm(context: Aftermath, finding: Finding, built: Built, property: Property | undefined) {
  const outcome: CaseOutcome = await runFor(finding, context.target, built, {
    ...context.options,
    property,
    cold: true,
  });
  const again = findingOf(outcome, finding);
  return again === undefined ? undefined : { outcome, finding: again };
}

/**
 * Shrinks a finding, confirms it on a cold restart (the shrunk case, or else the one it was found with), and stores it.
 * When the campaign is interrupted, what was stored when it was found stays.
 *
 * @param others how many findings still wait for theirs
 * @param spent milliseconds of shrinking so far
 */
export async function followUp(
  context: Aftermath,
  collected: Collected,
  others: number,
  spent: number,
): Promise<FoundDeviation> {
  const { finding, case: ran } = collected;
  const { target, deps } = context;
  const property = context.properties.get(ran.origin.property);
  let best = { finding, case: ran, confirmed: false };
  if (!context.pace.interrupted) {
    context.phase('shrinking');
    const least = await smallest(context, collected, shareOf(context, others, spent));
    for (const built of least === ran.built ? [least] : [least, ran.built]) {
      if (best.confirmed || context.pace.interrupted) break;
      context.phase('confirming');
      const again = await confirm(context, finding, built, property);
      if (again === undefined) continue;
      best = { finding: again.finding, case: { origin: ran.origin, built, outcome: again.outcome }, confirmed: true };
    }
  }
  const file = keep(context, best.finding, best.case, best.confirmed);
  const command = replayCommand(file, target.id, deps.cwd ?? process.cwd());
  return { ...foundBy(collected, best), file, command };
}

/**
 * A finding as it was found, with no more done about it: for a campaign that could not go on. Where its case could not be
 * written, the command makes the run again that found it.
 */
export function asFound(context: Aftermath, collected: Collected): FoundDeviation {
  const { finding, case: ran } = collected;
  const { target, deps } = context;
  const found = foundBy(collected, { finding, case: ran, confirmed: false });
  try {
    const file = keep(context, finding, ran, false);
    return { ...found, file, command: replayCommand(file, target.id, deps.cwd ?? process.cwd()) };
  } catch (error) {
    if (!(error instanceof CannotWrite)) throw error;
    return { ...found, file: '', command: rerunCommand(ran.origin, target.id) };
  }
}

function foundBy(
  { case: { origin }, hits }: Collected,
  { finding, case: { built }, confirmed }: { finding: Finding; case: RanCase; confirmed: boolean },
): Omit<FoundDeviation, 'file' | 'command'> {
  return { finding, property: origin.property, hits, confirmed, operations: lengthOf(built), known: false };
}
