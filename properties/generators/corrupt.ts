import { type Bits, CONTEXT_ENTRY, INTERRUPT_RANGE, ROOT_ENTRY, SECOND_STAGE_ENTRY } from '../../spec/layout/vtd.js';
import { FRAME, type Platform, placeOf, withField } from './capabilities.js';
import { ADDRESS_MASK, highField, POINTER_MASK } from './entries.js';

/** An entry to corrupt; `level` is a paging level, 1 to 5. */
export type EntryKind = 'root' | 'context' | 'level';

/** 128 bits of a root or context entry, or 64 bits of a paging entry with `high` unused. */
export interface EntryWords {
  readonly low: bigint;
  readonly high: bigint;
}

/** How an entry is corrupted. */
export type CorruptionClass = 'bits' | 'word' | 'address' | 'control' | 'rights';

export const CORRUPTION_CLASSES: readonly CorruptionClass[] = ['bits', 'word', 'address', 'control', 'rights'];

/** A drawn corruption: `a` and `b` are 32-bit numbers that the class gives a meaning to. */
export interface Corruption {
  readonly how: CorruptionClass;
  readonly a: number;
  readonly b: number;
}

/** Low word with one bit of 128 (or of 64) flipped. */
export function flip(words: EntryWords, bit: number): EntryWords {
  return bit < 64
    ? { low: words.low ^ (1n << BigInt(bit)), high: words.high }
    : { low: words.low, high: words.high ^ (1n << BigInt(bit - 64)) };
}

/** Kinds of address that an address field can be made to hold. */
export type AddressClass = 'zero' | 'hole' | 'aboveHost' | 'interrupt' | 'arena';

export const ADDRESS_CLASSES: readonly AddressClass[] = ['zero', 'hole', 'aboveHost', 'interrupt', 'arena'];

/** An address of a class; `undefined` when the platform has none. */
export function addressOfClass(
  platform: Platform,
  kind: AddressClass,
  good: bigint,
  pick: number,
  top = 52,
): bigint | undefined {
  switch (kind) {
    case 'zero':
      return 0n;
    case 'hole':
      return platform.hole === undefined ? undefined : platform.hole + BigInt(pick & 0xff) * FRAME;
    case 'aboveHost':
      return platform.hostBits >= top
        ? undefined
        : good | (1n << BigInt(platform.hostBits + (pick % (top - platform.hostBits))));
    case 'interrupt':
      return INTERRUPT_RANGE.first + BigInt(pick & 0xf) * FRAME;
    case 'arena':
      return platform.base + BigInt(pick % platform.frames) * FRAME;
  }
}

/** The first aligned block of that many bytes in the platform's hole, or behind it where there is still nothing. */
export function holeOf(platform: Platform, bytes: bigint): bigint | undefined {
  if (platform.hole === undefined) return undefined;
  const first = (platform.hole + bytes - 1n) & ~(bytes - 1n);
  return first >> BigInt(platform.hostBits) === 0n && placeOf(platform, first) === 'hole' ? first : undefined;
}

/**
 * Whether an entry may hold an address: a leaf may name memory outside the arena (it is only read
 * then) and the interrupt range; a pointer to a table must not leave the arena, except to where nothing is.
 */
export function mayHold(platform: Platform, address: bigint, leaf: boolean): boolean {
  const place = placeOf(platform, address & ((1n << BigInt(platform.hostBits)) - 1n));
  if (place === 'forbidden') return false;
  return leaf || place === 'arena' || place === 'hole';
}

/** `low` with an address that it may hold. */
function safe(platform: Platform, low: bigint, mask: bigint, leaf: boolean, pick: number): bigint {
  const address = low & mask;
  if (mayHold(platform, address, leaf)) return low;
  const other = addressOfClass(platform, pick & 1 ? 'hole' : 'arena', 0n, pick >> 1) ?? platform.base;
  return (low & ~mask) | other;
}

const ROOT_CONTROL: readonly Bits[] = [ROOT_ENTRY.fields.P, ...ROOT_ENTRY.reserved];
const CONTEXT_CONTROL: readonly Bits[] = [
  CONTEXT_ENTRY.fields.P,
  CONTEXT_ENTRY.fields.FPD,
  CONTEXT_ENTRY.fields.TT,
  CONTEXT_ENTRY.fields.AW,
  CONTEXT_ENTRY.fields.AVAIL,
  CONTEXT_ENTRY.fields.DID,
  ...CONTEXT_ENTRY.reserved,
];
const PAGING_CONTROL: readonly Bits[] = [
  SECOND_STAGE_ENTRY.fields.PS,
  SECOND_STAGE_ENTRY.fields.SNP,
  SECOND_STAGE_ENTRY.fields.IR,
  SECOND_STAGE_ENTRY.fields.IW,
  [10, 8],
  [6, 2],
  [60, 52],
  [63, 63],
];

function controlFields(kind: EntryKind): readonly Bits[] {
  if (kind === 'root') return ROOT_CONTROL;
  return kind === 'context' ? CONTEXT_CONTROL : PAGING_CONTROL;
}

/** `words` with a field of the entry (bits counted from its start) replaced. */
export function replaceField(words: EntryWords, bits: Bits, value: bigint): EntryWords {
  const [, low] = bits;
  return low >= 64
    ? { low: words.low, high: highField(words.high, bits, value) }
    : { low: withField(words.low, bits, value), high: words.high };
}

function corruptControl(words: EntryWords, kind: EntryKind, { a, b }: Corruption): EntryWords {
  const fields = controlFields(kind);
  const bits = fields[a % fields.length]!;
  // All ones, one bit, or some value.
  const width = bits[0] - bits[1] + 1;
  const value =
    b % 3 === 0 ? (1n << BigInt(width)) - 1n : b % 3 === 1 ? 1n << BigInt((b >>> 2) % width) : BigInt(b >>> 2);
  return replaceField(words, bits, value);
}

function corruptBits(words: EntryWords, wide: boolean, { a, b }: Corruption): EntryWords {
  let next = words;
  const count = 1 + (a & 3);
  const width = wide ? 128 : 64;
  for (let n = 0; n < count; n++) next = flip(next, (b >>> (7 * n)) % width);
  return next;
}

function corruptAddress(platform: Platform, words: EntryWords, mask: bigint, { a, b }: Corruption): EntryWords {
  const kind = ADDRESS_CLASSES[a % ADDRESS_CLASSES.length]!;
  const address = addressOfClass(platform, kind, words.low & mask, b, mask === POINTER_MASK ? 64 : 52);
  return address === undefined ? words : { low: (words.low & ~mask) | address, high: words.high };
}

/** A corrupted entry whose addresses the target's own devices and memory survive. `leaf` is whether it is one before and after. */
export function corrupted(
  platform: Platform,
  kind: EntryKind,
  words: EntryWords,
  leaf: boolean,
  corruption: Corruption,
): EntryWords {
  const mask = kind === 'level' ? ADDRESS_MASK : POINTER_MASK;
  const { how, a, b } = corruption;
  let next: EntryWords;
  if (how === 'bits') next = corruptBits(words, kind !== 'level', corruption);
  else if (how === 'word')
    next = { low: (BigInt(a) << 32n) | BigInt(b), high: kind === 'level' ? 0n : BigInt((a ^ b) >>> 0) };
  else if (how === 'address') next = corruptAddress(platform, words, mask, corruption);
  else if (how === 'control' || kind !== 'level') next = corruptControl(words, kind, corruption);
  else next = { low: (words.low & ~3n) | BigInt(a & 3), high: words.high };
  return { low: safe(platform, next.low, mask, leaf, b), high: next.high };
}
