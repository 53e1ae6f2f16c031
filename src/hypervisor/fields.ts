import type { Bits } from '../../spec/layout/vtd.js';

/** Bits `high..low` of a value. */
export function field(value: bigint, [high, low]: Bits): bigint {
  return (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

/** A field and what it is to hold. */
export type Part = readonly [field: Bits, value: bigint | number];

/** A value whose fields hold these parts; parts are not cut. */
export function compose(...parts: readonly Part[]): bigint {
  return parts.reduce((value, [[, low], part]) => value | (BigInt(part) << BigInt(low)), 0n);
}
