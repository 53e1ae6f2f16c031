import { field, isSet } from '../bits.js';
import { CCMD_FIELDS, CONTEXT_GRANULARITY, IOTLB_FIELDS, IOTLB_GRANULARITY, IVA_FIELDS } from '../layout/vtd.js';
import { invalidationOf, withCompleted } from './caching/completed.js';
import { contextCommandScope, type InvalidationScope, iotlbCommandScope } from './caching/scope.js';
import type { CommandResult } from './global-command.js';
import { type Invalidation, stateWith, type VtdState } from './state.js';

/**
 * VTD-REG-014: a write that sets ICC starts a context-cache invalidation. Facts 7.7.
 * A second command while one is pending is not defined (2.2, N29), nor is one that overlaps an IOTLB command.
 */
export function writeContextCommand(state: VtdState, value: bigint, now: number): CommandResult {
  if (busy(state)) return { kind: 'undefined', reason: 'CCMD written while an invalidation is pending (N29)' };
  if (!isSet(value, CCMD_FIELDS.ICC)) return { kind: 'state', state, clauses: [] };
  if (queued(state)) return { kind: 'undefined', reason: 'CCMD used while QIES=1 (facts 2.2)' };
  const context = commandFrom(state, contextCommandScope(value, state.caps), now, contextGranularityLawful);
  return {
    kind: 'state',
    state: stateWith(state, { pending: { ...state.pending, context } }),
    clauses: ['VTD-REG-014'],
  };
}

/** VTD-REG-014: a write that sets IVT starts an IOTLB invalidation. Facts 7.7. */
export function writeIotlbCommand(state: VtdState, value: bigint, now: number): CommandResult {
  if (busy(state)) return { kind: 'undefined', reason: 'IOTLB written while an invalidation is pending (N29)' };
  if (!isSet(value, IOTLB_FIELDS.IVT)) return { kind: 'state', state, clauses: [] };
  if (queued(state)) return { kind: 'undefined', reason: 'IOTLB used while QIES=1 (facts 2.2)' };
  const scope = iotlbCommandScope(value, state.stored['IVA'] ?? 0n, state.caps);
  const iotlb = commandFrom(state, scope, now, iotlbGranularityLawful);
  return { kind: 'state', state: stateWith(state, { pending: { ...state.pending, iotlb } }), clauses: ['VTD-REG-014'] };
}

/** A command with what may answer it, which is settled when it is given. */
function commandFrom(
  state: VtdState,
  scope: InvalidationScope,
  submitted: number,
  isLawful: typeof contextGranularityLawful,
): Invalidation {
  const command = invalidationOf(scope, { submitted });
  const lawful = [0, 1, 2, 3].filter((performed) => isLawful(state, command, performed));
  return invalidationOf(scope, { submitted, answers: { lawful, refusal: refusalClause(state, scope.granularity) } });
}

/** The rule by which an invalidation reports granularity 00b. Facts 7.7. */
function refusalClause(state: VtdState, granularity: number): string {
  if (state.caps.majorVersion >= 6) return 'VTD-INV-016';
  return state.root !== undefined && state.root.mode !== 0 && granularity !== 0 ? 'VTD-INV-015' : 'VTD-INV-014';
}

function queued(state: VtdState): boolean {
  return state.queue !== undefined || state.pending.queue !== undefined;
}

function busy(state: VtdState): boolean {
  return state.pending.context !== undefined || state.pending.iotlb !== undefined;
}

/**
 * Software saw ICC or IVT read as 0: the command is complete. VTD-INV-014: with CAIG or IAIG=00b nothing is known to be
 * gone. A coarser one than was asked for promises no more than that.
 *
 * @param performed CAIG or IAIG, where it was seen
 */
export function completeInvalidation(
  state: VtdState,
  cache: 'context' | 'iotlb',
  now: number,
  performed?: number,
): VtdState {
  const { [cache]: command, ...pending } = state.pending;
  if (command === undefined) return state;
  const lawful = performed === undefined ? (command.answers?.lawful ?? []) : [performed];
  const { submitted, answers } = command;
  const answered = invalidationOf(command, { submitted, answers: answers && { lawful, refusal: answers.refusal } });
  const done = stateWith(state, { pending, performed: { ...state.performed, [cache]: answered } });
  return lawful.includes(0) ? done : withCompleted(done, [answered], now);
}

/**
 * Whether CAIG is lawful for a context-cache command. Facts 7.7.
 *
 * 1. VTD-INV-014, VTD-INV-015, VTD-INV-016: 00b for a reserved CIRG, for a TTM that is not legacy, for major>=6.
 * 2. VTD-INV-012: otherwise as asked or coarser.
 */
function contextGranularityLawful(state: VtdState, command: Invalidation, performed: number): boolean {
  if (refused(state, command)) return performed === CONTEXT_GRANULARITY.none;
  if (otherMode(state) === 'invalid' && performed === CONTEXT_GRANULARITY.none) return true;
  return performed !== CONTEXT_GRANULARITY.none && performed <= command.granularity;
}

/**
 * Whether IAIG is lawful for an IOTLB command. Facts 7.7.
 *
 * 1. VTD-INV-014 to VTD-INV-016: 00b as for the context cache, and for AM above MAMV.
 * 2. PSI=0 and page granularity: performed as domain (or coarser), or refused ([i]).
 * 3. VTD-INV-013: otherwise as asked or coarser.
 */
function iotlbGranularityLawful(state: VtdState, command: Invalidation, performed: number): boolean {
  if (refused(state, command)) return performed === IOTLB_GRANULARITY.none;
  if (otherMode(state) === 'invalid' && performed === IOTLB_GRANULARITY.none) return true;
  if (command.granularity === IOTLB_GRANULARITY.page) {
    if (!state.caps.pageSelective) return performed !== IOTLB_GRANULARITY.page;
    const mask = Number(field(state.stored['IVA'] ?? 0n, IVA_FIELDS.AM));
    if (mask > state.caps.maximumAddressMask) return performed === IOTLB_GRANULARITY.none;
  }
  return performed !== IOTLB_GRANULARITY.none && performed <= command.granularity;
}

/** VTD-INV-014 to VTD-INV-016. */
function refused(state: VtdState, command: Invalidation): boolean {
  return command.granularity === 0 || otherMode(state) === 'supported' || state.caps.majorVersion >= 6;
}

/**
 * Whether the latched TTM is one other than legacy. VTD-INV-015 speaks of modes that exist; what
 * becomes of an invalidation under a TTM that is not valid is not said, so both answers are admitted.
 */
function otherMode(state: VtdState): 'supported' | 'invalid' | undefined {
  const mode = state.root?.mode ?? 0;
  if (mode === 0) return undefined;
  const supported = (mode === 1 && state.caps.scalableMode) || (mode === 3 && state.caps.abortMode);
  return supported ? 'supported' : 'invalid';
}
