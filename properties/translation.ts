import type { Property } from '../src/harness/property.js';
import { type VmCase, type VmWeights, vmCases } from './generators/vm-intents.js';
import { buildVmCase, unsuitableForVms } from './generators/vm-stimuli.js';

const WEIGHTS: VmWeights = { map: 4, unmap: 2, remap: 3, attach: 1, detach: 1, read: 4, write: 8, handover: 1 };

/** A function reaches what was mapped, and where. */
export const translation: Property<VmCase> = {
  id: 'translation',
  claim:
    'A page that a VM was given leads a function of the VM to the frame that it was given, from the answer on and until it is taken away.',
  clauses: ['HV-TRN-001', 'HV-TRN-002', 'HV-REQ-001', 'HV-LIVE-001'],
  notApplicable: unsuitableForVms,
  intents: () => vmCases(WEIGHTS),
  build: (profile, intents) => buildVmCase(profile, intents, 'reach'),
  minimumShares: () => ({ 'during:change': 0.1, 'reach:memory': 0.2 }),
};
