import { DESCRIPTOR_TYPE, DESCRIPTORS, type DescriptorLayout } from '../../spec/layout/vtd-queue.js';
import { withField } from './capabilities.js';

/** A 128-bit descriptor as two 64-bit words, low half first. */
export type Descriptor = readonly [low: bigint, high: bigint];

const HALF = (1n << 64n) - 1n;

/** Bits of a descriptor taken together. */
export function joined([low, high]: Descriptor): bigint {
  return low | (high << 64n);
}

/** A 128-bit value as a descriptor. */
export function halves(value: bigint): Descriptor {
  return [value & HALF, (value >> 64n) & HALF];
}

/** `descriptor` with another type code, 7 bits. */
export function withType(descriptor: Descriptor, type: number): Descriptor {
  const low = withField(joined(descriptor), DESCRIPTOR_TYPE.low, BigInt(type & 15));
  return halves(withField(low, DESCRIPTOR_TYPE.high, BigInt(type >> 4)));
}

/** `descriptor` with one bit inverted. */
export function flipped(descriptor: Descriptor, bit: number): Descriptor {
  return halves(joined(descriptor) ^ (1n << BigInt(bit)));
}

/** A descriptor of a type with the given fields; the others are 0. */
export function compose(layout: DescriptorLayout, parts: Readonly<Record<string, bigint>>): Descriptor {
  let value = 0n;
  for (const [name, part] of Object.entries(parts)) value = withField(value, layout.fields[name]!, part);
  return withType(halves(value), layout.type);
}

/** cc_inv_dsc. Granularity 1 is global, 2 domain, 3 device. */
export function contextDescriptor(granularity: number, domain = 0n, source = 0, functionMask = 0): Descriptor {
  const parts = { G: BigInt(granularity), DID: domain, SID: BigInt(source), FM: BigInt(functionMask) };
  return compose(DESCRIPTORS.cc_inv_dsc, parts);
}

/** What an IOTLB invalidation names beside its granularity. */
export interface IotlbTarget {
  readonly domain?: bigint;
  readonly address?: bigint;
  /** Log2 of the number of pages. */
  readonly mask?: number;
  readonly keepUpper?: boolean;
  readonly drain?: boolean;
}

/** iotlb_inv_dsc. Granularity 1 is global, 2 domain, 3 page. */
export function iotlbDescriptor(granularity: number, target: IotlbTarget = {}): Descriptor {
  const { domain = 0n, address = 0n, mask = 0, keepUpper = false, drain = false } = target;
  const flag = drain ? 1n : 0n;
  const parts = { G: BigInt(granularity), DID: domain, DR: flag, DW: flag };
  const page = { AM: BigInt(mask), IH: keepUpper ? 1n : 0n, ADDR: address >> 12n };
  return compose(DESCRIPTORS.iotlb_inv_dsc, { ...parts, ...page });
}

/** iec_inv_dsc: global, or the 2^mask entries around an index. */
export function interruptDescriptor(index?: number, mask = 0): Descriptor {
  if (index === undefined) return compose(DESCRIPTORS.iec_inv_dsc, {});
  return compose(DESCRIPTORS.iec_inv_dsc, { G: 1n, IIDX: BigInt(index), IM: BigInt(mask) });
}

/** What a wait does once everything before it is complete. */
export interface WaitOptions {
  /** Store these 32 bits at a 4-byte aligned host-physical address. */
  readonly status?: { readonly address: bigint; readonly data: number };
  readonly event?: boolean;
  readonly fence?: boolean;
}

/** inv_wait_dsc. */
export function waitDescriptor({ status, event = false, fence = false }: WaitOptions): Descriptor {
  const flags = { IF: event ? 1n : 0n, FN: fence ? 1n : 0n };
  if (status === undefined) return compose(DESCRIPTORS.inv_wait_dsc, flags);
  const { address, data } = status;
  const parts = { SW: 1n, STATUS_DATA: BigInt(data >>> 0), STATUS_ADDRESS: address >> 2n };
  return compose(DESCRIPTORS.inv_wait_dsc, { ...flags, ...parts });
}
