import { field, hex, isSet } from '../bits.js';
import { type Bits, SECOND_STAGE_ENTRY } from '../layout/vtd.js';
import type { Capabilities } from './capabilities.js';

/** Level of a second-stage entry: 1 is the 4 KiB page table, 5 the PML5. */
export type Level = 1 | 2 | 3 | 4 | 5;

/** A broken reserved-bit rule: the clause, and the field as identities name it. */
export interface ReservedBit {
  readonly clause: string;
  readonly field: string;
}

/** R and W of an entry, or of all entries so far. */
export interface Rights {
  readonly read: boolean;
  readonly write: boolean;
}

export type SecondStageEntry =
  /** `garbage`: some other bit is set, and rightly not looked at. */
  | { readonly kind: 'not-present'; readonly garbage: boolean }
  | { readonly kind: 'reserved'; readonly broken: readonly ReservedBit[]; readonly rights: Rights }
  | { readonly kind: 'table'; readonly address: bigint; readonly rights: Rights }
  /** `pageBits`: 12, 21 or 30. `snoop`: SNP, which is reserved without snoop control. */
  | {
      readonly kind: 'leaf';
      readonly address: bigint;
      readonly pageBits: number;
      readonly rights: Rights;
      readonly snoop: boolean;
    };

const F = SECOND_STAGE_ENTRY.fields;

/** What the manual calls the entries of a level. */
export const LEVEL_NAMES: Readonly<Record<Level, string>> = { 5: 'PML5E', 4: 'PML4E', 3: 'PDPE', 2: 'PDE', 1: 'PTE' };

/** VTD-SS-002: 9 index bits per level, 8 bytes per entry. */
export function secondStageEntryAddress(table: bigint, level: Level, address: bigint): bigint {
  const low = SECOND_STAGE_ENTRY.indexLow[level];
  return table + 8n * field(address, [low + SECOND_STAGE_ENTRY.indexBits - 1, low]);
}

/**
 * What a second-stage entry says (legacy mode, SSIRWE=0). Facts 4.4.
 *
 * 1. VTD-SS-011: with R=W=0 nothing else is looked at.
 * 2. VTD-SS-010: a reserved bit, each by its own rule (VTD-SS-012 to VTD-SS-017, VTD-SS-021).
 * 3. VTD-SS-012, VTD-SS-013: PS=1 in a PDE or PDPE is a 2 MiB or 1 GiB leaf; a PTE is always a leaf.
 */
export function secondStageEntry(entry: bigint, level: Level, caps: Capabilities): SecondStageEntry {
  const rights = { read: isSet(entry, F.R), write: isSet(entry, F.W) };
  if (!rights.read && !rights.write) return { kind: 'not-present', garbage: entry !== 0n };
  const leaf = level === 1 || (level <= 3 && isSet(entry, F.PS));
  const broken = reservedBits(entry, level, leaf, caps);
  if (broken.length > 0) return { kind: 'reserved', broken, rights };
  const address = field(entry, F.ADDR) << 12n;
  if (!leaf) return { kind: 'table', address, rights };
  return { kind: 'leaf', address, pageBits: pageBits(level), rights, snoop: isSet(entry, F.SNP) };
}

/** Bits of the page that a leaf of a level maps. */
function pageBits(level: Level): number {
  return SECOND_STAGE_ENTRY.indexLow[level];
}

/** The reserved-bit rules of facts 4.4 that an entry breaks. */
function reservedBits(entry: bigint, level: Level, leaf: boolean, caps: Capabilities): readonly ReservedBit[] {
  const name = leaf && level > 1 ? `${LEVEL_NAMES[level]}-leaf` : LEVEL_NAMES[level];
  // An entry of all ones breaks every rule at once; it is named by its value, as targets often take it for something else.
  if (entry === 0xffff_ffff_ffff_ffffn) return [{ clause: 'VTD-SS-010', field: `${name}=all ones` }];
  const broken: ReservedBit[] = [];
  const rule = (clause: string, bits: Bits, label: string): void => {
    if (isSet(entry, bits)) broken.push({ clause, field: `${name}${label}` });
  };
  if (level >= 4) rule('VTD-SS-015', F.PS, '.PS');
  else if (level === 3 && !caps.superpage1G) rule('VTD-SS-013', F.PS, '.PS');
  else if (level === 2 && !caps.superpage2M) rule('VTD-SS-012', F.PS, '.PS');
  if (!leaf || !caps.snoopControl) rule('VTD-SS-017', F.SNP, '[11]');
  if (leaf && level > 1) rule('VTD-SS-014', [pageBits(level) - 1, 12], `[${pageBits(level) - 1}:12]`);
  if (caps.hostAddressWidth < 52) rule('VTD-SS-016', [51, caps.hostAddressWidth], '[51:HAW]');
  rule('VTD-SS-021', F.IW, '[62]');
  return broken;
}

/** VTD-SS-018: bits that no rule looks at (legacy mode): 2, 10, 60:52 and 63, and SSADE's and SSIRWE's bits. */
export function usesIgnoredBits(entry: bigint): boolean {
  return isSet(entry, [2, 2]) || isSet(entry, [10, 8]) || isSet(entry, [61, 52]) || isSet(entry, [63, 63]);
}

/** The entry's fields, for people. */
export function describeSecondStageEntry(entry: bigint): string {
  const bits = (['R', 'W', 'PS', 'SNP'] as const).map((name) => `${name}=${field(entry, F[name])}`).join(', ');
  return `${bits}, ADDR=${hex(field(entry, F.ADDR) << 12n)}, [63:52]=${hex(field(entry, [63, 52]))}`;
}
