import type { Deviation, RequestSuccessor } from '../../spec/interface/model.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Step } from '../../spec/interface/scenario.js';
import type { AddressMap } from './address-map.js';
import type { MemoryLog } from './memory.js';
import type { Functions } from './signals.js';
import type { Unit } from './world.js';

/** By step, the other steps that were under way at the same time; empty for most histories. */
export type Overlaps = ReadonlyMap<number, readonly number[]>;

/** The admitted ends of a request, and in which world they were worked out. */
export interface WorkedOut {
  readonly state: unknown;
  readonly memory: MemoryLog;
  readonly at: number;
  readonly successors: readonly RequestSuccessor<unknown>[];
}

/** What judging a step needs to know. */
export interface Bench {
  readonly profile: Profile;
  readonly map: AddressMap;
  readonly units: readonly Unit[];
  readonly steps: readonly Step[];
  readonly overlaps: Overlaps;
  readonly functions: Functions;
  /** The last request that was worked out, which may be asked for again at once. */
  readonly lastRequest: { of?: WorkedOut };
  /** Which departures are looked for; all when absent. */
  readonly wanted?: (deviation: Deviation) => boolean;
  /** Kinds of what is wanted, when they are known. */
  readonly kinds?: ReadonlySet<string>;
}
