/** What is swept of the invalidation queue: one descriptor that may be wrong, or a queue that is set up wrongly. */

import { TABLE_MODE } from '../../spec/layout/vtd.js';
import { DESCRIPTORS } from '../../spec/layout/vtd-queue.js';
import { field, type Platform, withField } from './capabilities.js';
import {
  compose,
  contextDescriptor,
  type Descriptor,
  flipped,
  halves,
  interruptDescriptor,
  iotlbDescriptor,
  joined,
  waitDescriptor,
  withType,
} from './descriptors.js';
import { Plan } from './plan.js';
import { Queue } from './queue.js';
import { Script } from './script.js';

/** What is wrong, or may be. */
export type QueuePoint =
  | { readonly kind: 'descriptor'; readonly name: string; readonly descriptor: Descriptor }
  | { readonly kind: 'tail'; readonly size: number; readonly slot: number }
  | { readonly kind: 'wide'; readonly padding: bigint; readonly misaligned: boolean }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'mode'; readonly mode: number }
  /** A wait with status data and event, seen by its event. */
  | { readonly kind: 'event'; readonly masked: boolean }
  /** A descriptor type that exists only in a queue of 256 bits, in abort-DMA mode. */
  | { readonly kind: 'abort'; readonly type: number };

/** Points of a sweep by number. */
export interface QueuePoints {
  readonly size: number;
  /** So many points, the first ones, are ways to set a queue up and types of descriptors. */
  readonly first: number;
  at(index: number): QueuePoint;
}

/** Type codes swept: all that the low part gives, and some with the high part. */
const HIGH_PARTS = [1, 2, 4, 7] as const;
const LOW_WITH_HIGH = [0, 1, 2, 3, 4, 5, 15] as const;

/**
 * Byte offset, in the frame of status data, where a swept wait stores: with any bit of it
 * inverted it still hits no other wait's.
 */
const SWEPT_STATUS = 0x840n;

const SWEPT_DATA = 0x5eed_0001;

/** Context: where this case keeps status data. */
interface Places {
  readonly platform: Platform;
  readonly status: bigint;
}

/** A plan and queue as every point makes them, so that addresses are known. */
export function furnish(platform: Platform, size = 0): { plan: Plan; script: Script; queue: Queue } {
  const plan = new Plan(platform);
  const script = new Script(platform);
  const queue = new Queue(script, plan.memory, size);
  plan.memory.zeroTables(script);
  return { plan, script, queue };
}

function placesOf(platform: Platform): Places {
  return { platform, status: furnish(platform).queue.statusAddress };
}

/** Whether a target that took it for a wait would store inside the frame of status data, if anywhere. */
function storesInside({ platform, status }: Places, descriptor: Descriptor): boolean {
  const { fields, type } = DESCRIPTORS.inv_wait_dsc;
  const value = joined(descriptor);
  if ((value & 15n) !== BigInt(type) || field(value, fields.SW) === 0n) return true;
  const address = (field(value, fields.STATUS_ADDRESS) << 2n) & ((1n << BigInt(platform.hostBits)) - 1n);
  return address >= status && address < status + 4096n;
}

function harmless(places: Places, point: QueuePoint): boolean {
  return point.kind !== 'descriptor' || storesInside(places, point.descriptor);
}

/** Good descriptors of each type, whose bits are inverted one by one. */
function bases({ platform, status }: Places): readonly (readonly [name: string, descriptor: Descriptor])[] {
  const wait = { address: status + SWEPT_STATUS, data: SWEPT_DATA };
  const stored = waitDescriptor({ status: wait });
  const silent = halves(withField(joined(stored), DESCRIPTORS.inv_wait_dsc.fields.SW, 0n));
  const source = platform.requesters[0]?.routingId ?? 0;
  const interrupts: (readonly [string, Descriptor])[] = [
    ['interrupt, global', interruptDescriptor()],
    ['interrupt, index', interruptDescriptor(5)],
  ];
  return [
    ['context, global', contextDescriptor(1)],
    ['context, domain', contextDescriptor(2, 1n)],
    ['context, device', contextDescriptor(3, 1n, source, 1)],
    ['IOTLB, global', iotlbDescriptor(1)],
    ['IOTLB, domain', iotlbDescriptor(2, { domain: 1n })],
    ['IOTLB, page', iotlbDescriptor(3, { domain: 1n, address: 0x12_3000n })],
    ...(platform.deviceTlb ? [] : [['device TLB', compose(DESCRIPTORS.dev_tlb_inv_dsc, {})] as const]),
    ...(platform.interruptRemapping ? interrupts : interrupts.slice(0, 1)),
    ['wait, status', stored],
    ['wait, event', halves(withField(joined(silent), DESCRIPTORS.inv_wait_dsc.fields.IF, 1n))],
    ['wait, silent', silent],
  ];
}

function bitPoints(places: Places): QueuePoint[] {
  return bases(places).flatMap(([name, base]) =>
    Array.from({ length: 128 }, (_, bit): QueuePoint => {
      return { kind: 'descriptor', name: `${name}, bit ${bit}`, descriptor: flipped(base, bit) };
    }),
  );
}

