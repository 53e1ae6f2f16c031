import { gather } from '../gather.js';
import type { Component } from '../interface/profile.js';
import type { StartState } from '../interface/scenario.js';
import type { InvalidationScope } from './caching/scope.js';
import { type Capabilities, capabilitiesOf } from './capabilities.js';
import type { QueueState } from './queue-state.js';

/** A fault record that software may find: the set of what it may hold. Facts 5.2. */
export interface FaultRecord {
  readonly sourceId: number;
  /** FI: input address with bits 11:0 zero; `undefined` where FI is not defined. */
  readonly address: bigint | undefined;
  /** Reasons that it may show; narrowed when it is read. */
  readonly reasons: readonly number[];
  readonly access: 'read' | 'write';
  /** Clauses by reason, counted when the record is read. */
  readonly clauses: Readonly<Record<number, string>>;
  /** Equal for records that hold the same. */
  readonly key: string;
}

/** A record, from what is known of its fields. */
export function recordOf(fields: Omit<FaultRecord, 'key'>): FaultRecord {
  const { sourceId, address, reasons, access } = fields;
  const { clauses } = fields;
  return { sourceId, address, reasons, access, clauses, key: `${sourceId},${address},${reasons.join('/')},${access}` };
}

/** A record whose reason was read. */
export function narrowedTo(record: FaultRecord, reason: number): FaultRecord {
  return recordOf({ ...record, reasons: [reason] });
}

/** State of fault recording. Facts 6.1. */
export interface FaultState {
  /** One per FRCD register; `null` while F=0. */
  readonly records: readonly (FaultRecord | null)[];
  readonly overflow: boolean;
  /** The next register to use. */
  readonly index: number;
  /** Nothing was recorded since a power-good reset. */
  readonly fresh: boolean;
  /** The index returned to 0 and nothing was recorded since (VTD-FREC-012); no rule asks for it. */
  readonly restarted?: true | undefined;
  /** FSTS.FRI; meaningful while some F=1. */
  readonly first: number;
  readonly interruptMask: boolean;
  readonly interruptPending: boolean;
  /** FSTS.IQE. */
  readonly queueError: boolean;
  /** Messages sent and not seen yet, as far as messages are observed. */
  readonly owed: readonly EventMessage[];
}

/** An event message: what FEADDR and FEDATA, or IEADDR and IEDATA, held when it was sent; `undefined` when it may be torn. */
export type EventMessage = { readonly address: bigint; readonly data: bigint } | undefined;

/** ICS and IECTL. Facts 7.9. */
export interface CompletionState {
  /** ICS.IWC. */
  readonly complete: boolean;
  readonly interruptMask: boolean;
  readonly interruptPending: boolean;
  readonly owed: readonly EventMessage[];
}

/** An invalidation that was asked for. Facts 7.5, 7.7. */
export interface Invalidation extends InvalidationScope {
  /** Tick of the operation that asked for it. */
  readonly submitted: number;
  /** For one asked for by register: values of CAIG or IAIG that answer it, and why 00b is among them, if it is. */
  readonly answers?: { readonly lawful: readonly number[]; readonly refusal: string } | undefined;
  /** Tick at which software observed completion. */
  readonly completed?: number | undefined;
  /** For one that was queued, or came with others: its place among those that were asked for together. */
  readonly order?: number | undefined;
  /** The clause by which a command does it on the side. */
  readonly impliedBy?: string | undefined;
}

/** The value of RTADDR that SRTP latched. Facts 1.5, 2.3. */
export interface RootPointer {
  /** Byte address of the root table. */
  readonly table: bigint;
  /** Translation table mode: 00b legacy, 01b scalable, 10b reserved, 11b abort-DMA. */
  readonly mode: number;
  readonly ioPermissions: boolean;
}

/** A latched root pointer and when SRTP was written. */
export interface LatchedPointer extends RootPointer {
  readonly since: number;
}

/** A root pointer that another one replaced; `until`: the tick at which that was observed. */
export interface FormerPointer extends LatchedPointer {
  readonly until: number;
}

