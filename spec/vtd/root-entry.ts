import { field, hex, isSet, position } from '../bits.js';
import { FAULT, ROOT_ENTRY } from '../layout/vtd.js';
import type { Capabilities } from './capabilities.js';
import { condition, type FaultCondition } from './conditions.js';

export type RootEntry =
  | { readonly kind: 'fault'; readonly condition: FaultCondition }
  | { readonly kind: 'table'; readonly contextTable: bigint };

/**
 * VTD-ROOT-001: the root entry of a bus is at RTA + 16 * bus. Facts 3.1.
 *
 * @param rootTable latched RTA, a byte address
 */
export function rootEntryAddress(rootTable: bigint, sourceId: number): bigint {
  return rootTable + BigInt(ROOT_ENTRY.bytes * (sourceId >> 8));
}

/**
 * What a root entry says. Facts 3.2; order of checks: 5.7 step 6.
 *
 * 1. VTD-ROOT-002, VTD-ROOT-005: P=0 is fault 1h, whatever the other bits hold.
 * 2. VTD-ROOT-003, VTD-ROOT-004: a reserved bit in a present entry is fault Ah.
 * 3. Otherwise CTP is the context table.
 */
export function rootEntry(entry: bigint, caps: Capabilities): RootEntry {
  if (!isSet(entry, ROOT_ENTRY.fields.P)) {
    const garbage = entry !== 0n;
    const clause = garbage ? 'VTD-ROOT-005' : 'VTD-ROOT-002';
    return { kind: 'fault', condition: condition(FAULT.ROOT_NOT_PRESENT, clause, 'root-entry.P') };
  }
  const fixed = ROOT_ENTRY.reserved.filter((bits) => isSet(entry, bits)).map((bits) => `root-entry${position(bits)}`);
  const aboveWidth = isSet(entry, [63, caps.hostAddressWidth]) ? ['root-entry[63:HAW]'] : [];
  if (fixed.length + aboveWidth.length > 0) {
    const clause = fixed.length > 0 ? 'VTD-ROOT-003' : 'VTD-ROOT-004';
    return { kind: 'fault', condition: condition(FAULT.ROOT_RESERVED, clause, ...fixed, ...aboveWidth) };
  }
  return { kind: 'table', contextTable: field(entry, ROOT_ENTRY.fields.CTP) << 12n };
}

/** The entry's fields, for people. */
export function describeRootEntry(entry: bigint): string {
  return `P=${field(entry, ROOT_ENTRY.fields.P)}, CTP=${hex(field(entry, ROOT_ENTRY.fields.CTP) << 12n)}`;
}
