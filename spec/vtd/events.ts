import { hex } from '../bits.js';
import type { FindingIdentity } from '../interface/judgement.js';
import type { MessageSuccessor, Pushed, RegisterAccess, Successor } from '../interface/model.js';
import type { InterruptMessage } from '../interface/observations.js';
import {
  type CompletionState,
  type EventMessage,
  type FaultState,
  faultsWith,
  mapFaults,
  stateWith,
  type VtdState,
} from './state.js';

/** Which registers hold an event's message. */
type Event = 'FE' | 'IE';

/**
 * The message that an event would send now: its address and data registers. Facts 6.4.
 * VTD-FREC-017, VTD-WAIT-008: it is not remapped, whatever IRES says.
 */
export function eventMessage(state: VtdState, event: Event): EventMessage {
  const { stored } = state;
  const upper = stored[`${event}UADDR`] ?? 0n;
  const address = (stored[`${event}ADDR`] ?? 0n) & 0xffff_fffcn;
  const data = (stored[`${event}DATA`] ?? 0n) & 0xffffn;
  // Other encodings have no defined effect; without EIM the upper register may not exist.
  const defined = address >> 20n === 0xfeen && (address & 0xff0n) === 0n && data >> 9n === 0n;
  if (!defined || (upper !== 0n && !state.caps.extendedInterrupts)) return undefined;
  return { address: (upper << 32n) | address, data };
}

/**
 * VTD-WAIT-002, VTD-WAIT-003: a wait with IF=1 completed. With IWC=1 nothing more; otherwise IWC and IP are set, and
 * with IM=0 the message goes out. Facts 7.9.
 */
export function raiseCompletion(state: VtdState): VtdState {
  const { completion } = state;
  if (completion.complete) return state;
  const raised = { ...completion, complete: true };
  const next = completion.interruptMask
    ? { ...raised, interruptPending: true }
    : { ...raised, owed: [...completion.owed, eventMessage(state, 'IE')] };
  return stateWith(state, { completion: next });
}

/** VTD-REG-009, VTD-WAIT-004: IWC clears on writing 1, and IP with it; a message that is still held may go too (N23). */
export function clearCompletion(state: VtdState): readonly VtdState[] {
  const quiet: CompletionState = { ...state.completion, complete: false, interruptPending: false };
  const dropped = quiet.owed.length === 0 ? [] : [stateWith(state, { completion: { ...quiet, owed: [] } })];
  return [stateWith(state, { completion: quiet }), ...dropped];
}

/** VTD-WAIT-004: clearing IECTL.IM with IP=1 sends one message and clears IP. */
export function setCompletionMask(state: VtdState, mask: boolean): readonly VtdState[] {
  const { interruptPending, owed } = state.completion;
  const set: CompletionState = { ...state.completion, interruptMask: mask };
  if (!mask && interruptPending) {
    const sent = { ...set, interruptPending: false, owed: [...owed, eventMessage(state, 'IE')] };
    return [stateWith(state, { completion: sent })];
  }
  const held =
    mask && owed.length > 0 ? [stateWith(state, { completion: { ...set, owed: [], interruptPending: true } })] : [];
  return [stateWith(state, { completion: set }), ...held];
}

/** A message register was rewritten: what is on its way may be old, new or torn (facts 6.4, [i]). */
export function tearMessages(state: VtdState, event: Event): VtdState {
  const torn = (owed: readonly EventMessage[]): readonly EventMessage[] => owed.map(() => undefined);
  if (event === 'IE') {
    return state.completion.owed.length === 0
      ? state
      : stateWith(state, { completion: { ...state.completion, owed: torn(state.completion.owed) } });
  }
  if (state.faults.every((faults) => faults.owed.length === 0)) return state;
  return mapFaults(state, (faults) => faultsWith(faults, { owed: torn(faults.owed) }));
}

/** Whether a message was sent that nobody has seen yet. */
export function messagesOnTheirWay(state: VtdState): boolean {
  return state.completion.owed.length > 0 || state.faults.some((faults) => faults.owed.length > 0);
}

/** Forgets what is on its way, where nobody can tell whether it arrived. */
function unobserved(state: VtdState): VtdState {
  if (!messagesOnTheirWay(state)) return state;
  const quiet = mapFaults(state, (faults) => (faults.owed.length === 0 ? faults : faultsWith(faults, { owed: [] })));
  return stateWith(quiet, { completion: { ...state.completion, owed: [] } });
}

/** Whether a register access pushes an event's messages (facts 6.3, 7.9). */
function pushes(pushed: Pushed, event: Event): boolean {
  if (pushed === undefined) return false;
  if (pushed === 'everything') return true;
  const registers = event === 'FE' ? ['FSTS', 'FECTL'] : ['ICS', 'IECTL'];
  return registers.includes((pushed satisfies RegisterAccess).register);
}

const fits = (owed: EventMessage, seen: InterruptMessage): boolean =>
  owed === undefined || (owed.address === seen.address && owed.data === seen.data);

/** Whether a message must still come; one whose encoding or content is open need not. */
const isDue = (owed: readonly EventMessage[]): boolean => owed.some((message) => message !== undefined);

/** Messages left of what is owed and of what was seen. */
interface Left {
  readonly owed: readonly EventMessage[];
  readonly rest: readonly InterruptMessage[];
}