/** A flush of the write buffer that was observed complete. Facts 7.6, VTD-INV-020. */
export interface BufferFlush {
  readonly submitted: number;
  readonly completed: number;
}

/** A command whose completion was not observed yet. Facts 2.1, N27. */
export interface PendingCommands {
  readonly translation?: boolean;
  readonly setRoot?: LatchedPointer;
  /** QIE. */
  readonly queue?: boolean;
  /** IRE and CFI. */
  readonly interrupts?: boolean;
  readonly compatibility?: boolean;
  /** SIRTP: latches IRTA. */
  readonly setInterruptTable?: true;
  /** WBF. */
  readonly flush?: { readonly submitted: number };
  /** PMEN.EPM. */
  readonly protection?: boolean;
  readonly context?: Invalidation;
  readonly iotlb?: Invalidation;
}

/** For a base or limit register by name: least and most number of low bits that are not implemented. */
export type Alignment = Readonly<Record<string, readonly [least: number, most: number]>>;

/** State of a remapping unit, as far as software and devices can tell. Immutable. */
export interface VtdState {
  readonly caps: Capabilities;
  /** Routing IDs of every requester behind the unit. */
  readonly requesters: readonly number[];
  /** TES. */
  readonly translation: boolean;
  /** RTPS. */
  readonly rootSet: boolean;
  readonly root: LatchedPointer | undefined;
  readonly pending: PendingCommands;
  /** IRES, CFIS and IRTPS. */
  readonly interrupts: boolean;
  readonly compatibility: boolean;
  readonly interruptTableSet: boolean;
  /** PMEN.PRS. */
  readonly protection: boolean;
  /** What reads of the protected regions' bases and limits told of their alignment. */
  readonly alignment: Alignment;
  /** The invalidation queue; `undefined` while QIES=0. */
  readonly queue: QueueState | undefined;
  readonly completion: CompletionState;
  /** Bits of RTADDR that software wrote: the ready state latched a table of the target's own. */
  readonly rootAddressKnown: bigint;
  /** Last value written to the registers that just store. */
  readonly stored: Readonly<Record<string, bigint>>;
  /** CAIG and IAIG of the last finished commands, and the requests they answered. */
  readonly performed: Readonly<Partial<Record<'context' | 'iotlb', Invalidation>>>;
  /** Invalidations whose completion was observed and that still decide something, oldest first. */
  readonly invalidations: readonly Invalidation[];
  /** Pointers under which something may have been cached that is not known to be gone. */
  readonly formerRoots: readonly FormerPointer[];
  /** With RWBF=1: flushes of the write buffer, oldest first. */
  readonly bufferFlushes: readonly BufferFlush[];
  /** Every state that fault recording may be in: nothing else of the unit depends on which one it is. Never empty. */
  readonly faults: readonly FaultState[];
  /** Why nothing can be said of the unit any more, when so. */
  readonly unknown: { readonly kind: 'undefined' | 'inconclusive'; readonly reason: string } | undefined;
}

/** Stands for the root table of the ready state: no entry of it is present, and no scenario can store to it. */
export const QUARANTINE_TABLE: bigint = -(1n << 16n);

/** The state after reset, or the ready state of `StartState`. VTD-GCMD-002, VTD-REG-003, VTD-FREC-001. */
export function initialState(component: Component, start: StartState, requesters: readonly number[] = []): VtdState {
  const caps = capabilitiesOf(component);
  const ready = start === 'ready';
  return {
    caps,
    requesters,
    translation: ready,
    rootSet: ready,
    // The quarantine table of the ready state lies outside the arena; nothing in it is present.
    root: ready ? { table: QUARANTINE_TABLE, mode: 0, ioPermissions: false, since: -1 } : undefined,
    pending: {},
    rootAddressKnown: ready ? 0n : -1n,
    interrupts: false,
    compatibility: false,
    interruptTableSet: false,
    protection: false,
    alignment: {},
    queue: undefined,
    completion: { complete: false, interruptMask: true, interruptPending: false, owed: [] },
    stored: {},
    performed: {},
    invalidations: [],
    formerRoots: [],
    bufferFlushes: [],
    faults: [
      {
        records: Array.from({ length: caps.faultRecords }, () => null),
        overflow: false,
        index: 0,
        fresh: !ready,
        restarted: undefined,
        first: 0,
        interruptMask: true,
        interruptPending: false,
        queueError: false,
        owed: [],
      },
    ],
    unknown: undefined,
  };
}

