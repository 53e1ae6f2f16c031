import { CONTEXT_ENTRY, SECOND_STAGE_ENTRY, TRANSLATION_TYPE } from '../../spec/layout/vtd.js';
import { withField } from './capabilities.js';

/** Read and write bits of a paging entry. */
export const READ_WRITE = 3n;
export const PAGE_SIZE_BIT = 1n << BigInt(SECOND_STAGE_ENTRY.fields.PS[1]);
/** Bits 51:12 of a paging entry. */
export const ADDRESS_MASK = 0xf_ffff_ffff_f000n;
/** Bits 63:12 of a root or context entry. */
export const POINTER_MASK = 0xffff_ffff_ffff_f000n;

const ROOT_PRESENT = 1n;
const CONTEXT_PRESENT = 1n;

/** Lowest input address bit that selects an entry of a level (1 to 5). */
export function indexLow(level: number): bigint {
  return BigInt(12 + SECOND_STAGE_ENTRY.indexBits * (level - 1));
}

/** Bytes that an entry of a level covers: 4 KiB, 2 MiB, 1 GiB, … */
export function covers(level: number): bigint {
  return 1n << indexLow(level);
}

/** Position, in its table, of the entry that translates an input address at a level. */
export function indexAt(address: bigint, level: number): number {
  return Number((address >> indexLow(level)) & 0x1ffn);
}

/** Input address whose table positions are `indices`, from level 1 up. */
export function addressOf(indices: readonly number[], levels: number): bigint {
  let address = 0n;
  for (let level = 1; level <= levels; level++) address |= BigInt(indices[level - 1] ?? 0) << indexLow(level);
  return address;
}

/** Entry that points to a lower table. */
export function tableEntry(address: bigint, rights: bigint = READ_WRITE): bigint {
  return (address & ADDRESS_MASK) | rights;
}

/** Leaf entry of a level. */
export function leafEntry(address: bigint, level: number, rights: bigint): bigint {
  return (address & ADDRESS_MASK) | rights | (level > 1 ? PAGE_SIZE_BIT : 0n);
}

/** Low half of a root entry. */
export function rootLow(contextTable: bigint): bigint {
  return contextTable | ROOT_PRESENT;
}

/** What a context entry says. */
export interface ContextFields {
  readonly type: number;
  readonly faultDisable: boolean;
  readonly table: bigint;
  readonly aw: number;
  readonly domainId: bigint;
}

/** Low and high half of a present context entry. */
export function contextEntry(fields: ContextFields): readonly [low: bigint, high: bigint] {
  const { FPD, TT, AW, DID } = CONTEXT_ENTRY.fields;
  let low = fields.table | CONTEXT_PRESENT;
  low = withField(low, FPD, fields.faultDisable ? 1n : 0n);
  low = withField(low, TT, BigInt(fields.type));
  return [low, highField(highField(0n, AW, BigInt(fields.aw)), DID, fields.domainId)];
}

/** `value`, the high half of a 128-bit entry, with a field replaced whose bits count from the entry's start. */
export function highField(value: bigint, [high, low]: readonly [number, number], part: bigint): bigint {
  return withField(value, [high - 64, low - 64], part);
}

/** Translation type of a context entry's low half. */
export function translationType(low: bigint): number {
  return Number((low >> BigInt(CONTEXT_ENTRY.fields.TT[1])) & 3n);
}

export const PASS_THROUGH = TRANSLATION_TYPE.passThrough;
