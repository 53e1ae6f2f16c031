/** What happens to an invalidation queue in a random case. */

import fc, { type Arbitrary } from 'fast-check';
import { DESCRIPTORS } from '../../spec/layout/vtd-queue.js';
import type { Platform } from './capabilities.js';
import {
  contextDescriptor,
  type Descriptor,
  flipped,
  interruptDescriptor,
  iotlbDescriptor,
  waitDescriptor,
  withType,
} from './descriptors.js';

/** A lawful descriptor that is no wait. */
export interface InvalidationDraw {
  readonly put: 'invalidation';
  readonly type: 'context' | 'iotlb' | 'interrupt';
  readonly granularity: number;
  readonly domain: number;
  readonly source: number;
  readonly page: number;
  readonly mask: number;
  readonly flags: number;
}

/** A wait with any combination of SW, IF and FN. */
export interface WaitDraw {
  readonly put: 'wait';
  readonly status: boolean;
  readonly event: boolean;
  readonly fence: boolean;
}

export type DescriptorDraw = InvalidationDraw | WaitDraw;

/** A descriptor that every unit must refuse. */
export interface BadDraw {
  readonly how: 'type' | 'reserved' | 'granularity';
  readonly base: number;
  readonly pick: number;
}

/** One thing done to the queue. */
export type QueueStep =
  | {
      readonly act: 'submit';
      readonly descriptors: readonly DescriptorDraw[];
      /** One tail write for all, one for each, none yet. */
      readonly tail: 'once' | 'each' | 'later';
      readonly settle: number;
    }
  | { readonly act: 'bad'; readonly bad: BadDraw; readonly after: readonly DescriptorDraw[] }
  | { readonly act: 'recover'; readonly wait: boolean; readonly nudge: boolean }
  | { readonly act: 'badTail'; readonly slot: number }
  | { readonly act: 'acknowledge' }
  | { readonly act: 'mask'; readonly masked: boolean }
  | { readonly act: 'reprogram'; readonly pick: number }
  | { readonly act: 'restart' }
  | { readonly act: 'look' };

/** Type codes that a queue of 128-bit descriptors in legacy mode never takes. */
const BAD_TYPES = [0x0, 0x6, 0x7, 0x8, 0x9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x11, 0x25, 0x45, 0x52, 0x7f] as const;

function drawnDescriptor(): Arbitrary<DescriptorDraw> {
  const invalidation = fc.record({
    put: fc.constant('invalidation'),
    type: fc.constantFrom('context', 'context', 'iotlb', 'iotlb', 'interrupt'),
    granularity: fc.integer({ min: 1, max: 3 }),
    domain: fc.nat(0xffff),
    source: fc.nat(0xffff),
    page: fc.nat(0xffff_ffff),
    mask: fc.nat(63),
    flags: fc.nat(3),
  });
  const wait = fc.record({ put: fc.constant('wait'), status: fc.boolean(), event: fc.boolean(), fence: fc.boolean() });
  return fc.oneof({ weight: 1, arbitrary: invalidation }, { weight: 2, arbitrary: wait });
}

/** Steps of a case. */
export function queueSteps(): Arbitrary<QueueStep> {
  const some = fc.array(drawnDescriptor(), { minLength: 1, maxLength: 6, size: 'max' });
  const tail = fc.constantFrom('once', 'once', 'once', 'each', 'later');
  const bad = fc.record({
    how: fc.constantFrom('type', 'reserved', 'reserved', 'granularity'),
    base: fc.nat(63),
    pick: fc.nat(0xffff),
  });
  return fc.oneof(
    {
      weight: 10,
      arbitrary: fc.record({ act: fc.constant('submit'), descriptors: some, tail, settle: fc.nat(11) }),
    },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('bad'), bad, after: some }) },
    { weight: 5, arbitrary: fc.record({ act: fc.constant('recover'), wait: fc.boolean(), nudge: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('badTail'), slot: fc.nat(0x7fff) }) },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('acknowledge') }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('mask'), masked: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('reprogram'), pick: fc.nat(31) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('restart') }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('look') }) },
  );
}

/** The descriptor of a drawn invalidation, cut to what the unit takes. */
export function invalidationOf(platform: Platform, draw: InvalidationDraw): Descriptor {
  const domain = BigInt(draw.domain);
  if (draw.type === 'interrupt' && platform.interruptRemapping) {
    const index = draw.granularity === 1 ? undefined : draw.domain;
    return interruptDescriptor(index, draw.mask % (platform.largestIndexMask + 1));
  }
  if (draw.type !== 'iotlb') return contextDescriptor(draw.granularity, domain, draw.source, draw.flags);
  const granularity = draw.granularity === 3 && !platform.pageSelective ? 2 : draw.granularity;
  const drain = platform.drain && (draw.flags & 2) === 2;
  if (granularity !== 3) return iotlbDescriptor(granularity, { domain, drain });
  const mask = draw.mask % (platform.largestMask + 1);
  const address = BigInt(draw.page) << 12n;
  return iotlbDescriptor(3, { domain, drain, address, mask, keepUpper: (draw.flags & 1) === 1 });
}

/** Bits of a reserved range list, by a drawn number. */
function reservedBit(ranges: readonly (readonly [number, number])[], pick: number): number {
  const bits = ranges.flatMap(([high, low]) => Array.from({ length: high - low + 1 }, (_, n) => low + n));
  return bits[pick % bits.length]!;
}

function withReserved(platform: Platform, base: number, pick: number): Descriptor {
  const { cc_inv_dsc, iotlb_inv_dsc, iec_inv_dsc, inv_wait_dsc } = DESCRIPTORS;
  const flags = { event: (pick & 0x100) !== 0, fence: (pick & 0x200) !== 0 };
  const all = [
    [contextDescriptor(1 + (pick % 3), 1n), cc_inv_dsc.reserved],
    [iotlbDescriptor(1 + (pick % 2), { domain: 1n }), iotlb_inv_dsc.reserved],
    [waitDescriptor(flags), inv_wait_dsc.reserved],
    ...(platform.interruptRemapping ? [[interruptDescriptor(), iec_inv_dsc.reserved] as const] : []),
  ] as const;
  const [descriptor, ranges] = all[base % all.length]!;
  return flipped(descriptor, reservedBit(ranges, pick));
}

/** The descriptor of a drawn error. */
export function badDescriptor(platform: Platform, { how, base, pick }: BadDraw): Descriptor {
  switch (how) {
    case 'type': {
      const codes = platform.deviceTlb ? BAD_TYPES : [...BAD_TYPES, 0x3];
      // A wait's flags among these bits would mean something to a target that took it for one.
      return withType([0n, 0n], codes[base % codes.length]!);
    }
    case 'reserved':
      return withReserved(platform, base, pick);
    case 'granularity':
      if (!platform.pageSelective && base % 3 === 2) return iotlbDescriptor(3, { domain: 1n });
      return base % 2 === 0 ? contextDescriptor(0, BigInt(pick)) : iotlbDescriptor(0, { domain: BigInt(pick) });
  }
}
