import type { Evidence, FindingIdentity } from './judgement.js';
import type { InterruptMessage } from './observations.js';
import type { Component, Profile } from './profile.js';
import type { StartState } from './scenario.js';

/** What hardware finds when it reads an entry from memory. */
export type Reading =
  | { readonly kind: 'words'; readonly words: readonly bigint[] }
  | { readonly kind: 'unreadable' }
  /** The specification cannot say what is read; `reason` tells why. */
  | { readonly kind: 'undecided'; readonly reason: string };

/** What an entry in memory held for a time. */
export interface Version {
  /** What a read of it may give; several where no memory answers. */
  readonly readings: readonly Reading[];
  /** Tick of the store that made it; -1 for what was there at the start. */
  readonly since: number;
  /** Tick of the store that replaced it; infinite while it is current. */
  readonly until: number;
}

/** Memory as the specification sees it at one instant. */
export interface MemoryView {
  /** Tick of the operation under judgement. */
  readonly now: number;
  /** What a read of `bytes` (8 or 16, aligned) may give now. Holes may give several readings. */
  readings(address: bigint, bytes: number): readonly Reading[];
  /** Every version of an entry, oldest first; the last is the current one. */
  versions(address: bigint, bytes: number): readonly Version[];
}

/** A register access, resolved: the register's name, which one, and the bytes touched. */
export interface RegisterAccess {
  readonly register: string;
  readonly index: number;
  /** Byte offset inside the register. */
  readonly offset: number;
  readonly size: 4 | 8;
}

/** A device request as it arrives at a component. */
export interface DeviceRequest {
  /** Routing ID of the requester, 16 bits. */
  readonly sourceId: number;
  readonly pasid?: number | undefined;
  readonly address: bigint;
  readonly bytes: number;
  readonly access: 'read' | 'write';
  /** The no-snoop attribute is set. */
  readonly noSnoop?: boolean | undefined;
}

/** What happens to one piece of a request. */
export type Effect =
  /** `snooped`: the clause by which the access must be snooped; absent where it need not be. */
  | { readonly kind: 'memory'; readonly address: bigint; readonly snooped?: string }
  | { readonly kind: 'blocked' }
  | { readonly kind: 'interrupt' };

export interface Piece {
  /** Offset of the piece inside the request, and its length, in bytes. */
  readonly offset: number;
  readonly bytes: number;
  readonly effect: Effect;
}

/** A departure from what is admitted, with every identity it goes by (several fields may break one rule at once). */
export interface Deviation {
  readonly identities: readonly FindingIdentity[];
  readonly expected: string;
  readonly observed: string;
}

/** A range of host-physical memory. */
export interface MemoryRange {
  readonly address: bigint;
  readonly bytes: number;
}

/** Memory that a component writes on its own. */
export interface OwnStore {
  readonly address: bigint;
  readonly data: Uint8Array;
  /** The clause that says so. */
  readonly clause: string;
}

/** What is about to happen, as far as it may show what a component did on its own, or race with it. */
export type Occasion =
  /** Memory is read or written; `seen` is what a load showed of it. */
  | { readonly kind: 'memory'; readonly ranges: readonly MemoryRange[]; readonly seen?: SeenBytes }
  | { readonly kind: 'register'; readonly access: RegisterAccess; readonly direction: 'read' | 'write' }
  | { readonly kind: 'request' }
  /** Interrupt messages were observed. */
  | { readonly kind: 'messages' };

export interface SeenBytes {
  readonly address: bigint;
  readonly data: Uint8Array;
}

/** By when interrupt messages must have come out: a register access or a settle may push them. */
export type Pushed = RegisterAccess | 'everything' | undefined;

