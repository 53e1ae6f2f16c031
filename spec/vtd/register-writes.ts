import { isSet } from '../bits.js';
import type { RegisterAccess } from '../interface/model.js';
import { FECTL_FIELDS, FRCD_FIELDS, FSTS_FIELDS, ICS_FIELDS, IECTL_FIELDS } from '../layout/vtd.js';
import { clearCompletion, eventMessage, setCompletionMask, tearMessages } from './events.js';
import { type CommandResult, writeGlobalCommand } from './global-command.js';
import { writeContextCommand, writeIotlbCommand } from './invalidation.js';
import { writeProtection } from './protected-memory.js';
import { resumeQueue, writeQueueAddress, writeTail } from './queue-writes.js';
import { clearRecord, clearStatus, sendsHeld, setInterruptMask } from './recording.js';
import { isReserved, registerExists, storageRegister } from './register-file.js';
import { registerBytes } from './registers.js';
import { mapFaults, stateWith, type VtdState } from './state.js';

/** A write of `size` bytes to part of a register: every lawful result. Facts 1.1, 1.2. */
export function writeRegister(
  state: VtdState,
  access: RegisterAccess,
  value: bigint,
  now: number,
): readonly CommandResult[] {
  const { register } = access;
  const shifted = value << BigInt(access.offset * 8);
  if (register === 'reserved') {
    if (isReserved(access.offset, access.size, state.caps)) return [done(state, 'VTD-REG-R01')];
    return [{ kind: 'undefined', reason: `offset ${access.offset} is not specified yet` }];
  }
  if (!registerExists(register, state.caps)) return [done(state, 'VTD-REG-012')];
  switch (register) {
    case 'VER':
    case 'CAP':
    case 'ECAP':
    case 'GSTS':
    case 'IQH':
    case 'IQERCD':
      return [done(state)];
    case 'GCMD':
      return [writeGlobalCommand(state, value, now)];
    case 'CCMD':
      return [commandWrite(state, access, value, now, writeContextCommand)];
    case 'IOTLB':
      return [commandWrite(state, access, value, now, writeIotlbCommand)];
    case 'IVA':
      return [done(withStored(state, access, value, -1n))];
    case 'IQT':
      return [writeTail(withStored(state, access, value), now)];
    case 'IQA':
      return [writeQueueAddress(state, withStored(state, access, value))];
    case 'PMEN':
    case 'PLMBASE':
    case 'PLMLIMIT':
    case 'PHMBASE':
    case 'PHMLIMIT':
      return [writeProtection(state, withStored(state, access, value, register === 'PMEN' ? 1n << 31n : undefined))];
    default:
      return eventWrite(state, access, value, shifted, now);
  }
}

/** Writes to the registers of the two events, and to those that only store. */
function eventWrite(
  state: VtdState,
  access: RegisterAccess,
  value: bigint,
  shifted: bigint,
  now: number,
): readonly CommandResult[] {
  switch (access.register) {
    case 'FSTS': {
      const bits = { overflow: isSet(shifted, FSTS_FIELDS.PFO), queueError: isSet(shifted, FSTS_FIELDS.IQE) };
      const next = mapFaults(state, (faults) => clearStatus(faults, bits));
      return [done(bits.queueError ? resumeQueue(next, now) : next, 'VTD-REG-008')];
    }
    case 'FECTL': {
      const message = eventMessage(state, 'FE');
      const set = isSet(shifted, FECTL_FIELDS.IM);
      const held = sendsHeld(state.faults, set) ? ['VTD-FREC-015'] : [];
      return [
        done(
          mapFaults(state, (faults) => setInterruptMask(faults, set, message)),
          ...held,
        ),
      ];
    }
    case 'FRCD':
      return [
        done(
          isSet(shifted, FRCD_FIELDS.F) ? mapFaults(state, (faults) => clearRecord(faults, access.index)) : state,
          'VTD-REG-011',
        ),
      ];
    case 'ICS':
      return isSet(shifted, ICS_FIELDS.IWC)
        ? clearCompletion(state).map((next) => done(next, 'VTD-REG-009'))
        : [done(state)];
    case 'IECTL':
      return setCompletionMask(state, isSet(shifted, IECTL_FIELDS.IM)).map((next) => done(next));
    case 'FEDATA':
    case 'FEADDR':
    case 'FEUADDR':
      return [done(tearMessages(withStored(state, access, value), 'FE'))];
    case 'IEDATA':
    case 'IEADDR':
    case 'IEUADDR':
      return [done(tearMessages(withStored(state, access, value), 'IE'))];
    default:
      if (storageRegister(access.register, state.caps) !== undefined)
        return [done(withStored(state, access, value), ...halfClauses(access))];
      return [{ kind: 'undefined', reason: `register ${access.register} is not specified yet` }];
  }
}

function done(state: VtdState, ...clauses: readonly string[]): CommandResult {
  return { kind: 'state', state, clauses };
}

/** VTD-REG-013: half of a 64-bit register is written. */
function halfClauses(access: RegisterAccess): readonly string[] {
  return access.size === 4 && registerBytes(access.register) === 8 ? ['VTD-REG-013'] : [];
}

/** VTD-REG-013: the stored value with the written bytes replaced, whatever the access width. */
function withStored(state: VtdState, access: RegisterAccess, value: bigint, writable?: bigint): VtdState {
  const { register } = access;
  const kept = writable ?? storageRegister(register, state.caps)?.writable ?? -1n;
  const rootAddressKnown = state.rootAddressKnown | (register === 'RTADDR' ? windowOf(access) : 0n);
  return stateWith(state, {
    rootAddressKnown,
    stored: { ...state.stored, [register]: merged(state, access, value) & kept },
  });
}

/** The bits of a register that an access touches. */
function windowOf({ offset, size }: RegisterAccess): bigint {
  return ((1n << BigInt(size * 8)) - 1n) << BigInt(offset * 8);
}

/** The stored value with the written bytes replaced. */
function merged(state: VtdState, access: RegisterAccess, value: bigint): bigint {
  const shift = BigInt(access.offset * 8);
  const window = windowOf(access);
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
  const stored = stateWith(state, { stored: { ...state.stored, [access.register]: whole & ~(1n << 63n) } });
  const touchesTop = access.offset + access.size === 8;
  return touchesTop ? start(stored, whole, now) : { kind: 'state', state: stored, clauses: [] };
}
