import { field, isSet } from '../bits.js';
import { GLOBAL_COMMAND, RTADDR_FIELDS } from '../layout/vtd.js';
import { invalidationOf, withBufferFlushed, withCompleted } from './caching/completed.js';
import { globalScope } from './caching/scope.js';
import { hasWork, isBusy } from './queue.js';
import { emptyQueue } from './queue-state.js';
import {
  faultsWith,
  type Invalidation,
  type LatchedPointer,
  mapFaults,
  type PendingCommands,
  stateWith,
  type VtdState,
} from './state.js';

const bit = (position: number): bigint => 1n << BigInt(position);
const { TE, SRTP, WBF, QIE, IRE, SIRTP, CFI } = GLOBAL_COMMAND;

/** A result of a write, with the clauses it rests on, or why it is undefined. */
export type CommandResult =
  | { readonly kind: 'state'; readonly state: VtdState; readonly clauses: readonly string[] }
  | { readonly kind: 'undefined'; readonly reason: string };

/** The bits of GCMD that the unit has, and those of them that are one-shot. */
function commandBits({ caps }: VtdState): {
  readonly persistent: readonly number[];
  readonly oneShot: readonly number[];
} {
  const { queuedInvalidation, interruptRemapping, writeBufferFlush } = caps;
  return {
    persistent: [TE, ...(queuedInvalidation ? [QIE] : []), ...(interruptRemapping ? [IRE, CFI] : [])],
    oneShot: [SRTP, ...(writeBufferFlush ? [WBF] : []), ...(interruptRemapping ? [SIRTP] : [])],
  };
}

/**
 * A write to GCMD. Facts 1.5, 2.1, 2.2.
 *
 * 1. A write while a command is pending is not defined (N29), nor is one that changes several bits (N28), nor a
 *    bit whose capability is absent.
 * 2. One-shot bits start anew whenever they are written 1 (2.1 line 3); persistent bits only when they change.
 */
export function writeGlobalCommand(state: VtdState, value: bigint, now: number): CommandResult {
  const undefinedFor = (reason: string): CommandResult => ({ kind: 'undefined', reason });
  if (commandPending(state.pending)) return undefinedFor('GCMD written while a command is pending (N29)');
  const { persistent, oneShot } = commandBits(state);
  const known = [...persistent, ...oneShot].reduce((sum, position) => sum | bit(position), 0n);
  if ((value & 0xffff_ffffn & ~known) !== 0n) return undefinedFor('GCMD bit that the unit does not have');
  const status = globalStatus(state);
  const commands = [
    ...oneShot.filter((position) => (value & bit(position)) !== 0n),
    ...persistent.filter((position) => ((value ^ status) & bit(position)) !== 0n),
  ];
  const [command] = commands;
  if (command === undefined) return { kind: 'state', state, clauses: [] };
  if (commands.length > 1) return undefinedFor('several GCMD bits changed by one write (N28)');
  const on = (value & bit(command)) !== 0n;
  const reason = unlawful(state, command, on);
  return reason === undefined ? start(state, command, on, now) : undefinedFor(`${reason} (facts 2.2)`);
}

/** Programming orders that are broken. Facts 2.2. */
function unlawful(state: VtdState, command: number, on: boolean): string | undefined {
  const { pending, queue, stored } = state;
  switch (command) {
    case TE:
      return on && !state.rootSet ? 'TE set before SRTP' : undefined;
    case IRE:
      if (!on) return undefined;
      if (!state.interruptTableSet) return 'IRE set before SIRTP';
      return queue === undefined ? 'IRE set with QIES=0' : undefined;
    case SRTP:
      if ((~state.rootAddressKnown & 0xffff_ffff_ffff_ffffn) !== 0n) return 'SRTP before RTADDR was written';
      return modeChanges(state) && state.translation && !state.caps.setRootFlushes
        ? 'TTM or SSIRWE changed while TES=1 without ESRTPS'
        : undefined;
    case QIE:
      if (on) {
        if ((stored['IQT'] ?? 0n) !== 0n) return 'QIE set with IQT that is not 0';
        return pending.context || pending.iotlb ? 'QIE set while an invalidation is pending' : undefined;
      }
      if (state.interrupts) return 'QIE cleared while IRES=1';
      if (queue !== undefined && (isBusy(queue) || hasWork(queue) || queue.error !== undefined))
        return 'QIE cleared while the queue is not known to be empty';
      return queue?.ended === false ? 'QIE cleared and the last descriptor was no wait' : undefined;
    default:
      return undefined;
  }
}

/** Whether SRTP would latch another mode. Facts 2.2. */
function modeChanges(state: VtdState): boolean {
  const next = pointerIn(state.stored['RTADDR'] ?? 0n, 0);
  return state.root !== undefined && (state.root.mode !== next.mode || state.root.ioPermissions !== next.ioPermissions);
}

