import type { Property } from '../src/harness/property.js';
import { platformOf, unsuitable } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import type { CaseIntents, Recipe } from './generators/intents.js';

const RECIPE: Recipe = {
  weights: { dma: 6, break: 12, quiet: 4, attach: 2, repair: 2, corrupt: 2, interrupt: 1, flush: 1 },
  aims: { contextAbsent: 2, mode: 1 },
  quietOneIn: 2,
};

/** FPD silences what it may. */
export const faultDisable: Property<CaseIntents> = {
  id: 'fault-disable',
  claim:
    'FPD=1 silences the qualified faults of its requester and nothing else: requests are blocked or pass as before.',
  clauses: ['VTD-CTX-002', 'VTD-CTX-003', 'VTD-CTX-010', 'VTD-CTX-011', 'VTD-ROOT-007', 'VTD-FLT-004', 'VTD-FLT-005'],
  notApplicable: unsuitable,
  intents: (profile) => cases(platformOf(profile), RECIPE),
  build: (profile, intents) => buildCase(profile, intents, { badModes: 10 }),
  minimumShares: () => ({ read: 0.05, write: 0.05 }),
};
