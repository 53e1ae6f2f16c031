import { field, isSet } from '../bits.js';
import { gather } from '../gather.js';
import type { RegisterAccess } from '../interface/model.js';
import type { Bits } from '../layout/vtd.js';
import { REGISTER_FIELDS } from './register-fields.js';
import { type Alignment, mapFaults, stateWith, type VtdState } from './state.js';

/** One lawful content of a register, and the state in which it is read. */
export interface Content {
  readonly state: VtdState;
  readonly value: bigint;
  /** Bits that the rules fix. */
  readonly mask: bigint;
  /** Bits of `value` that may read 0 instead (N20). */
  readonly mayClear: bigint;
  readonly clauses: readonly string[];
  readonly labels: readonly string[];
}

/** Ones in so many bytes. */
export const all = (bytes: number): bigint => (1n << BigInt(bytes * 8)) - 1n;
/** A value at the place of a field. */
export const at = ([high, low]: Bits, value: bigint): bigint =>
  (value & ((1n << BigInt(high - low + 1)) - 1n)) << BigInt(low);
/** Ones at the place of a field. */
export const mask = (bits: Bits): bigint => at(bits, -1n);

/** Stands for a difference in no named field. */
export const RESERVED = 'reserved bits';

/** A content that rests on nothing but the state. */
export function content(
  state: VtdState,
  value: bigint,
  fixed: bigint,
  clauses: readonly string[] = [],
  mayClear = 0n,
): Content {
  return { state, value, mask: fixed, mayClear, clauses, labels: [] };
}

/** Contents that read alike are one way on: fault recording may be in any of their states. */
export function mergeContents(contents: readonly Content[]): readonly Content[] {
  const [first, ...rest] = contents;
  if (first === undefined || rest.length === 0) return contents;
  const { pending, queue, performed } = first.state;
  const differs = ({ state }: Content): boolean =>
    state.pending !== pending || state.queue !== queue || state.performed !== performed;
  if (rest.some(differs)) return contents;
  const faults = gather(contents, (content) => content.state.faults);
  const alignment = rest.reduce((all, { state }) => eitherAlignment(all, state.alignment), first.state.alignment);
  return [{ ...first, state: mapFaults(stateWith(first.state, { faults, alignment }), (each) => each) }];
}

/** What is known when either of two is so. */
function eitherAlignment(one: Alignment, other: Alignment): Alignment {
  const common = Object.entries(one).flatMap(([register, [least, most]]) => {
    const also = other[register];
    return also === undefined ? [] : [[register, [Math.min(least, also[0]), Math.max(most, also[1])]] as const];
  });
  return Object.fromEntries(common);
}

/** Whether an observed value of an access is a lawful reading of a content. */
export function readsAs(content: Content, access: RegisterAccess, observed: bigint): boolean {
  const shift = BigInt(access.offset * 8);
  const window = all(access.size);
  const value = (content.value >> shift) & window;
  const fixed = (content.mask >> shift) & window;
  const mayClear = (content.mayClear >> shift) & window;
  const differs = (observed ^ value) & fixed;
  return (differs & ~mayClear) === 0n && (observed & ~value & mayClear) === 0n;
}

/** Name, content's value and observed value of the fields that differ, lowest field first. */
export function differingFields(
  content: Content,
  access: RegisterAccess,
  observed: bigint,
): readonly { readonly name: string; readonly expected: bigint; readonly observed: bigint }[] {
  const shift = BigInt(access.offset * 8);
  const differs =
    ((observed << shift) ^ content.value) & content.mask & (all(access.size) << shift) & ~content.mayClear;
  const named = Object.entries(REGISTER_FIELDS[access.register] ?? {}).map(([name, bits]) => ({ name, bits }));
  const hit = named.filter(({ bits }) => isSet(differs, bits)).sort((a, b) => a.bits[1] - b.bits[1]);
  if (hit.length === 0) return [{ name: RESERVED, expected: 0n, observed: differs }];
  return hit.map(({ name, bits }) => ({
    name,
    expected: field(content.value, bits),
    observed: field(observed << shift, bits),
  }));
}
