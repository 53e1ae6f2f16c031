import { field } from '../bits.js';
import type { Evidence } from '../interface/judgement.js';
import { PMEN_FIELDS } from '../layout/vtd.js';
import { all, at, type Content, content } from './content.js';
import type { CommandResult } from './global-command.js';
import { storageRegister } from './register-file.js';
import { stateWith, type VtdState } from './state.js';

/**
 * Protected memory regions. Facts 1.6.
 *
 * VTD-PMR-001: with PRS=1 a request whose host address lies in a region is blocked, and not recorded; before major
 * version 2 remapped requests may pass (facts 0.3). VTD-PMR-003: what the unit itself reads is not looked at here.
 */
export function protectedAt(state: VtdState, address: bigint, bytes: number): 'no' | 'maybe' | 'yes' {
  const { caps, pending } = state;
  if (!state.protection && pending.protection === undefined) return 'no';
  const last = address + BigInt(Math.max(bytes, 1)) - 1n;
  const places = regionsOf(state).map(([base, limit]) => within(state, base, limit, address, last));
  const found = places.find((place) => place === 'yes') ?? places.find((place) => place === 'maybe') ?? 'no';
  // N55: while EPM changes nothing is said; older units may let remapped requests pass.
  const sure = pending.protection === undefined && !(caps.majorVersion < 2 && state.translation);
  return found === 'yes' && !sure ? 'maybe' : found;
}

/** How many low bits of base and limit may be unimplemented at most, as long as software did not read it off. */
const MOST_GRANULARITY = 24;

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** What is known of the number of low bits that a base or limit register lacks; one is reserved at least. */
function alignmentOf(state: VtdState, register: string): readonly [least: number, most: number] {
  return state.alignment[register] ?? [1, register.startsWith('PL') ? 31 : 63];
}

/** A region as its registers hold it: base bits N:0 count as 0, limit bits N:0 as 1, with the least and the most N possible. */
function regionOf(state: VtdState, base: string, limit: string, which: 'narrow' | 'wide'): readonly [bigint, bigint] {
  const bits = (register: string): number => {
    const [least, most] = alignmentOf(state, register);
    return which === 'narrow' ? least : Math.max(least, Math.min(most, MOST_GRANULARITY));
  };
  return [(state.stored[base] ?? 0n) & ~ones(bits(base)), (state.stored[limit] ?? 0n) | ones(bits(limit))];
}

/**
 * Whether a range lies in a region. What is between the narrowest and the widest region is open.
 * VTD-PMR-002: a limit below the base disables the region.
 */
function within(state: VtdState, base: string, limit: string, first: bigint, last: bigint): 'no' | 'maybe' | 'yes' {
  const [from, to] = regionOf(state, base, limit, 'narrow');
  if (first >= from && last <= to) return 'yes';
  const [least, most] = regionOf(state, base, limit, 'wide');
  return least <= most && last >= least && first <= most ? 'maybe' : 'no';
}

/** Base and limit register of each region that the unit has. */
function regionsOf(state: VtdState): readonly (readonly [base: string, limit: string])[] {
  const { protectedLow, protectedHigh } = state.caps;
  return [
    ...(protectedLow ? [['PLMBASE', 'PLMLIMIT'] as const] : []),
    ...(protectedHigh ? [['PHMBASE', 'PHMLIMIT'] as const] : []),
  ];
}

/**
 * Why a request is let through although protection is on.
 *
 * 1. VTD-PMR-002: it goes between the limit and the base of a region that is disabled.
 * 2. VTD-PMR-003: entries were read from a region on the way: the unit's own reads are not blocked.
 */
export function exemptions(
  state: VtdState,
  outcome: { readonly address: bigint; readonly evidence: readonly Evidence[] },
): readonly string[] {
  if (!state.protection || state.pending.protection !== undefined) return [];
  const regions = regionsOf(state);
  const between = regions.some(([base, limit]) => {
    const [from, to] = regionOf(state, base, limit, 'wide');
    return to < from && outcome.address > to && outcome.address < from;
  });
  const reads = outcome.evidence.flatMap(({ address, words }) =>
    address === undefined || words === undefined
      ? []
      : [{ first: address, last: address + 8n * BigInt(words.length) - 1n }],
  );
  const inside = regions.some(([base, limit]) =>
    reads.some(({ first, last }) => within(state, base, limit, first, last) === 'yes'),
  );
  return [...(between ? ['VTD-PMR-002'] : []), ...(inside ? ['VTD-PMR-003'] : [])];
}

/**
 * VTD-PMR-R01: a base or limit reads as written, but for its bits N:0, which read 0: after ones were written,
 * the highest 0 shows N. Each way to read is a content of its own that narrows what is known of N.
 */
export function regionContents(state: VtdState, register: string): readonly Content[] {
  const storage = storageRegister(register, state.caps);
  if (storage === undefined) return [];
  const stored = (state.stored[register] ?? 0n) & storage.writable;
  const [least, most] = alignmentOf(state, register);
  const contents: Content[] = [];
  for (let bits = least, first = least; bits <= most; bits++) {
    const value = stored & ~ones(bits);
    if (bits < most && (stored & ~ones(bits + 1)) === value) continue;
    const narrowed = stateWith(state, { alignment: { ...state.alignment, [register]: [first, bits] as const } });
    contents.push(content(narrowed, value, all(8), [storage.clause], storage.optional));
    first = bits + 1;
  }
  return contents;
}

/** VTD-PMR-R01: EPM is software's, and base and limit must not change while the regions are protected (facts 1.6). */
export function writeProtection(before: VtdState, after: VtdState): CommandResult {
  const protecting = before.protection || before.pending.protection !== undefined;
  const moved = ['PLMBASE', 'PLMLIMIT', 'PHMBASE', 'PHMLIMIT'].some(
    (name) => (before.stored[name] ?? 0n) !== (after.stored[name] ?? 0n),
  );
  if (protecting && moved) return { kind: 'undefined', reason: 'protected region changed while PRS=1' };
  const enable = enabled(after);
  if (before.pending.protection === undefined && enable === before.protection) {
    return { kind: 'state', state: after, clauses: [] };
  }
  return { kind: 'state', state: stateWith(after, { pending: { ...after.pending, protection: enable } }), clauses: [] };
}

function enabled(state: VtdState): boolean {
  return field(state.stored['PMEN'] ?? 0n, PMEN_FIELDS.EPM) !== 0n;
}

/** PRS has followed EPM. */
export function completeProtection(state: VtdState): VtdState {
  const { protection, ...pending } = state.pending;
  return protection === undefined ? state : stateWith(state, { pending, protection });
}

/** VTD-PMR-R01: PMEN.EPM reads as written, PRS follows it after a finite delay (N55). */
export function protectionContents(state: VtdState): readonly Content[] {
  const done = completeProtection(state);
  const states = done === state ? [state] : [done, state];
  return states.map((each) => {
    const value = at(PMEN_FIELDS.EPM, enabled(each) ? 1n : 0n) | at(PMEN_FIELDS.PRS, each.protection ? 1n : 0n);
    return content(each, value, all(4), ['VTD-PMR-R01']);
  });
}
