import type { Property } from '../src/harness/property.js';
import { cachedCases } from './generators/cached-draws.js';
import { type CachedCase, Rounds } from './generators/cached-rounds.js';
import { platformOf, unsuitable } from './generators/capabilities.js';
import { buildNeighbours, neighbourPoints } from './generators/neighbour-sweep.js';

/** Old or new until the invalidation is seen complete, the new from then on. */
export const staleWindow: Property<CachedCase> = {
  id: 'stale-window',
  claim:
    'Until an invalidation that covers a changed entry is seen complete, DMA goes where the old or the new tables say; from then on, where the new ones say.',
  clauses: [
    'VTD-CACHE-001',
    'VTD-CACHE-003',
    'VTD-CACHE-004',
    'VTD-CACHE-005',
    'VTD-CACHE-007',
    'VTD-CACHE-008',
    'VTD-CACHE-009',
    'VTD-CACHE-011',
    'VTD-CACHE-013',
    'VTD-INV-001',
    'VTD-INV-002',
    'VTD-INV-003',
    'VTD-INV-004',
    'VTD-INV-005',
    'VTD-INV-011',
    'VTD-INV-012',
    'VTD-INV-013',
    'VTD-INV-018',
    'VTD-INV-020',
    'VTD-GCMD-009',
    'VTD-GCMD-010',
    'VTD-QI-016',
    'VTD-WAIT-001',
    'VTD-WAIT-002',
    'VTD-WAIT-010',
  ],
  notApplicable: unsuitable,
  sweep: (profile) => {
    const points = neighbourPoints(platformOf(profile));
    return { size: points.length, at: (index) => buildNeighbours(profile, points[index]!) };
  },
  intents: () => cachedCases(),
  build(profile, intents) {
    const rounds = new Rounds(platformOf(profile), intents);
    for (const each of intents.rounds) rounds.round(each);
    rounds.finish();
    return {
      scenario: { level: 'operations', start: 'ready', operations: rounds.world.script.operations },
      labels: rounds.labels,
    };
  },
  minimumShares: () => ({
    'window:changed': 0.1,
    'window:submitted': 0.03,
    'window:invalidated': 0.1,
    'made:after-use': 0.1,
  }),
};
