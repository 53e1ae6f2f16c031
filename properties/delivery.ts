import type { Property } from '../src/harness/property.js';
import { type VmCase, type VmWeights, vmCases } from './generators/vm-intents.js';
import { buildVmCase, unsuitableForVms } from './generators/vm-stimuli.js';

const WEIGHTS: VmWeights = {
  attach: 1,
  detach: 1,
  route: 3,
  mask: 4,
  accept: 6,
  eoi: 5,
  tpr: 2,
  signal: 6,
  storm: 8,
  handover: 1,
};

/** Interrupts arrive, where they should, as often as they should. */
export const delivery: Property<VmCase> = {
  id: 'delivery',
  claim:
    'Every event of an assigned function reaches the vCPU that it is routed to, merged at most with others, and never any other vCPU.',
  clauses: [
    'PCI-MSI-001',
    'PCI-MSI-002',
    'HV-DLV-001',
    'HV-DLV-002',
    'HV-DLV-003',
    'HV-DLV-006',
    'HV-DLV-007',
    'APIC-005',
    'APIC-006',
    'APIC-007',
    'APIC-008',
  ],
  notApplicable: unsuitableForVms,
  intents: () => vmCases(WEIGHTS),
  build: (profile, intents) => buildVmCase(profile, intents, 'interrupts'),
  minimumShares: () => ({ 'during:change': 0.1, 'signal:sent': 0.3 }),
};
