import type { Property } from '../src/harness/property.js';
import { platformOf, unsuitable } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import type { CaseIntents, Recipe } from './generators/intents.js';
import { buildPoint, sweepPoints } from './generators/sweep.js';

const RECIPE: Recipe = {
  weights: { corrupt: 16, dma: 4, map: 1, attach: 1, repair: 2, reinterpret: 1, quiet: 1, flush: 1 },
  steps: { least: 6, most: 14 },
};

/** Whatever an entry holds, what follows is admissible. */
export const entrySweep: Property<CaseIntents> = {
  id: 'entry-sweep',
  claim: 'Whatever bit or field of a root, context or paging entry is wrong, requests end in an admissible way.',
  clauses: [
    'VTD-ROOT-002',
    'VTD-ROOT-003',
    'VTD-ROOT-004',
    'VTD-ROOT-005',
    'VTD-ROOT-006',
    'VTD-CTX-002',
    'VTD-CTX-003',
    'VTD-CTX-004',
    'VTD-CTX-005',
    'VTD-CTX-006',
    'VTD-CTX-009',
    'VTD-CTX-010',
    'VTD-CTX-015',
    'VTD-SS-001',
    'VTD-SS-007',
    'VTD-SS-010',
    'VTD-SS-011',
    'VTD-SS-012',
    'VTD-SS-013',
    'VTD-SS-014',
    'VTD-SS-015',
    'VTD-SS-016',
    'VTD-SS-017',
    'VTD-SS-018',
    'VTD-SS-019',
    'VTD-SS-021',
    'VTD-IAR-005',
  ],
  notApplicable: unsuitable,
  sweep: (profile) => {
    const points = sweepPoints(platformOf(profile));
    return { size: points.size, first: points.first, at: (index) => buildPoint(profile, points.at(index), index) };
  },
  intents: (profile) => cases(platformOf(profile), RECIPE),
  build: (profile, intents) => buildCase(profile, intents),
  minimumShares: () => ({ read: 0.05, write: 0.05 }),
};
