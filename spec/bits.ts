import type { Bits } from './layout/vtd.js';

/** Numbers below 256 as shift distances, and powers of two. */
const DISTANCE: readonly bigint[] = Array.from({ length: 256 }, (_, n) => BigInt(n));
const ONE_BIT: readonly bigint[] = DISTANCE.map((n) => 1n << n);
/** So many ones. */
const ONES: readonly bigint[] = [...ONE_BIT, 1n << 256n].map((power) => power - 1n);

/** The value of a field, given by its highest and lowest bit. */
export function field(value: bigint, [high, low]: Bits): bigint {
  return (value >> DISTANCE[low]!) & ONES[high - low + 1]!;
}

/** Whether any bit of a field is 1. */
export function isSet(value: bigint, [high, low]: Bits): boolean {
  if (high === low) return (value & ONE_BIT[low]!) !== 0n;
  return ((value >> DISTANCE[low]!) & ONES[high - low + 1]!) !== 0n;
}

/** A 128-bit entry from its two 64-bit words, low first. */
export function entry128(words: readonly bigint[]): bigint {
  return (words[0] ?? 0n) | ((words[1] ?? 0n) << 64n);
}

/** "0x…" */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** A field's position as the manual writes it: "[11:4]", or "[7]" for one bit. */
export function position([high, low]: Bits): string {
  return high === low ? `[${high}]` : `[${high}:${low}]`;
}

/** Fault reasons as the manual writes them: "Ch". */
export function reasonName(reason: number): string {
  return `${reason.toString(16).toUpperCase()}h`;
}
