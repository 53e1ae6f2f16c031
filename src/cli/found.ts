import type { Finding, Judgement } from '../../spec/interface/judgement.js';
import { certainClauses, conclude, type StoredCase, sameIdentity } from '../harness/index.js';
import type { World } from './world.js';

/** What judging a stored case again gives, without running anything. */
export interface Found {
  readonly judgement: Judgement;
  /** The finding that the case is kept for; absent when its history does not show it (any more). */
  readonly finding: Finding | undefined;
}

/**
 * Judges the history of a stored case, with no deviation known beforehand, and keeps the reasoning. What comes after the
 * first deviation is looked at only when the case's finding is not the first.
 */
export function findAgain(world: World, stored: StoredCase): Found {
  const first = judgedAs(world, stored, true);
  return first.finding === undefined ? judgedAs(world, stored, false) : first;
}

function judgedAs(world: World, stored: StoredCase, firstOnly: boolean): Found {
  const { identity, scenario, expectation, history } = stored;
  const claim = identity.kind === 'claim';
  const outcome = conclude(history, {
    judge: (each, options) => world.judge(each, { ...options, firstOnly, explain: true }),
    certain: certainClauses(world.catalogue),
    ...(claim
      ? {
          property: world.properties.find((each) => each.id === stored.property),
          built: { scenario, labels: {}, expectation },
        }
      : {}),
  });
  const { judgement } = outcome;
  const all = [outcome.finding, outcome.also, ...judgement.candidates];
  return { judgement, finding: all.find((each) => each !== undefined && sameIdentity(each, identity)) };
}