/** One way on from a state. */
export interface Successor<S> {
  readonly next: S;
  /** Clauses it rests on. */
  readonly clauses: readonly string[];
  readonly evidence: readonly Evidence[];
  readonly labels: readonly string[];
  /** Present when the specification does not admit it. */
  readonly deviation?: Deviation;
  /** Present when the specification leaves the result open from here on, or cannot tell yet. */
  readonly undecided?: { readonly kind: 'undefined' | 'inconclusive'; readonly reason: string };
  /** What the component wrote to memory on the way, in order. */
  readonly stores?: readonly OwnStore[];
}

/** A way in which some of the observed interrupt messages came out of a component; `rest` are the others. */
export interface MessageSuccessor<S> extends Successor<S> {
  readonly rest: readonly InterruptMessage[];
}

export interface RequestSuccessor<S> extends Successor<S> {
  readonly pieces: readonly Piece[];
}

/** Which departures of a request are looked for. */
export interface DepartureSearch {
  /** Host-physical addresses at which the request's bytes were seen afterwards: where it may really have gone. */
  readonly seen: readonly bigint[];
  /** Leaves out what nobody asks for; all departures when absent. */
  readonly wanted?: (deviation: Deviation) => boolean;
  /** Kinds of what is wanted, when they are known: departures of other kinds need not be worked out. */
  readonly kinds?: ReadonlySet<string>;
}

/**
 * The specification of one architecture's component: pure functions from a
 * state and an operation to every way on that is admitted. `S` is immutable.
 */
export interface ComponentModel<S> {
  /** The name that `Component.architecture` carries. */
  readonly architecture: string;
  /** What is wrong with a component of a profile, or `undefined`. */
  check(component: Component, profile: Profile): string | undefined;
  /** What a register address means, or `undefined` when there is no such register. */
  resolve(
    component: Component,
    register: string,
    index: number,
    offset: number,
  ): Omit<RegisterAccess, 'size'> | undefined;
  initial(component: Component, profile: Profile, start: StartState): S;
  /** Equal for states that no later operation can tell apart. */
  key(state: S): string;
  write(state: S, access: RegisterAccess, value: bigint, view: MemoryView): readonly Successor<S>[];
  /** Ways on in which the register reads as `observed` (as anything, when not observed). */
  read(state: S, access: RegisterAccess, observed: bigint | undefined, view: MemoryView): readonly Successor<S>[];
  /** Departures in which the register reads as `observed`. */
  deviantRead(state: S, access: RegisterAccess, observed: bigint, view: MemoryView): readonly Successor<S>[];
  request(state: S, request: DeviceRequest, view: MemoryView): readonly RequestSuccessor<S>[];
  /** Departures for a request. */
  deviantRequest(
    state: S,
    request: DeviceRequest,
    view: MemoryView,
    search: DepartureSearch,
  ): readonly RequestSuccessor<S>[];
  /** Why nothing can be said of the component any more, and so of what it does to memory. */
  unknown(state: S): string | undefined;
  /** A departure that would explain why a store of the component is missing, where one is at hand. */
  missingStore(state: S, view: MemoryView): FindingIdentity | undefined;
  /** Everything in flight comes to rest. */
  settle(state: S, view: MemoryView): readonly Successor<S>[];
  /** Whether the component does nothing on its own from here on, and no message of it is on its way. */
  idle(state: S): boolean;
  /** Memory that the component may write on its own from here on, as long as software asks for nothing else. */
  ownStores(state: S, view: MemoryView): readonly MemoryRange[];
  /** How far the component may have got on its own, as far as the occasion can tell; staying put is among it. */
  advances(state: S, occasion: Occasion, view: MemoryView): readonly Successor<S>[];
  /** Ways in which messages came out by the end of an operation. `undefined`: not observed. */
  messages(state: S, observed: readonly InterruptMessage[] | undefined, pushed: Pushed): readonly MessageSuccessor<S>[];
  /** The departure that the messages show: one is missing, or too many came. */
  deviantMessages(state: S, observed: readonly InterruptMessage[], pushed: Pushed): readonly Successor<S>[];
}
