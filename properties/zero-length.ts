import type { Profile } from '../spec/interface/profile.js';
import type { Property } from '../src/harness/property.js';
import { platformOf, withoutZeroLengthReads } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import type { CaseIntents, Recipe } from './generators/intents.js';
import { buildRights, rightsPoints } from './generators/rights-sweep.js';

const RECIPE: Recipe = {
  weights: {
    dma: 14,
    break: 12,
    rights: 8,
    corrupt: 3,
    map: 1,
    unmap: 1,
    remap: 1,
    attach: 2,
    quiet: 1,
    repair: 3,
    reroot: 1,
    flush: 1,
    load: 1,
  },
  aims: { noRead: 6, noWrite: 3, entryAbsent: 3, interruptRange: 6, entryReserved: 3 },
  zeroLengthOneIn: 2,
};

/** Zero-length reads, those that succeed by a rule of their own, and the refusals among them. */
function shares(profile: Profile): Record<string, number> {
  const own = platformOf(profile).zeroLengthRead ? 0.02 : 0.002;
  return { read: 0.3, write: 0.05, 'made:zero-length': 0.3, 'zero-length': own, 'fault:6h': 0.02 };
}

/** A read of no bytes meets the rights that ZLR asks for, and every other check. */
export const zeroLength: Property<CaseIntents> = {
  id: 'zero-length',
  claim:
    'A zero-length read passes where ZLR says so: with write permission alone if ZLR=1, with read permission if not, and always in FEEx; every other fault stays.',
  clauses: ['VTD-ZLR-001', 'VTD-ZLR-002', 'VTD-ZLR-003', 'VTD-IAR-003', 'VTD-SS-004', 'VTD-SS-007'],
  notApplicable: withoutZeroLengthReads,
  sweep: (profile) => {
    const points = rightsPoints(platformOf(profile));
    return { size: points.length, at: (index) => buildRights(profile, points[index]!) };
  },
  intents: (profile) => cases(platformOf(profile), RECIPE),
  build: (profile, intents) => buildCase(profile, intents),
  minimumShares: shares,
};