/**
 * VTD-GCMD-002: SRTP=1 clears RTPS and starts to latch RTADDR; VTD-GCMD-004: SIRTP likewise. VTD-GCMD-001, VTD-GCMD-006:
 * persistent bits start to enable or disable. VTD-GCMD-007: WBF sets WBFS until the flush is done.
 */
function start(state: VtdState, command: number, on: boolean, now: number): CommandResult {
  const go = (pending: PendingCommands, change: Partial<VtdState> = {}): CommandResult => ({
    kind: 'state',
    state: stateWith(state, { ...change, pending: { ...state.pending, ...pending } }),
    clauses: [],
  });
  switch (command) {
    case SRTP:
      return go({ setRoot: pointerIn(state.stored['RTADDR'] ?? 0n, now) }, { rootSet: false });
    case SIRTP:
      return go({ setInterruptTable: true }, { interruptTableSet: false });
    case WBF:
      return go({ flush: { submitted: now } });
    case QIE:
      return go({ queue: on });
    case IRE:
      return go({ interrupts: on });
    case CFI:
      return go({ compatibility: on });
    default:
      return go({ translation: on });
  }
}

/** Whether a global command is on its way. */
function commandPending(pending: PendingCommands): boolean {
  const { context: _context, iotlb: _iotlb, protection: _protection, ...commands } = pending;
  return Object.keys(commands).length > 0;
}

/** What is on its way besides global commands. */
function otherPending({ context, iotlb, protection }: PendingCommands): PendingCommands {
  return {
    ...(context === undefined ? {} : { context }),
    ...(iotlb === undefined ? {} : { iotlb }),
    ...(protection === undefined ? {} : { protection }),
  };
}

/** VTD-GCMD-003: RTADDR holds a pointer that was not latched, which has no effect on translation. */
export function writtenOnly({ root, rootAddressKnown, stored }: VtdState): boolean {
  if (root === undefined || (~rootAddressKnown & 0xffff_ffff_ffff_ffffn) !== 0n) return false;
  const written = pointerIn(stored['RTADDR'] ?? 0n, 0);
  return written.table !== root.table || written.mode !== root.mode || written.ioPermissions !== root.ioPermissions;
}

/** The fields of RTADDR. Facts 1.5. VTD-GCMD-003: they count only once they are latched. */
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
 * fault index returns to 0.
 */
export function completeGlobalCommand(state: VtdState, now: number): VtdState {
  const { pending } = state;
  if (!commandPending(pending)) return state;
  const { translation, setRoot, queue, interrupts, compatibility, setInterruptTable, flush } = pending;
  const flushed = flush === undefined ? state : withBufferFlushed(state, flush.submitted, now);
  const done = stateWith(setRoot === undefined ? flushed : withRoot(flushed, setRoot, now), {
    pending: otherPending(pending),
    translation: translation ?? state.translation,
    interrupts: interrupts ?? state.interrupts,
    compatibility: compatibility ?? state.compatibility,
    ...(setInterruptTable ? { interruptTableSet: true } : {}),
    // VTD-GCMD-008: disabling the queue sets IQH to 0.
    ...(queue === undefined ? {} : { queue: queue ? emptyQueue : undefined }),
  });
  const off = !done.translation && !done.interrupts;
  return off
    ? mapFaults(done, (faults) => (faults.index === 0 ? faults : faultsWith(faults, { index: 0, restarted: true })))
    : done;
}

/**
 * VTD-GCMD-002: the new root pointer is in use. VTD-GCMD-009: with ESRTPS=1 nothing cached under the old one is left;
 * VTD-GCMD-010: otherwise it may be, until it is invalidated.
 */
function withRoot(state: VtdState, root: LatchedPointer, now: number): VtdState {
  // What was read under the old pointer after SRTP was written goes with the flush, too.
  const until = state.caps.setRootFlushes ? root.since : now;
  const former = state.root === undefined ? [] : [{ ...state.root, until }];
  const latched = stateWith(state, { root, rootSet: true, formerRoots: [...state.formerRoots, ...former] });
  if (!state.caps.setRootFlushes) return latched;
  const flushed = (cache: 'context' | 'iotlb', order: number): Invalidation =>
    invalidationOf(globalScope(cache), { submitted: root.since, order, impliedBy: 'VTD-GCMD-009' });
  return withCompleted(latched, [flushed('context', 0), flushed('iotlb', 1)], now);
}

/** GSTS mirrors GCMD. Facts 1.5. */
export function globalStatus(state: VtdState): bigint {
  const flags: readonly (readonly [boolean, number])[] = [
    [state.translation, TE],
    [state.rootSet, SRTP],
    [state.pending.flush !== undefined, WBF],
    [state.queue !== undefined, QIE],
    [state.interrupts, IRE],
    [state.interruptTableSet, SIRTP],
    [state.compatibility, CFI],
  ];
  return flags.reduce((value, [set, position]) => (set ? value | bit(position) : value), 0n);
}
