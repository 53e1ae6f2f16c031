import type { Bits } from '../../spec/layout/vtd.js';

/**
 * The part of a field that falls into 32-bit piece `piece` of the structure or register that holds it, as an int32
 * mask at its place in that piece. 0 when the field does not touch the piece.
 *
 * @param piece 0 for bits 31:0, 1 for bits 63:32, and so on
 */
export function fieldMask(bits: Bits, piece: number): number {
  const high = Math.min(bits[0] - piece * 32, 31);
  const low = Math.max(bits[1] - piece * 32, 0);
  return high < low ? 0 : ((0xffff_ffff >>> (31 - high)) & (0xffff_ffff << low)) | 0;
}

/** {@link fieldMask} of several fields together. */
export function fieldsMask(fields: readonly Bits[], piece: number): number {
  return fields.reduce((mask, bits) => mask | fieldMask(bits, piece), 0);
}

/** Shift that brings a field to bit 0 of the 32-bit piece in which it starts. */
export function fieldShift(bits: Bits): number {
  return bits[1] & 31;
}

/** A field of at most 32 bits of a register value. */
export function extractField(value: bigint, bits: Bits): number {
  return Number(BigInt.asUintN(bits[0] - bits[1] + 1, value >> BigInt(bits[1])));
}

/**
 * A register value from its fields; fields not named are 0.
 *
 * @throws RangeError when a value does not fit its field
 */
export function composeRegister<Fields extends Readonly<Record<string, Bits>>>(
  fields: Fields,
  values: Readonly<Partial<Record<keyof Fields & string, number>>>,
): bigint {
  let register = 0n;
  for (const [name, bits] of Object.entries(fields)) {
    const value = BigInt(values[name] ?? 0);
    if (value < 0n || value >> BigInt(bits[0] - bits[1] + 1) !== 0n) {
      throw new RangeError(`field ${name}: ${value} does not fit ${bits[0] - bits[1] + 1} bits`);
    }
    register |= value << BigInt(bits[1]);
  }
  return register;
}
