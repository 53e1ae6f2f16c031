import type { Arbitrary } from 'fast-check';
import type { Profile } from '../../spec/interface/profile.js';
import type { Built, Property, Sweep } from './property.js';
import { sweepOrder } from './schedule.js';
import { caseSeed, draw } from './seeds.js';
import type { CaseOrigin } from './types.js';

export type { CaseOrigin } from './types.js';

/** Makes the random and the swept cases of one property for one profile; arbitrary and sweep are built once. */
export class CaseMaker {
  readonly property: Property;
  private readonly profile: Profile;
  private sweepBuilt: { readonly sweep: Sweep | undefined } | undefined;
  private arbitrary: Arbitrary<unknown> | undefined;

  constructor(property: Property, profile: Profile) {
    this.property = property;
    this.profile = profile;
  }

  /** Number of swept cases; 0 without a sweep. */
  get sweepSize(): number {
    return this.sweep?.size ?? 0;
  }

  /** The order in which the sweep is gone through with a seed. */
  sweepOrder(seed: number): (position: number) => number {
    return sweepOrder(this.sweep ?? { size: 0 }, seed, this.property.id);
  }

  /**
   * Makes a random or swept case: the same origin always gives the same case.
   *
   * @throws Error that names property, index and seed when the property's own code throws
   */
  make(origin: CaseOrigin): Built {
    const { property, profile } = this;
    try {
      if (origin.kind === 'sweep') return this.sweep!.at(origin.index);
      this.arbitrary ??= property.intents(profile);
      return property.build(profile, draw(this.arbitrary, caseSeed(origin.seed, property.id, origin.index)));
    } catch (cause) {
      const which = `${origin.kind} case ${origin.index} with seed ${origin.seed}`;
      throw new Error(`property "${property.id}" cannot make ${which}: ${(cause as Error).message}`, { cause });
    }
  }

  private get sweep(): Sweep | undefined {
    this.sweepBuilt ??= { sweep: this.property.sweep?.(this.profile) };
    return this.sweepBuilt.sweep;
  }
}
