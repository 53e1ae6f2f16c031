import type { Profile } from '../../spec/interface/profile.js';
import type { History } from '../../spec/interface/scenario.js';
import type { KnownDeviation, StoredCase } from '../harness/types.js';

/** Sound examples of what the formats hold, for tests. */

/** A small profile with two requesters, one of which has PASIDs. */
export const SAMPLE_PROFILE: Profile = {
  name: 'sample',
  implementation: 'sample 1.0',
  components: {
    iommu: {
      architecture: 'vtd',
      revision: '5.10',
      registers: { VER: 0x10n, CAP: 0x00d2_008c_2226_0206n, ECAP: 0xf0_0f4an },
      parameters: { hostAddressWidth: 39 },
    },
  },
  requesters: [
    { id: 'dev0', routingId: 0x100, component: 'iommu', dma: true, msi: true, pasidBits: 0 },
    {
      id: 'dev1',
      routingId: 0x101,
      component: 'iommu',
      dma: true,
      msi: false,
      pasidBits: 20,
      zeroLengthReads: true,
      noSnoop: true,
    },
  ],
  memory: [
    { kind: 'ram', base: 0n, bytes: 0x1000_0000n },
    { kind: 'device', base: 0xfed9_0000n, bytes: 0x1000n },
  ],
  arena: { base: 0x400_0000n, bytes: 0x4000 },
  limits: { tokens: 256, dmaBytes: 64 },
};

/** Three operations: a store, a refused read, and the fault status. */
export const SAMPLE_HISTORY: History = {
  profile: SAMPLE_PROFILE,
  start: 'ready',
  steps: [
    {
      operation: { op: 'store', address: 0x400_0000n, words: [0x400_1001n, 0n] },
      observation: { of: 'store', begin: 0, complete: 0 },
    },
    {
      operation: { op: 'dma', requester: 'dev0', address: 0x1000n, direction: 'read', bytes: 4, token: 0 },
      observation: { of: 'dma', begin: 1, complete: 1, data: Uint8Array.of(1, 2, 3, 0xff) },
    },
    {
      operation: { op: 'regRead', component: 'iommu', register: 'FSTS', size: 4 },
      observation: { of: 'regRead', begin: 2, complete: 2, value: 0x2n },
    },
  ],
};

/** A case that holds {@link SAMPLE_HISTORY}. */
export const SAMPLE_CASE: StoredCase = {
  format: 'iovcheck-case',
  version: 1,
  id: 'VTD-SS-010-access-let-through-0badcafe',
  property: 'translation',
  identity: { clause: 'VTD-SS-010', kind: 'access-let-through', discriminator: 'leaf R=0 → data' },
  profile: SAMPLE_PROFILE,
  scenario: {
    level: 'operations',
    start: 'ready',
    operations: SAMPLE_HISTORY.steps.map((step) => step.operation),
  },
  expected: 'blocked',
  observed: 'data',
  origin: { seed: 7, index: 3, sweep: false },
  tool: { name: 'iovcheck', version: '0.1.0' },
  target: { id: 'sample', implementation: 'sample 1.0' },
  history: SAMPLE_HISTORY,
};

/** An entry of a list of known deviations that is about {@link SAMPLE_CASE}. */
export const SAMPLE_KNOWN: KnownDeviation = {
  ...SAMPLE_CASE.identity,
  implementation: '^sample ',
  facts: { row: 'VTD-SS-010', tag: '2' },
  lawfulChoices: [{ row: 'N10', why: 'it is about caching, and nothing was cached' }],
  case: '../cases/sample.json',
  reason: 'the read permission is not checked',
};
