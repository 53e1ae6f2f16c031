import { field, isSet } from '../bits.js';
import { GLOBAL_COMMAND, RTADDR_FIELDS } from '../layout/vtd.js';
import { type LatchedPointer, mapFaults, type VtdState } from './state.js';

const bit = (position: number): bigint => 1n << BigInt(position);
const TE = bit(GLOBAL_COMMAND.TE);
const SRTP = bit(GLOBAL_COMMAND.SRTP);

/** A result of a write, with the clauses it rests on, or why it is undefined. */
export type CommandResult =
  | { readonly kind: 'state'; readonly state: VtdState; readonly clauses: readonly string[] }
  | { readonly kind: 'undefined'; readonly reason: string };

/**
 * A write to GCMD. Facts 1.5, 2.1, 2.2.
 *
 * 1. A write while a command is pending is not defined (N29), nor is a write that changes several bits (N28).
 * 2. VTD-GCMD-002: SRTP=1 clears RTPS and starts to latch RTADDR. Re-issuing it is lawful (2.1 line 3).
 * 3. VTD-GCMD-001: TE different from TES starts to enable or disable translation.
 */
export function writeGlobalCommand(state: VtdState, value: bigint, now: number): CommandResult {
  if (state.pending.translation !== undefined || state.pending.setRoot !== undefined) {
    return { kind: 'undefined', reason: 'GCMD written while a command is pending (N29)' };
  }
  const others = value & ~(TE | SRTP) & 0xffff_ffffn;
  if (others !== 0n) return { kind: 'undefined', reason: 'GCMD bit that is not specified yet' };
  const enable = (value & TE) !== 0n;
  const setRoot = (value & SRTP) !== 0n;
  if (setRoot && enable !== state.translation) {
    return { kind: 'undefined', reason: 'several GCMD bits changed by one write (N28)' };
  }
  if (setRoot) {
    const pending = { ...state.pending, setRoot: pointerIn(state.stored['RTADDR'] ?? 0n, now) };
    return { kind: 'state', state: { ...state, rootSet: false, pending }, clauses: [] };
  }
  if (enable === state.translation) return { kind: 'state', state, clauses: [] };
  if (enable && !state.rootSet) return { kind: 'undefined', reason: 'TE set before SRTP (facts 2.2)' };
  return { kind: 'state', state: { ...state, pending: { ...state.pending, translation: enable } }, clauses: [] };
}

/** The fields of RTADDR. Facts 1.5. */
function pointerIn(rtaddr: bigint, since: number): LatchedPointer {
  return {
    table: field(rtaddr, RTADDR_FIELDS.RTA) << 12n,
    mode: Number(field(rtaddr, RTADDR_FIELDS.TTM)),
    ioPermissions: isSet(rtaddr, RTADDR_FIELDS.SSIRWE),
    since,
  };
}

/**
 * The pending global commands take effect. VTD-FREC-012: with TES and IRES both 0 the
 * fault index returns to 0 (IRES is 0 throughout, as interrupt remapping is not specified yet).
 */
export function completeGlobalCommand(state: VtdState): VtdState {
  const { translation, setRoot, ...pending } = state.pending;
  if (translation === undefined && setRoot === undefined) return state;
  const enabled = translation ?? state.translation;
  const done = {
    ...state,
    pending,
    translation: enabled,
    ...(setRoot === undefined ? {} : { root: setRoot, rootSet: true }),
  };
  return enabled ? done : mapFaults(done, (faults) => ({ ...faults, index: 0 }));
}

/** GSTS mirrors TE and SRTP. Facts 1.5. */
export function globalStatus(state: VtdState): bigint {
  return (state.translation ? TE : 0n) | (state.rootSet ? SRTP : 0n);
}
