import type { Property } from '../src/harness/property.js';
import { type VmCase, type VmWeights, vmCases } from './generators/vm-intents.js';
import { buildVmCase, unsuitableForVms } from './generators/vm-stimuli.js';

const WEIGHTS: VmWeights = { map: 3, unmap: 3, remap: 3, attach: 2, detach: 2, read: 5, write: 5, handover: 2 };

/** No DMA of one VM ever touches another's memory. */
export const isolation: Property<VmCase> = {
  id: 'isolation',
  claim:
    'Whatever functions do between any two steps of the hypervisor, none reaches memory that its VM does not have.',
  clauses: ['HV-ISO-001', 'HV-ISO-002', 'HV-ISO-003', 'HV-OWN-001', 'HV-OWN-002', 'HV-FN-001', 'HV-REQ-002'],
  notApplicable: unsuitableForVms,
  intents: () => vmCases(WEIGHTS),
  build: (profile, intents) => buildVmCase(profile, intents, 'reach'),
  minimumShares: () => ({ 'during:change': 0.1, 'reach:blocked': 0.1, 'reach:memory': 0.1 }),
};
