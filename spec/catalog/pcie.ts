import type { Clause } from '../interface/judgement.js';

const common = {
  document: 'PCI Express Base Specification',
  revision: '6',
  section: 'Hardware, first leg: MSI Capability Structure',
  obligation: 'MUST',
  // The layout rests on one source (facts/sriov.md 12.3).
  tag: '1L',
  needs: '-',
  choices: [],
} as const satisfies Omit<Clause, 'id' | 'rule'>;

/** What a function's interrupt is on the bus: the first leg of its way to a vCPU. */
export const pcieClauses: readonly Clause[] = [
  {
    ...common,
    id: 'PCI-MSI-001',
    rule: 'An interrupt of a function with MSI enabled is one dword write of the programmed data to the programmed address; with MSI disabled there is no message.',
  },
  {
    ...common,
    id: 'PCI-MSI-002',
    rule: 'MSI Enable is bit 0 of Message Control and 0 after reset; address and data are what software last wrote.',
  },
];
