import type { Clause } from '../interface/judgement.js';

/** Rules of the platform around the units: what memory is. */
export const platformClauses: readonly Clause[] = [
  {
    id: 'PLAT-MEM-001',
    document: 'Platform',
    revision: '1',
    section: 'Memory',
    rule: 'Memory holds what was last stored there by software or by a device request that is admitted to reach it; nothing else changes it.',
    obligation: 'MUST',
    tag: '2',
    needs: '-',
    choices: [],
  },
  {
    id: 'PLAT-DMA-001',
    document: 'Platform',
    revision: '1',
    section: 'Device requests',
    rule: 'A device sees what became of its request: the bytes that memory holds where it was translated, none of them where it was blocked, a completion status and messages to match.',
    obligation: 'MUST',
    tag: '1S',
    needs: '-',
    choices: ['N24'],
  },
];
