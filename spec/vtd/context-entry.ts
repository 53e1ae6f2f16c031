import { field, hex, isSet, position } from '../bits.js';
import { CONTEXT_ENTRY, FAULT, TRANSLATION_TYPE } from '../layout/vtd.js';
import { addressWidth, type Capabilities, largestWidth } from './capabilities.js';
import { condition, type FaultCondition } from './conditions.js';

/** What a context entry says of an untranslated request. */
export type ContextEntry =
  /** Any one of the conditions may be reported. */
  | { readonly kind: 'fault'; readonly conditions: readonly FaultCondition[] }
  | {
      readonly kind: 'second-stage';
      readonly table: bigint;
      readonly bits: number;
      readonly levels: number;
      readonly domain: number;
    }
  /** `mayFault`: reasons that are admitted as well (N16). */
  | { readonly kind: 'pass-through'; readonly mayFault: readonly FaultCondition[]; readonly domain: number };

const F = CONTEXT_ENTRY.fields;

/** VTD-CTX-001: the context entry of a function is at CTP + 16 * devfn. Facts 3.1. */
export function contextEntryAddress(contextTable: bigint, sourceId: number): bigint {
  return contextTable + BigInt(CONTEXT_ENTRY.bytes * (sourceId & 0xff));
}

/** VTD-FLT-004: FPD counts even when P=0. Facts 3.9. */
export function faultProcessingDisabled(entry: bigint): boolean {
  return isSet(entry, F.FPD);
}

/** The domain-id field. */
export function domainOf(entry: bigint): number {
  return Number(field(entry, F.DID));
}

/**
 * What a context entry says. Facts 3.4; order of checks: 5.7 steps 7, 8 and 10.
 *
 * 1. VTD-CTX-002: P=0 is fault 2h.
 * 2. VTD-CTX-003, VTD-CTX-004: a reserved bit is fault Bh; bits 70:67 are software's.
 * 3. VTD-CTX-006: TT=11b, or a TT whose capability is absent, is fault 3h.
 * 4. VTD-CTX-009: TT=10b is pass-through.
 * 5. VTD-CTX-005: AW not in SAGAW is fault 3h.
 */
export function contextEntry(entry: bigint, caps: Capabilities): ContextEntry {
  if (!isSet(entry, F.P)) {
    return fault(condition(FAULT.CONTEXT_NOT_PRESENT, 'VTD-CTX-002', 'context-entry.P'));
  }
  const type = Number(field(entry, F.TT));
  const reserved = reservedFields(entry, caps, type !== TRANSLATION_TYPE.passThrough);
  if (reserved.length > 0) {
    return fault(condition(FAULT.CONTEXT_RESERVED, 'VTD-CTX-003', ...reserved));
  }
  if (!supportedType(type, caps)) {
    const unchecked = type === TRANSLATION_TYPE.passThrough ? passThroughFaults(entry, caps) : [];
    return fault(condition(FAULT.CONTEXT_INVALID, 'VTD-CTX-006', `context-entry.TT=${type}`), ...unchecked);
  }
  const domain = domainOf(entry);
  const width = field(entry, F.AW);
  if (type === TRANSLATION_TYPE.passThrough) {
    return { kind: 'pass-through', mayFault: passThroughFaults(entry, caps), domain };
  }
  const supported = addressWidth(width, caps);
  if (supported === undefined) {
    return fault(condition(FAULT.CONTEXT_INVALID, 'VTD-CTX-005', `context-entry.AW=${width}`));
  }
  return { kind: 'second-stage', table: field(entry, F.SSPTPTR) << 12n, ...supported, domain };
}

function fault(...conditions: readonly FaultCondition[]): ContextEntry {
  return { kind: 'fault', conditions };
}

/** VTD-CTX-003: reserved fields that are set. `tablePointer`: whether SSPTPTR counts (not for TT=10b, N16). */
function reservedFields(entry: bigint, caps: Capabilities, tablePointer: boolean): readonly string[] {
  const fixed = CONTEXT_ENTRY.reserved
    .filter((bits) => isSet(entry, bits))
    .map((bits) => `context-entry${position(bits)}`);
  const pointer = tablePointer && isSet(entry, [63, caps.hostAddressWidth]) ? ['context-entry[63:HAW]'] : [];
  const domain =
    caps.domainIdBits < 16 && isSet(entry, [87, 72 + caps.domainIdBits]) ? ['context-entry.DID[15:ND]'] : [];
  return [...fixed, ...pointer, ...domain];
}

/** VTD-CTX-006: which translation types are valid. */
function supportedType(type: number, caps: Capabilities): boolean {
  if (type === TRANSLATION_TYPE.untranslatedOnly) return true;
  if (type === TRANSLATION_TYPE.all) return caps.deviceTlb;
  return type === TRANSLATION_TYPE.passThrough && caps.passThrough;
}

/** VTD-CTX-015, N16: with TT=10b a smaller AW or a reserved SSPTPTR bit may be accepted or refused with 3h, Bh or 4h. */
function passThroughFaults(entry: bigint, caps: Capabilities): readonly FaultCondition[] {
  const smaller = field(entry, F.AW) !== largestWidth(caps).aw;
  const pointer = isSet(entry, [63, caps.hostAddressWidth]);
  if (!smaller && !pointer) return [];
  const cause = smaller ? 'context-entry.AW with TT=10b' : 'context-entry[63:HAW] with TT=10b';
  return [FAULT.CONTEXT_INVALID, FAULT.CONTEXT_RESERVED, FAULT.ADDRESS_BEYOND_WIDTH].map((reason) =>
    condition(reason, 'VTD-CTX-015', cause),
  );
}

/** The entry's fields, for people. */
export function describeContextEntry(entry: bigint): string {
  const names = ['P', 'FPD', 'TT', 'AW', 'DID'] as const;
  const fields = names.map((name) => `${name}=${field(entry, F[name])}`).join(', ');
  return `${fields}, SSPTPTR=${hex(field(entry, F.SSPTPTR) << 12n)}`;
}