function typePoints(platform: Platform): QueuePoint[] {
  const low = Array.from({ length: 16 }, (_, code) => code);
  const high = HIGH_PARTS.flatMap((part) => LOW_WITH_HIGH.map((code) => (part << 4) | code));
  return [...low, ...high]
    .filter((code) => !(platform.deviceTlb && code === 3))
    .map((code) => ({ kind: 'descriptor', name: `type ${code}`, descriptor: withType([0x10n, 0n], code) }));
}

/** Every value of one field in a good descriptor. */
function values(name: string, base: Descriptor, [high, low]: readonly [number, number], step = 1): QueuePoint[] {
  const points: QueuePoint[] = [];
  const end = 2 ** (high - low + 1);
  for (let value = 0; value < end; value += step) {
    const descriptor = halves(withField(joined(base), [high, low], BigInt(value)));
    points.push({ kind: 'descriptor', name: `${name} ${value}`, descriptor });
  }
  return points;
}

function fieldPoints({ platform, status }: Places): QueuePoint[] {
  const { cc_inv_dsc, iotlb_inv_dsc, iec_inv_dsc, inv_wait_dsc } = DESCRIPTORS;
  const page = iotlbDescriptor(3, { domain: 1n, address: 0x4000_0000n });
  const wait = waitDescriptor({ status: { address: status + SWEPT_STATUS, data: SWEPT_DATA } });
  return [
    ...values('context G', contextDescriptor(0, 1n), cc_inv_dsc.fields.G),
    ...values('context FM', contextDescriptor(3, 1n, 0x107), cc_inv_dsc.fields.FM),
    ...values('context DID', contextDescriptor(2), cc_inv_dsc.fields.DID, 0x0fff),
    ...values('IOTLB G', iotlbDescriptor(0, { domain: 1n }), iotlb_inv_dsc.fields.G),
    ...values('IOTLB drains', iotlbDescriptor(1), [iotlb_inv_dsc.fields.DR[0], iotlb_inv_dsc.fields.DW[1]]),
    ...values('IOTLB DID', iotlbDescriptor(2), iotlb_inv_dsc.fields.DID, 0x0fff),
    ...values('IOTLB AM', page, iotlb_inv_dsc.fields.AM),
    ...values('IOTLB AM and IH', page, [iotlb_inv_dsc.fields.IH[0], iotlb_inv_dsc.fields.AM[1]], 9),
    ...(platform.interruptRemapping ? values('interrupt IM', interruptDescriptor(64), iec_inv_dsc.fields.IM) : []),
    ...values('wait flags', wait, [inv_wait_dsc.fields.PD[0], inv_wait_dsc.fields.IF[1]]),
  ];
}

/** Types of 256 bits; whether the unit takes them depends on its capabilities. */
const WIDE_TYPES = [6, 7, 8, 9, 10] as const;

/** Every unusual way to set a queue up. */
function setupPoints(platform: Platform): readonly QueuePoint[] {
  const tails: QueuePoint[] = [0, 1].flatMap((size) => {
    const slots = 256 << size;
    return [slots, slots + 1, 1024, 2048, 4096, 8192, 16384, 32767].map(
      (slot): QueuePoint => ({ kind: 'tail', size, slot }),
    );
  });
  const paddings = [0, 63, 64, 127].map((bit): QueuePoint => {
    return { kind: 'wide', padding: 1n << BigInt(bit), misaligned: false };
  });
  const modes = [TABLE_MODE.reserved, ...(platform.scalable ? [] : [TABLE_MODE.scalable]), TABLE_MODE.abort];
  return [
    ...[false, true].map((masked): QueuePoint => ({ kind: 'event', masked })),
    ...tails,
    { kind: 'wide', padding: 0n, misaligned: false },
    // Where descriptors of 256 bits are not lawful, the code would be open.
    ...(platform.scalable || platform.abortMode ? [{ kind: 'wide', padding: 0n, misaligned: true } as const] : []),
    ...paddings,
    ...(platform.hole === undefined ? [] : [{ kind: 'unreadable' } as const]),
    ...modes.map((mode): QueuePoint => ({ kind: 'mode', mode })),
    ...(platform.abortMode ? wideTypes(platform).map((type): QueuePoint => ({ kind: 'abort', type })) : []),
  ];
}

function wideTypes({ deviceTlb, pageRequests }: Platform): readonly number[] {
  const left = [...(deviceTlb ? [8] : []), ...(pageRequests ? [9] : [])];
  return WIDE_TYPES.filter((type) => !left.includes(type));
}

/** Every bit and type code, every value of the small fields, and every way to set up the queue wrongly. */
export function sweptQueuePoints(platform: Platform): QueuePoints {
  const places = placesOf(platform);
  // Each way to set the queue up, and each type, is a rule of its own.
  const early = [...setupPoints(platform), ...typePoints(platform)].filter((point) => harmless(places, point));
  const late = [...bitPoints(places), ...fieldPoints(places)].filter((point) => harmless(places, point));
  const points = [...early, ...late];
  return {
    size: points.length,
    first: early.length,
    at: (index) => {
      const point = points[index];
      if (point === undefined) throw new Error(`queue sweep point ${index} of ${points.length} does not exist`);
      return point;
    },
  };
}
