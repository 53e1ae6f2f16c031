import type { Profile } from '../../spec/interface/profile.js';
import type { Built, Property } from './property.js';
import { caseSeed, draw } from './seeds.js';

/** Where a case came from: enough to make it again. */
export interface CaseOrigin {
  readonly kind: 'random' | 'sweep' | 'stored';
  readonly property: string;
  /** Seed of the campaign. */
  readonly seed: number;
  /** Number of the case in its property's random cases or in its sweep. */
  readonly index: number;
  /** Path of a stored case. */
  readonly file?: string;
}

/**
 * Makes a random or swept case. Pure: the same origin, property and profile give the same case.
 *
 * @throws Error that names property, index and seed when the property's own code throws
 */
export function buildCase(property: Property, profile: Profile, origin: CaseOrigin): Built {
  try {
    if (origin.kind === 'sweep') return property.sweep!(profile).at(origin.index);
    return property.build(profile, draw(property.intents(profile), caseSeed(origin.seed, property.id, origin.index)));
  } catch (cause) {
    const which = `${origin.kind} case ${origin.index} with seed ${origin.seed}`;
    throw new Error(`property "${property.id}" cannot make ${which}: ${(cause as Error).message}`, { cause });
  }
}
