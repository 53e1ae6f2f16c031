import fc from 'fast-check';
import type { Profile } from '../../../spec/interface/profile.js';
import type { Built, Property } from '../property.js';
import { draw, drawParameters } from '../seeds.js';
import type { Budget, Oracle } from './session.js';

/** What the first pass works on: a property's case, by its seed. */
export interface DrawnCase {
  readonly property: Property;
  readonly profile: Profile;
  /** As from `caseSeed`. */
  readonly seed: number;
}

/**
 * First pass: fast-check shrinks the intents, held to the finding by the oracle. Gives the smallest scenario that
 * showed it, or `undefined` when fast-check's first value is not the one that was drawn, or does not show it.
 */
export async function shrinkIntents(
  drawn: DrawnCase,
  shows: Oracle<Built>,
  budget: Budget,
): Promise<Built | undefined> {
  const { property, profile, seed } = drawn;
  const arbitrary = property.intents(profile);
  const expected = fc.stringify(draw(arbitrary, seed));
  let first = true;
  let best: Built | undefined;
  let thrown: { readonly error: unknown } | undefined;
  const check = fc.asyncProperty(arbitrary, async (intents) => {
    const wrong = first && fc.stringify(intents) !== expected;
    first = false;
    if (wrong || thrown !== undefined || !budget.take()) return true;
    try {
      const built = property.build(profile, intents);
      if (!(await shows(built))) return true;
      best = built;
      return false;
    } catch (error) {
      // To fast-check a throw is a failure to shrink further; to us it is the end.
      thrown = { error };
      return true;
    }
  });
  await fc.check(check, { ...drawParameters(seed), endOnFailure: false });
  if (thrown !== undefined) throw (thrown as { readonly error: unknown }).error;
  return best;
}