/** Takes the seen messages that are owed, in order. */
function take(owed: readonly EventMessage[], seen: readonly InterruptMessage[]): Left {
  let left = owed;
  const rest = seen.filter((message) => {
    const at = left.findIndex((each) => fits(each, message));
    if (at < 0) return true;
    left = left.filter((_, index) => index !== at);
    return false;
  });
  return { owed: left, rest };
}

/**
 * Ways in which the messages of an operation came out of the unit: due ones may be late (N23), but a status read
 * pushes them. VTD-FREC-013, VTD-FREC-015, VTD-WAIT-002, VTD-WAIT-004. Which event a message belongs to may be open.
 */
export function messageWays<S extends VtdState>(
  state: S,
  observed: readonly InterruptMessage[] | undefined,
  pushed: Pushed,
): readonly MessageSuccessor<S>[] {
  if (observed === undefined) return [successor(unobserved(state) as S, [], [])];
  if (state.unknown !== undefined) return [successor(state, [], [])];
  if (!messagesOnTheirWay(state)) return [successor(state, observed, [])];
  const byRest = new Map<
    string,
    { faults: FaultState[]; owed: readonly EventMessage[]; rest: readonly InterruptMessage[] }
  >();
  for (const faults of state.faults) {
    for (const order of ['FE', 'IE'] as const) {
      const first = take(order === 'FE' ? faults.owed : state.completion.owed, observed);
      const second = take(order === 'FE' ? state.completion.owed : faults.owed, first.rest);
      const [fault, completion] = order === 'FE' ? [first, second] : [second, first];
      if (pushes(pushed, 'FE') && isDue(fault.owed)) continue;
      if (pushes(pushed, 'IE') && isDue(completion.owed)) continue;
      const key = `${completion.owed.length}:${second.rest.map((each) => `${each.address},${each.data}`).join(';')}`;
      const group = byRest.get(key) ?? { faults: [], owed: completion.owed, rest: second.rest };
      group.faults.push(faultsWith(faults, { owed: fault.owed }));
      byRest.set(key, group);
    }
  }
  return [...byRest.values()].map(({ faults, owed, rest }) => {
    const next = stateWith(
      mapFaults(stateWith(state, { faults }), (each) => each),
      { completion: { ...state.completion, owed } },
    ) as S;
    return successor(next, rest, rest.length === observed.length ? [] : seenClauses(state));
  });
}

/** The rules that a due message which came has confirmed. */
function seenClauses({ faults, completion, interrupts }: VtdState): readonly string[] {
  const fault = faults.some(({ owed }) => owed.length > 0) ? ['VTD-FREC-013', 'VTD-FREC-017'] : [];
  const wait = completion.owed.length > 0 ? ['VTD-WAIT-002', 'VTD-WAIT-008'] : [];
  const clauses = [...fault, ...wait];
  return interrupts ? clauses : clauses.filter((clause) => clause !== 'VTD-FREC-017' && clause !== 'VTD-WAIT-008');
}

function successor<S>(next: S, rest: readonly InterruptMessage[], clauses: readonly string[]): MessageSuccessor<S> {
  return { next, rest, clauses, evidence: [], labels: clauses.length > 0 ? ['event message'] : [] };
}

/** A due message did not come although it was pushed, or one came that is not due. The unit goes on with nothing on its way. */
export function deviantMessageWays<S extends VtdState>(
  state: S,
  observed: readonly InterruptMessage[],
  pushed: Pushed,
): readonly Successor<S>[] {
  if (state.unknown !== undefined) return [];
  const [faults] = state.faults;
  const fault = take(faults?.owed ?? [], observed);
  const completion = take(state.completion.owed, fault.rest);
  const identities: FindingIdentity[] = [];
  const missing = (clause: string, name: string): void => {
    identities.push({ clause, kind: 'message-missing', discriminator: `${name} event: message→none` });
  };
  if (isDue(fault.owed) && pushes(pushed, 'FE')) missing('VTD-FREC-013', 'fault');
  if (isDue(completion.owed) && pushes(pushed, 'IE')) missing('VTD-WAIT-002', 'completion');
  const [extra] = completion.rest;
  if (extra !== undefined) identities.push(unexpected(state, extra));
  if (identities.length === 0) return [];
  const next = unobserved(state) as S;
  const list = (messages: readonly EventMessage[]): string =>
    messages.map((each) => (each ? `${hex(each.address)}=${hex(each.data)}` : 'torn')).join(', ') || 'none';
  const expected = list([...(faults?.owed ?? []), ...state.completion.owed]);
  return [
    {
      next,
      clauses: [],
      evidence: [{ what: 'event messages', reading: `due ${expected}; observed ${list(observed)}` }],
      labels: [],
      deviation: { identities, expected, observed: list(observed) },
    },
  ];
}

/** VTD-FREC-014, VTD-WAIT-003: a message beyond those that are due. */
function unexpected(state: VtdState, message: InterruptMessage): FindingIdentity {
  const kind = 'message-unexpected';
  if (fits(eventMessage(state, 'FE'), message)) {
    return { clause: 'VTD-FREC-014', kind, discriminator: 'fault event: none→message' };
  }
  if (fits(eventMessage(state, 'IE'), message)) {
    return { clause: 'VTD-WAIT-003', kind, discriminator: 'completion event: none→message' };
  }
  return { clause: 'PLAT-DMA-001', kind, discriminator: 'unit: none→a message of nobody' };
}
