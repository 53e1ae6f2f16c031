import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History, Step } from '../../spec/interface/scenario.js';
import type { Target } from '../../spec/interface/target.js';

/** Hand-made scenarios for the judge's tests: tables at fixed frames of an arena at 64 MiB. */

const BASE = 0x0400_0000n;

/** Host-physical address of an arena frame. */
export const frame = (number: number): bigint => BASE + BigInt(number) * 4096n;

export const reg = { component: 'iommu0' } as const;
const GSTS_TES = 1n << 31n;
const RTPS = 1n << 30n;

export const zero = (number: number): Operation => ({ op: 'store', address: frame(number), words: [0n], repeat: 512 });
export const store = (address: bigint, ...words: readonly bigint[]): Operation => ({ op: 'store', address, words });

/** Global context-cache, then global IOTLB invalidation, both observed. */
export const flush: readonly Operation[] = [
  { op: 'regWrite', ...reg, register: 'CCMD', size: 8, value: (1n << 63n) | (1n << 61n) },
  { op: 'poll', ...reg, register: 'CCMD', size: 8, mask: 1n << 63n, expect: 0n, limit: 100 },
  { op: 'regWrite', ...reg, register: 'IOTLB', size: 8, value: (1n << 63n) | (1n << 60n) },
  { op: 'poll', ...reg, register: 'IOTLB', size: 8, mask: 1n << 63n, expect: 0n, limit: 100 },
];

/** Latches a root table and flushes. */
export const setRoot = (table: bigint): readonly Operation[] => [
  { op: 'regWrite', ...reg, register: 'RTADDR', size: 8, value: table },
  { op: 'regWrite', ...reg, register: 'GCMD', size: 4, value: GSTS_TES | RTPS },
  { op: 'poll', ...reg, register: 'GSTS', size: 4, mask: RTPS, expect: RTPS, limit: 100 },
  ...flush,
];

/** Root in frame 0, context table in 1, four levels in 2 to 5; IOVA 0 to 4 KiB maps frame 8, the next page frame 9. */
export const chain = (leaf: bigint = frame(8) | 3n, context: bigint = frame(2) | 1n): readonly Operation[] => [
  ...[0, 1, 2, 3, 4, 5].map(zero),
  store(frame(0) + 16n, frame(1) | 1n),
  store(frame(1), context, 2n | (7n << 8n)),
  store(frame(2), frame(3) | 3n),
  store(frame(3), frame(4) | 3n),
  store(frame(4), frame(5) | 3n),
  store(frame(5), leaf, frame(9) | 3n),
  ...setRoot(frame(0)),
];

export const dma = (direction: 'read' | 'write', address: bigint, token = 0, bytes = 16): Operation => ({
  op: 'dma',
  requester: 'edu0',
  address,
  direction,
  bytes,
  token,
});

/** Reads FSTS and the record, and clears it. */
export const collect: readonly Operation[] = [
  { op: 'regRead', ...reg, register: 'FSTS', size: 4 },
  { op: 'regRead', ...reg, register: 'FRCD', offset: 0, size: 8 },
  { op: 'regRead', ...reg, register: 'FRCD', offset: 8, size: 8 },
  { op: 'regWrite', ...reg, register: 'FRCD', offset: 12, size: 4, value: 0x8000_0000n },
  { op: 'regWrite', ...reg, register: 'FSTS', size: 4, value: 1n },
];

export const loadAll = (profile: Profile): Operation => ({
  op: 'load',
  address: profile.arena.base,
  bytes: profile.arena.bytes,
});

/** Runs operations on a target and gives the history. */
export async function historyOf(target: Target, operations: readonly Operation[]): Promise<History> {
  const profile = await target.describe();
  await target.begin('ready');
  const { observations, failure } = await target.run(operations);
  if (failure !== undefined) throw new Error(failure.message);
  const steps: Step[] = operations.map((operation, at) => ({ operation, observation: observations[at]! }));
  for (const late of (await target.finish()).late) {
    const step = steps[late.at]!;
    steps[late.at] = { ...step, observation: { ...step.observation, data: late.data } as Step['observation'] };
  }
  return { profile, start: 'ready', steps };
}
