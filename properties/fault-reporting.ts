import type { Profile } from '../spec/interface/profile.js';
import type { Property } from '../src/harness/property.js';
import { platformOf, unsuitable } from './generators/capabilities.js';
import { buildCase } from './generators/cases.js';
import { cases } from './generators/draws.js';
import type { CaseIntents, Recipe } from './generators/intents.js';
import { faultLabel, reachableReasons } from './generators/labels.js';

const RECIPE: Recipe = {
  weights: { dma: 8, break: 16, map: 1, attach: 1, detach: 1, repair: 2, reinterpret: 1, interrupt: 1, flush: 1 },
  aims: {
    rootAbsent: 4,
    rootReserved: 4,
    rootUnreadable: 4,
    contextAbsent: 4,
    contextReserved: 4,
    contextUnreadable: 4,
    width: 2,
    type: 2,
    topUnreadable: 2,
    lowerUnreadable: 5,
    entryReserved: 5,
    entryAbsent: 2,
    noRead: 2,
    noWrite: 3,
    outputInterrupt: 6,
    outputHole: 1,
    outputAbove: 1,
    beyondWidth: 5,
    interruptRange: 5,
    mode: 2,
  },
};

function shares(profile: Profile): Record<string, number> {
  const reasons = reachableReasons(platformOf(profile));
  return Object.fromEntries(reasons.map((reason) => [faultLabel(reason), 0.01]));
}

/** Blocked requests are reported as the specification says. */
export const faultReporting: Property<CaseIntents> = {
  id: 'fault-reporting',
  claim: 'A blocked request is reported with an admissible reason, and with its own source-id, address and type.',
  clauses: [
    'VTD-ROOT-002',
    'VTD-ROOT-003',
    'VTD-ROOT-004',
    'VTD-ROOT-005',
    'VTD-ROOT-006',
    'VTD-CTX-002',
    'VTD-CTX-003',
    'VTD-CTX-005',
    'VTD-CTX-006',
    'VTD-CTX-010',
    'VTD-SS-003',
    'VTD-SS-004',
    'VTD-SS-005',
    'VTD-SS-007',
    'VTD-SS-010',
    'VTD-SS-019',
    'VTD-IAR-002',
    'VTD-IAR-005',
    'VTD-IAR-006',
    'VTD-PT-002',
    'VTD-GCMD-018',
    'VTD-GCMD-019',
    'VTD-FLT-001',
    'VTD-FLT-002',
    'VTD-FLT-003',
    'VTD-FREC-002',
    'VTD-FREC-004',
    'VTD-FREC-005',
  ],
  notApplicable: unsuitable,
  intents: (profile) => cases(platformOf(profile), RECIPE),
  build: (profile, intents) => buildCase(profile, intents, { badModes: 80, resets: 10 }),
  minimumShares: shares,
};
