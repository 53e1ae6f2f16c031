import type { RegisterAddress } from '../../../spec/interface/operations.js';
import { type Bits, FAULT, GLOBAL_COMMAND } from '../../../spec/layout/vtd.js';
import { REGISTER_FIELDS } from '../../../spec/vtd/register-fields.js';

const COMMAND_FIELDS: Readonly<Record<string, Bits>> = Object.fromEntries(
  Object.entries(GLOBAL_COMMAND).map(([name, bit]) => [name, [bit, bit] as const]),
);

const REASONS: ReadonlyMap<bigint, string> = new Map(
  Object.entries(FAULT).map(([name, code]) => [BigInt(code), name.toLowerCase().replaceAll('_', ' ')]),
);

/** Fields that hold an address or a byte offset without its low bits, which are zero. */
const PLACES: ReadonlySet<string> = new Set(['RTA', 'ADDR', 'IQA', 'IRTA', 'FI', 'MA', 'QH', 'QT']);

/**
 * The fields of a register value that are not zero, for example "TE, SRTP" or "FR=0xc (paging entry reserved)"; `undefined`
 * for a register whose fields are not known.
 */
export function fieldsText({ register, offset = 0, size }: RegisterAddress, value: bigint): string | undefined {
  const fields = register === 'GCMD' ? COMMAND_FIELDS : REGISTER_FIELDS[register];
  if (fields === undefined) return undefined;
  const first = offset * 8;
  const parts = Object.entries(fields).flatMap(([name, [high, low]]) => {
    if (low < first || high >= first + size * 8) return [];
    const taken = BigInt.asUintN(high - low + 1, value >> BigInt(low - first));
    if (taken === 0n) return [];
    if (high === low) return [name];
    const shown = PLACES.has(name) ? taken << BigInt(low % 64) : taken;
    return [`${name}=0x${shown.toString(16)}${reasonText(name, taken)}`];
  });
  return parts.length === 0 ? 'no field set' : parts.join(', ');
}

function reasonText(field: string, value: bigint): string {
  const reason = field === 'FR' ? REASONS.get(value) : undefined;
  return reason === undefined ? '' : ` (${reason})`;
}
