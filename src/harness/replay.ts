import type { Target } from '../../spec/interface/target.js';
import type { CaseOptions } from './case.js';
import { unfit } from './fits.js';
import { sameIdentity } from './identity.js';
import type { Property } from './property.js';
import { runFor } from './shows.js';
import type { CaseOutcome, StoredCase } from './types.js';

export type ReplayOptions = Pick<CaseOptions, 'judge' | 'known' | 'certain' | 'drive'> & {
  /** The property of the stored case; needed when its finding is a claim. */
  readonly property?: Property | undefined;
};

/** What a stored case shows on a target. */
export type Replay =
  | { readonly result: 'not applicable'; readonly reason: string }
  | {
      /** `reproduced`: the stored identity appeared, known or not. */
      readonly result: 'reproduced' | 'other finding' | 'conformant' | 'inconclusive' | 'target failure';
      readonly outcome: CaseOutcome;
    };

function resultOf(outcome: CaseOutcome, { identity }: StoredCase): Exclude<Replay['result'], 'not applicable'> {
  const happened = [...outcome.known, outcome.finding, outcome.also];
  if (happened.some((finding) => finding !== undefined && sameIdentity(finding, identity))) return 'reproduced';
  if (outcome.history.failure !== undefined) return 'target failure';
  if (outcome.finding !== undefined) return 'other finding';
  return outcome.judgement.verdict === 'inconclusive' ? 'inconclusive' : 'conformant';
}

/**
 * Runs a stored case on a target after a cold restart and says whether its finding appears.
 *
 * @throws NoSoftware for a scenario of stimuli without `drive`
 */
export async function replay(target: Target, stored: StoredCase, options: ReplayOptions): Promise<Replay> {
  const profile = await target.describe();
  const reason = unfit(profile, stored.scenario);
  if (reason !== undefined) return { result: 'not applicable', reason };
  const built = { scenario: stored.scenario, labels: {}, expectation: stored.expectation };
  const outcome = await runFor(stored.identity, target, built, { ...options, profile, cold: true });
  return { result: resultOf(outcome, stored), outcome };
}