/** The state with parts of it changed. Written out, so that all states are built alike: one is made at every step. */
export function stateWith(state: VtdState, change: Partial<VtdState>): VtdState {
  return {
    caps: change.caps ?? state.caps,
    requesters: change.requesters ?? state.requesters,
    translation: change.translation ?? state.translation,
    rootSet: change.rootSet ?? state.rootSet,
    root: 'root' in change ? change.root : state.root,
    pending: change.pending ?? state.pending,
    rootAddressKnown: change.rootAddressKnown ?? state.rootAddressKnown,
    interrupts: change.interrupts ?? state.interrupts,
    compatibility: change.compatibility ?? state.compatibility,
    interruptTableSet: change.interruptTableSet ?? state.interruptTableSet,
    protection: change.protection ?? state.protection,
    alignment: change.alignment ?? state.alignment,
    queue: 'queue' in change ? change.queue : state.queue,
    completion: change.completion ?? state.completion,
    stored: change.stored ?? state.stored,
    performed: change.performed ?? state.performed,
    invalidations: change.invalidations ?? state.invalidations,
    formerRoots: change.formerRoots ?? state.formerRoots,
    bufferFlushes: change.bufferFlushes ?? state.bufferFlushes,
    faults: change.faults ?? state.faults,
    unknown: 'unknown' in change ? change.unknown : state.unknown,
  };
}

/** Whether some F=1 (VTD-FREC-005). */
export function faultPending(faults: FaultState): boolean {
  return faults.records.some((record) => record !== null);
}

/** The state with every possible state of fault recording changed; equal ones become one. */
export function mapFaults(
  state: VtdState,
  change: (faults: FaultState) => FaultState | readonly FaultState[],
): VtdState {
  const changed = gather(state.faults, (faults): readonly FaultState[] => {
    const next = change(faults);
    return 'records' in next ? [next] : next;
  });
  if (changed.length === 1) return stateWith(state, { faults: changed });
  const all = new Map<string, FaultState>();
  for (const each of changed) all.set(faultKey(each), each);
  return stateWith(state, { faults: [...all.values()] });
}

/** A state of fault recording with parts of it changed, built alike like {@link stateWith}. */
export function faultsWith(faults: FaultState, change: Partial<FaultState>): FaultState {
  return {
    records: change.records ?? faults.records,
    overflow: change.overflow ?? faults.overflow,
    index: change.index ?? faults.index,
    fresh: change.fresh ?? faults.fresh,
    restarted: 'restarted' in change ? change.restarted : faults.restarted,
    first: change.first ?? faults.first,
    interruptMask: change.interruptMask ?? faults.interruptMask,
    interruptPending: change.interruptPending ?? faults.interruptPending,
    queueError: change.queueError ?? faults.queueError,
    owed: change.owed ?? faults.owed,
  };
}

function faultKey(faults: FaultState): string {
  const { overflow, index, fresh, first, interruptMask, interruptPending, queueError, owed } = faults;
  const records = faults.records.map((record) => record?.key ?? '').join(';');
  const sent = owed.map((message) => `${message?.address},${message?.data}`).join(';');
  return `${records}|${overflow}|${index}|${fresh}|${first}|${interruptMask}|${interruptPending}|${queueError}|${sent}`;
}

/** A short text that is equal for states that no later operation can tell apart. */
export function stateKey(state: VtdState): string {
  const { caps: _caps, requesters: _requesters, faults, ...others } = state;
  const rest = { ...others, faults: faults.map(faultKey) };
  return JSON.stringify(rest, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
}
