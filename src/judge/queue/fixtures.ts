import type { InterruptMessage, Observation } from '../../../spec/interface/observations.js';
import type { Operation } from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import type { History, Step } from '../../../spec/interface/scenario.js';
import { unit } from '../../../spec/vtd/fixtures.js';
import { frame, reg, store } from '../fixtures.js';

/** Hand-written histories around the invalidation queue: the queue in frame 32, status data in frame 40. */

const arena = { base: 0x400_0000n, bytes: 0x4_0000 };

/** A profile with queued invalidation; fields of CAP and ECAP can be changed. */
export function queueProfile(
  cap: Readonly<Record<string, number>> = {},
  ecap: Readonly<Record<string, number>> = {},
): Profile {
  const { raw } = unit({ NFR: 3, PSI: 1, MAMV: 9, ...cap }, { QI: 1, ...ecap });
  const component = { architecture: 'vtd', revision: '5.10', registers: raw, parameters: { hostAddressWidth: 46 } };
  return {
    name: 'queue',
    implementation: 'hand-written',
    components: { iommu0: component },
    requesters: [{ id: 'edu0', routingId: 0x100, component: 'iommu0', dma: true, msi: true, pasidBits: 0 }],
    memory: [{ kind: 'ram', base: 0n, bytes: 0x800_0000n }],
    arena,
    limits: { tokens: 32, dmaBytes: 64 },
  };
}

/** An operation with what was observed of it. */
export type Seen = readonly [
  Operation,
  { readonly value?: bigint; readonly data?: Uint8Array; readonly messages?: readonly InterruptMessage[] }?,
];

/** A history from operations and what was observed; `messages`: the target can see interrupt messages. */
export function written(profile: Profile, seen: readonly Seen[], messages = false): History {
  const steps = seen.map(([operation, observed = {}], at): Step => {
    const base = { of: operation.op, begin: at, complete: at, ...(messages ? { messages: [] } : {}) };
    return { operation, observation: { ...base, ...observed } as Observation };
  });
  return { profile, start: 'ready', steps };
}

export const write = (register: string, value: bigint, size: 4 | 8 = 4): Seen => [
  { op: 'regWrite', ...reg, register, size, value },
];
export const read = (register: string, value: bigint, size: 4 | 8 = 4): Seen => [
  { op: 'regRead', ...reg, register, size },
  { value },
];
export const put = (address: bigint, ...words: readonly bigint[]): Seen => [store(address, ...words)];
export const rest: Seen = [{ op: 'settle' }];

const TES = 1n << 31n;
const QIES = 1n << 26n;
const RTPS = 1n << 30n;

/** Where the queue lies, and where waits write. */
export const QUEUE = frame(32);
export const STATUS = frame(40);

/** The queue with its descriptors, enabled. */
export const enabled = (...descriptors: readonly (readonly [bigint, bigint])[]): readonly Seen[] => [
  put(QUEUE, ...descriptors.flat()),
  put(STATUS, 0n, 0n),
  write('IQA', QUEUE, 8),
  write('GCMD', TES | QIES),
  read('GSTS', TES | RTPS | QIES),
];

/** Hands over so many descriptors. */
export const tail = (count: number): Seen => write('IQT', BigInt(count) << 4n, 8);

/** A wait: flags IF=10h, SW=20h, FN=40h; status data and address. */
export const wait = (flags: bigint, data = 0n, address = STATUS): readonly [bigint, bigint] => [
  5n | flags | (data << 32n),
  address,
];
export const IF = 0x10n;
export const SW = 0x20n;
export const FN = 0x40n;
export const contextGlobal: readonly [bigint, bigint] = [0x11n, 0n];
export const iotlbGlobal: readonly [bigint, bigint] = [0x12n, 0n];

/** Software reads 16 bytes at the status address. */
export const loadStatus = (...dwords: readonly number[]): Seen => {
  const data = new Uint8Array(16);
  dwords.forEach((value, at) => {
    new DataView(data.buffer).setUint32(at * 4, value, true);
  });
  return [{ op: 'load', address: STATUS, bytes: 16 }, { data }];
};
