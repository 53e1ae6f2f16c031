import type { Deviation } from '../../spec/interface/model.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Step } from '../../spec/interface/scenario.js';
import type { AddressMap } from './address-map.js';
import type { Endings } from './endings.js';
import type { Functions } from './signals.js';
import type { Unit } from './world.js';

/** By step, the other steps that were under way at the same time; empty for most histories. */
export type Overlaps = ReadonlyMap<number, readonly number[]>;

/** What judging a step needs to know. */
export interface Bench {
  readonly profile: Profile;
  readonly map: AddressMap;
  readonly units: readonly Unit[];
  readonly steps: readonly Step[];
  readonly overlaps: Overlaps;
  readonly functions: Functions;
  readonly endings: Endings;
  /** Which departures are looked for; all when absent. */
  readonly wanted?: (deviation: Deviation) => boolean;
  /** Kinds of what is wanted, when they are known. */
  readonly kinds?: ReadonlySet<string>;
}
