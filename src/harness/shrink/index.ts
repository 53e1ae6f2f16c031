import type { Operation } from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import type { Built } from '../property.js';
import { dropOperations } from './drop.js';
import { lowerFrames } from './frames.js';
import { lowerIndices } from './indices.js';
import { type DrawnCase, shrinkIntents } from './intents.js';
import { type Budget, type Oracle, ShrinkSession } from './session.js';
import { shrinkStimuli } from './stimuli.js';
import { lowerTokens, shortenAccesses, shortenStores, simplifyValues } from './values.js';

export { Budget, type Oracle } from './session.js';

export interface ShrinkRequest {
  readonly built: Built;
  readonly profile: Profile;
  /** Where the case was drawn from; absent for swept and stored cases, which have no intents. */
  readonly drawn?: DrawnCase | undefined;
  /**
   * False when the property's claim depends on facts that only its generator can give for a scenario: then
   * the second pass, which changes operations behind the generator's back, is left out.
   */
  readonly operations: boolean;
  /** Whether a scenario shows the very same finding. */
  readonly shows: Oracle<Built>;
  readonly budget: Budget;
}

async function round(session: ShrinkSession, profile: Profile): Promise<void> {
  // First what makes every later attempt cheaper: long loads are most of what a judge has to look at.
  await shortenAccesses(session);
  await dropOperations(session);
  await shortenStores(session);
  await simplifyValues(session);
  await lowerIndices(session);
  await lowerTokens(session);
  await lowerFrames(session, profile.arena);
}

/** Second pass: makes the operations themselves fewer and simpler, until nothing helps any more. */
export async function shrinkOperations(
  operations: readonly Operation[],
  profile: Profile,
  shows: Oracle<readonly Operation[]>,
  budget: Budget,
): Promise<readonly Operation[]> {
  const session = new ShrinkSession(operations, shows, budget);
  let before: number;
  do {
    before = session.steps;
    await round(session, profile);
  } while (session.steps > before && !session.spent);
  return session.operations;
}

/**
 * Makes the scenario of a finding smaller in two passes: over the intents, with fast-check, and over the operations, or the
 * stimuli and the schedule.
 * Every step shows the finding, so what comes back does too when what went in did.
 */
export async function shrink(request: ShrinkRequest): Promise<Built> {
  const { built, profile, drawn, shows, budget } = request;
  const first = drawn === undefined ? undefined : await shrinkIntents(drawn, shows, budget.part(0.4));
  const smaller = first ?? built;
  const { scenario } = smaller;
  if (!request.operations) return smaller;
  if (scenario.level === 'stimuli') {
    const least = await shrinkStimuli(scenario, (candidate) => shows({ ...smaller, scenario: candidate }), budget);
    return { ...smaller, scenario: least };
  }
  const rebuilt = (operations: readonly Operation[]): Built => ({ ...smaller, scenario: { ...scenario, operations } });
  const least = await shrinkOperations(scenario.operations, profile, (candidate) => shows(rebuilt(candidate)), budget);
  return rebuilt(least);
}
