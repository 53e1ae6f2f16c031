import { isSet } from '../bits.js';
import type { RegisterAccess } from '../interface/model.js';
import { FECTL_FIELDS, FRCD_FIELDS, FSTS_FIELDS } from '../layout/vtd.js';
import { type CommandResult, writeGlobalCommand } from './global-command.js';
import { writeContextCommand, writeIotlbCommand } from './invalidation.js';
import { clearOverflow, clearRecord, setInterruptMask } from './recording.js';
import { registerBytes } from './registers.js';
import { mapFaults, type VtdState } from './state.js';

/** A write of `size` bytes to part of a register. Facts 1.1, 1.2. */
export function writeRegister(state: VtdState, access: RegisterAccess, value: bigint, now: number): CommandResult {
  const done = (next: VtdState, ...clauses: readonly string[]): CommandResult => ({
    kind: 'state',
    state: next,
    clauses,
  });
  const { register } = access;
  const shifted = value << BigInt(access.offset * 8);
  switch (register) {
    case 'VER':
    case 'CAP':
    case 'ECAP':
    case 'GSTS':
      return done(state);
    case 'GCMD':
      return writeGlobalCommand(state, value, now);
    case 'RTADDR':
    case 'IVA':
    case 'FEDATA':
    case 'FEADDR':
    case 'FEUADDR':
      return done({ ...state, stored: { ...state.stored, [register]: merged(state, access, value) } });
    case 'CCMD':
      return commandWrite(state, access, value, now, writeContextCommand);
    case 'IOTLB':
      return commandWrite(state, access, value, now, writeIotlbCommand);
    case 'FSTS':
      return done(isSet(shifted, FSTS_FIELDS.PFO) ? mapFaults(state, clearOverflow) : state, 'VTD-REG-008');
    case 'FECTL':
      return done(mapFaults(state, (faults) => setInterruptMask(faults, isSet(shifted, FECTL_FIELDS.IM))));
    case 'FRCD':
      return done(
        isSet(shifted, FRCD_FIELDS.F) ? mapFaults(state, (faults) => clearRecord(faults, access.index)) : state,
        'VTD-REG-011',
      );
    default:
      return { kind: 'undefined', reason: `register ${register} is not specified yet` };
  }
}

/** The stored value with the written bytes replaced. */
function merged(state: VtdState, access: RegisterAccess, value: bigint): bigint {
  const shift = BigInt(access.offset * 8);
  const window = ((1n << BigInt(access.size * 8)) - 1n) << shift;
  const old = state.stored[access.register] ?? 0n;
  const kept = (1n << BigInt((registerBytes(access.register) ?? 8) * 8)) - 1n;
  return ((old & ~window) | ((value << shift) & window)) & kept;
}

/** VTD-REG-014: a command starts only when the DWORD that holds ICC or IVT is written with that bit 1. */
function commandWrite(
  state: VtdState,
  access: RegisterAccess,
  value: bigint,
  now: number,
  start: typeof writeContextCommand,
): CommandResult {
  const whole = merged(state, access, value);
  const stored = { ...state, stored: { ...state.stored, [access.register]: whole & ~(1n << 63n) } };
  const touchesTop = access.offset + access.size === 8;
  return touchesTop ? start(stored, whole, now) : { kind: 'state', state: stored, clauses: [] };
}
