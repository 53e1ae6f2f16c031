import type { Finding } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Target } from '../../spec/interface/target.js';
import type { CaseOptions } from './case.js';
import type { CaseOrigin } from './origin.js';
import type { Built, Property } from './property.js';
import { caseSeed } from './seeds.js';
import { showing } from './shows.js';
import { type Budget, shrink } from './shrink/index.js';

/** A finding, and the case that showed it. */
export interface ShownFinding {
  readonly property: Property;
  readonly profile: Profile;
  readonly origin: CaseOrigin;
  readonly built: Built;
  readonly finding: Finding;
}

/** Makes the case of a finding smaller as far as the budget goes; what comes back still shows that finding. */
export function smallestCase(
  target: Target,
  shown: ShownFinding,
  options: Omit<CaseOptions, 'built' | 'property'>,
  budget: Budget,
): Promise<Built> {
  const { property, profile, origin, built, finding } = shown;
  const random = origin.kind === 'random';
  return shrink({
    built,
    profile,
    drawn: random ? { property, profile, seed: caseSeed(origin.seed, property.id, origin.index) } : undefined,
    // A claim may rest on facts that only the generator can give.
    operations: finding.kind !== 'claim' || built.expectation === undefined,
    shows: showing(finding, target, { ...options, property }),
    budget,
  });
}
