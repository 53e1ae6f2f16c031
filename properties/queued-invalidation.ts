import type { Profile } from '../spec/interface/profile.js';
import type { Property } from '../src/harness/property.js';
import { platformOf, withoutQueue } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import type { CaseIntents, Recipe } from './generators/intents.js';
import { PAGE_LABELS } from './generators/labels.js';

const RECIPE: Recipe = {
  weights: {
    dma: 16,
    map: 3,
    unmap: 3,
    rights: 2,
    remap: 5,
    attach: 3,
    detach: 1,
    repair: 2,
    split: 1,
    reinterpret: 1,
    reroot: 1,
    flush: 1,
    invalidate: 6,
  },
};

/** Directions, page sizes, and flushes through the queue for every so many requests. */
function shares(profile: Profile): Record<string, number> {
  const pages = platformOf(profile).leafLevels.map((level) => PAGE_LABELS[level - 1]!);
  return Object.fromEntries([...['read', 'write', ...pages].map((label) => [label, 0.05]), ['made:queued-flush', 0.1]]);
}

/** What was invalidated through the queue, and seen complete, is used no more. */
export const queuedInvalidation: Property<CaseIntents> = {
  id: 'queued-invalidation',
  claim:
    'After a change of the tables and a global invalidation through the queue that was seen complete, DMA goes where the new tables say.',
  clauses: [
    'VTD-CACHE-001',
    'VTD-CACHE-004',
    'VTD-CACHE-005',
    'VTD-CACHE-013',
    'VTD-INV-001',
    'VTD-INV-018',
    'VTD-QI-016',
    'VTD-WAIT-001',
    'VTD-WAIT-002',
    'VTD-GCMD-006',
  ],
  notApplicable: withoutQueue,
  intents: (profile) => cases(platformOf(profile), RECIPE),
  build: (profile, intents) => buildCase(profile, intents, { queued: 'always' }),
  minimumShares: shares,
};
