/** Zero-length reads against every combination of read and write permission in the entries of a chain. */

import type { Profile } from '../../spec/interface/profile.js';
import type { Built } from '../../src/harness/property.js';
import { type Platform, platformOf, type Width } from './capabilities.js';
import { READ_WRITE } from './entries.js';
import type { SlotIntent } from './intents.js';
import { Stage } from './stage.js';

/** Combinations in one scenario. */
const PER_SCENARIO = 24;

const SLOT: SlotIntent = { edge: 1, share: 0, indices: [3, 5, 7, 9, 11] };

/** Combinations `first` to `first + PER_SCENARIO - 1` of the rights along a chain. */
export interface RightsPoint {
  readonly width: Width;
  /** Level of the leaf. */
  readonly level: number;
  readonly first: number;
  /** Number of combinations: four for each entry. */
  readonly count: number;
}

/** Every chain that the platform has, with all its combinations. */
export function rightsPoints(platform: Platform): readonly RightsPoint[] {
  return platform.widths.flatMap((width) =>
    platform.leafLevels.flatMap((level) => {
      const count = 4 ** (width.levels - level + 1);
      const scenarios = Math.ceil(count / PER_SCENARIO);
      return Array.from({ length: scenarios }, (_, n) => ({ width, level, first: n * PER_SCENARIO, count }));
    }),
  );
}

/** The scenario of a point: a zero-length read for each combination, by the requesters in turn. */
export function buildRights(profile: Profile, { width, level, first, count }: RightsPoint): Built {
  const stage = new Stage(platformOf(profile), [SLOT], 0);
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  const domain = plan.addDomain(width, plan.freeDomainId(3n))!;
  const out = plan.pageOfData(plan.memory.takeData(), level);
  const mapping = plan.map(domain, stage.slotAddress(domain, 0, level), level, READ_WRITE, out)!;
  const seats = plan.seats.filter(({ requester }) => requester.zeroLengthReads === true);
  for (const seat of seats) plan.attach(seat, { domain: 0, faultDisable: false });
  stage.latchRoot(plan.rootAddress);
  for (let combination = first; combination < Math.min(first + PER_SCENARIO, count); combination++) {
    mapping.entries.forEach((word, place) => {
      const rights = BigInt((combination >> (2 * place)) & 3);
      plan.putEntry(word, (plan.memory.read(word) & ~READ_WRITE) | rights);
    });
    const seat = seats[combination % seats.length]!;
    stage.send(seat, { address: mapping.iova + 0x40n, bytes: 0, write: false });
  }
  stage.finish();
  return {
    scenario: { level: 'operations', start: 'ready', operations: script.operations },
    labels: stage.labels,
  };
}
