import type { Profile } from '../spec/interface/profile.js';
import type { Property } from '../src/harness/property.js';
import { platformOf, unsuitable } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import type { CaseIntents, Recipe } from './generators/intents.js';
import { PAGE_LABELS } from './generators/labels.js';

const RECIPE: Recipe = {
  weights: {
    dma: 24,
    map: 2,
    unmap: 1,
    rights: 1,
    remap: 2,
    attach: 1,
    repair: 1,
    split: 1,
    reinterpret: 1,
    interrupt: 1,
    reroot: 1,
    flush: 1,
    load: 1,
  },
};

/** Page sizes, table levels, directions and crossings that the profile has, at 5% each. */
function shares(profile: Profile): Record<string, number> {
  const platform = platformOf(profile);
  const labels = ['read', 'write', 'crossing'];
  for (const level of platform.leafLevels) labels.push(PAGE_LABELS[level - 1]!);
  for (const { levels } of platform.widths) labels.push(`levels:${levels}`);
  return Object.fromEntries(labels.map((label) => [label, 0.05]));
}

/** DMA goes where the tables say. */
export const dmaTranslation: Property<CaseIntents> = {
  id: 'dma-translation',
  claim: 'A DMA request goes exactly where the tables say, for every number of levels and every page size.',
  clauses: [
    'VTD-ROOT-001',
    'VTD-CTX-001',
    'VTD-CTX-009',
    'VTD-SS-001',
    'VTD-SS-002',
    'VTD-SS-003',
    'VTD-SS-012',
    'VTD-SS-013',
    'VTD-SS-018',
    'VTD-SS-024',
    'VTD-IAR-001',
    'VTD-CROSS-001',
    'VTD-GCMD-001',
    'VTD-GCMD-002',
    'VTD-GCMD-015',
  ],
  notApplicable: unsuitable,
  intents: (profile) => cases(platformOf(profile), RECIPE),
  build: (profile, intents) => buildCase(profile, intents, { resets: 10 }),
  minimumShares: shares,
};
