import { field } from '../bits.js';
import { PMEN_FIELDS } from '../layout/vtd.js';
import { all, at, type Content, content } from './content.js';
import type { CommandResult } from './global-command.js';
import type { VtdState } from './state.js';

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
  const low = caps.protectedLow ? within(state, 'PLMBASE', 'PLMLIMIT', address, last) : 'no';
  const found = low !== 'no' || !caps.protectedHigh ? low : within(state, 'PHMBASE', 'PHMLIMIT', address, last);
  // N55: while EPM changes nothing is said; older units may let remapped requests pass.
  const sure = pending.protection === undefined && !(caps.majorVersion < 2 && state.translation);
  return found === 'yes' && !sure ? 'maybe' : found;
}

/** How many low bits of base and limit may be unimplemented at most; the unit's own number is not in its profile. */
const MOST_GRANULARITY = 24n;

/**
 * Whether a range lies in a region. Base bits N:0 count as 0 and limit bits N:0 as 1; as N is not known, what is
 * between the narrowest and the widest region is open. VTD-PMR-002: a limit below the base disables the region.
 */
function within(state: VtdState, base: string, limit: string, first: bigint, last: bigint): 'no' | 'maybe' | 'yes' {
  const from = state.stored[base] ?? 0n;
  const to = state.stored[limit] ?? 0n;
  const mask = (1n << MOST_GRANULARITY) - 1n;
  if (from <= to && first >= from && last <= to) return 'yes';
  return last >= (from & ~mask) && first <= (to | mask) ? 'maybe' : 'no';
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
  return { kind: 'state', state: { ...after, pending: { ...after.pending, protection: enable } }, clauses: [] };
}

function enabled(state: VtdState): boolean {
  return field(state.stored['PMEN'] ?? 0n, PMEN_FIELDS.EPM) !== 0n;
}

/** PRS has followed EPM. */
export function completeProtection(state: VtdState): VtdState {
  const { protection, ...pending } = state.pending;
  return protection === undefined ? state : { ...state, pending, protection };
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
