import { z } from 'zod';

const U64 = (1n << 64n) - 1n;

/** A bigint as lower-case hexadecimal: "0x1f". */
export function hexText(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** Unsigned 64-bit value ↔ "0x…" (lower case, at most 16 digits). */
export const u64Schema: z.ZodType<bigint, string> = z.codec(
  z.string({ error: 'expected a hexadecimal string like "0x1f"' }).regex(/^0x[0-9a-f]{1,16}$/, {
    error: 'expected a hexadecimal string like "0x1f", lower case, at most 64 bits',
  }),
  z.bigint().min(0n, { error: 'expected an unsigned value' }).max(U64, { error: 'expected at most 64 bits' }),
  { decode: (text) => BigInt(text), encode: hexText },
);

/** Signed value of any size ↔ "0x…" or "-0x…". */
export const signedSchema: z.ZodType<bigint, string> = z.codec(
  z
    .string({ error: 'expected a hexadecimal string like "0x1f" or "-0x8"' })
    .regex(/^-?0x[0-9a-f]+$/, { error: 'expected a hexadecimal string like "0x1f" or "-0x8"' }),
  z.bigint(),
  { decode: (text) => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text)), encode: hexText },
);

/** Whole number from `minimum` to `maximum`. */
export function whole(minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): z.ZodType<number, number> {
  const upTo = maximum === Number.MAX_SAFE_INTEGER ? 'up' : `to ${maximum}`;
  const error = `expected a whole number from ${minimum} ${upTo}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** A string that says something. */
export const textSchema: z.ZodType<string, string> = z
  .string({ error: 'expected a text' })
  .regex(/\S/, { error: 'expected a text that is not empty' });
