import { gather } from '../gather.js';
import type { MemoryView } from '../interface/model.js';
import { FAULT, INTERRUPT_RANGE } from '../layout/vtd.js';
import { contextsOf, type FoundRoot, isLive, type LiveContext, rootsOf } from './caching/live-contexts.js';
import { cachingNotes } from './caching/notes.js';
import { type Past, pastOf } from './caching/past.js';
import { endingClauses, type Window, wasLiveIn, windowOf } from './caching/window.js';
import type { Capabilities } from './capabilities.js';
import { condition, type FaultCondition } from './conditions.js';
import type { ContextEntry } from './context-entry.js';
import { distinct, type Outcome, type PageRequest, withoutFpd } from './outcome.js';
import type { WalkStart } from './second-stage-path.js';
import type { Needed } from './second-stage-rights.js';
import { secondStageWalk, type Translation } from './second-stage-walk.js';
import { type RootPointer, stateWith, type VtdState } from './state.js';

/** What the rules need to know beside state and request. */
export interface RequestContext {
  readonly view: MemoryView;
  /** Routing IDs of every requester of the unit. */
  readonly requesters: readonly number[];
}

/** A request in legacy mode, with what the unit may remember. */
interface Remapping {
  readonly request: PageRequest;
  readonly state: VtdState;
  readonly past: Past;
  /** Every context that the requester had or has. */
  readonly contexts: readonly LiveContext[];
  /** By domain-id of these: every requester's contexts that share it. */
  readonly sharers: ReadonlyMap<number, readonly LiveContext[]>;
  /** Caching clauses that left something out. */
  readonly decided: Set<string>;
}

/**
 * The flow of an untranslated request without PASID with TES=1. Facts 5.7.
 *
 * 1. Step 3: an address in FEEx is not translated.
 * 2. Step 4: the latched pointer; while SRTP is on its way, the old or the new one (N52).
 * 3. Steps 6 to 15: root entry, context entry, second stage, each as it is or as it may be remembered.
 */
export function translateRequest(
  request: PageRequest,
  state: VtdState,
  { view, requesters }: RequestContext,
): readonly Outcome[] {
  if (request.address >= INTERRUPT_RANGE.first && request.address <= INTERRUPT_RANGE.last) {
    return [interruptRange(request)];
  }
  const pointers = [state.root, state.pending.setRoot].filter((each) => each !== undefined);
  const refusals = pointers.map((pointer) => pointerRefusal(pointer, state.caps));
  const refused = refusals.filter((each) => each !== undefined).map(withoutFpd);
  if (pointers.every((pointer) => pointer.mode !== 0 || pointer.ioPermissions)) return refused;
  const past = pastOf(state, view);
  const roots = rootsOf(state, request.sourceId, past);
  const contexts = contextsOf(state, request.sourceId, past, roots);
  const decided = new Set(leftWithRootPointer(state, request.sourceId, view));
  const sharers = sharersOf(contexts, { state, past, requesters, sourceId: request.sourceId, roots });
  const remapping = { request, state, past, contexts, sharers, decided };
  const outcomes = distinct(throughStructures(remapping));
  const caching = cachingNotes(state, decided, outcomes);
  return [...refused, ...(caching === undefined ? outcomes : outcomes.map((each) => ({ ...each, caching })))];
}

/** VTD-GCMD-009: a context that was under an older root pointer went with it. */
function leftWithRootPointer(state: VtdState, sourceId: number, view: MemoryView): readonly string[] {
  if (!state.caps.setRootFlushes || state.formerRoots.length === 0) return [];
  const without = stateWith(state, {
    invalidations: state.invalidations.filter(({ impliedBy }) => impliedBy === undefined),
  });
  const past = pastOf(without, view);
  const kept = contextsOf(without, sourceId, past, rootsOf(without, sourceId, past));
  const left = kept.some(({ entry, stale }) => entry.kind === 'second-stage' && stale.includes('root pointer'));
  return left ? ['VTD-GCMD-009'] : [];
}

/**
 * VTD-IAR-001, VTD-IAR-002: an aligned DWORD write to FEEx is an interrupt request;
 * any other write and any read of data is blocked with 29h. VTD-IAR-003: a zero-length read succeeds. Facts 4.10, 5.7 step 3.
 */
export function interruptRange(request: PageRequest): Outcome {
  if (isZeroLengthRead(request)) {
    const { address } = request;
    const evidence = [{ what: 'request', address, reading: 'zero-length read of FEEx' }];
    const clauses = ['VTD-IAR-003'];
    return withoutFpd({ kind: 'translated', address, clauses, labels: ['zero-length'], evidence, stale: [] });
  }
  const isInterrupt = request.access === 'write' && request.bytes === 4 && (request.address & 3n) === 0n;
  if (isInterrupt) return { kind: 'interrupt', clauses: ['VTD-IAR-001'], evidence: [], faultProcessingDisabled: false };
  const cause = request.access === 'read' ? 'read of FEEx' : 'write to FEEx that is no DWORD write';
  const evidence = [
    { what: 'request', address: request.address, reading: `${request.access} of ${request.bytes} bytes in FEEx` },
  ];
  return withoutFpd({
    kind: 'blocked',
    conditions: [condition(FAULT.INTERRUPT_RANGE_REQUEST, 'VTD-IAR-002', cause)],
    evidence,
    stale: [],
  });
}

/** VTD-GCMD-018, VTD-GCMD-019, VTD-CTX-014: the latched TTM and SSIRWE. Facts 2.3, 5.3. */
function pointerRefusal(pointer: RootPointer, caps: Capabilities): Translation | undefined {
  const evidence = [
    {
      what: 'latched root pointer',
      address: pointer.table,
      reading: `TTM=${pointer.mode.toString(2).padStart(2, '0')}b`,
    },
  ];
  const refuse = (reason: number, clause: string, cause: string): Translation => ({
    kind: 'blocked',
    conditions: [condition(reason, clause, cause)],
    evidence,
    stale: [],
  });
  if (pointer.mode === 3 && caps.abortMode) return refuse(FAULT.ABORT_MODE, 'VTD-GCMD-019', 'RTADDR.TTM=3');
  if (pointer.mode === 1 && caps.scalableMode) {
    return { kind: 'undecided', reason: 'scalable mode is not specified yet', evidence };
  }
  if (pointer.mode !== 0) {
    return refuse(FAULT.ROOT_POINTER_INVALID, 'VTD-GCMD-018', `RTADDR.TTM=${pointer.mode}`);
  }
  if (pointer.ioPermissions) return refuse(FAULT.ROOT_POINTER_INVALID, 'VTD-CTX-014', 'RTADDR.SSIRWE=1');
  return undefined;
}

/**
 * Steps 6 and 7 for every context that the requester has or had, then what each of them says. A fault of the root or
 * context entry ends it; caching-rule lines 7 and 13.
 */
function throughStructures(remapping: Remapping): readonly Outcome[] {
  const { past, contexts } = remapping;
  const current = new Set(contexts.filter((each) => isLive(each, past)).map((each) => each.fpd));
  return gather(contexts, (context): readonly Outcome[] => {
    const { entry, evidence, fpd } = context;
    if (entry.kind === 'undecided') return [withoutFpd({ ...entry, evidence })];
    const ends = entry.kind === 'fault' ? faulted(context, entry, past) : throughContext(remapping, context, entry);
    // An FPD may be remembered with its context, or be looked up where a remembered translation refuses ([i]).
    const flags = isLive(context, past) ? [fpd] : [...new Set([fpd, ...current])];
    return gather(ends, (end) => flags.map((faultProcessingDisabled) => under(context, end, faultProcessingDisabled)));
  });
}

/** An end with what the request met on the way to it. */
function under(context: LiveContext, end: Translation, faultProcessingDisabled: boolean): Outcome {
  const evidence = [...context.evidence, ...end.evidence];
  if (end.kind === 'undecided') return { ...end, evidence, faultProcessingDisabled };
  const stale = [...context.stale, ...end.stale];
  if (end.kind === 'blocked') {
    return { kind: 'blocked', conditions: end.conditions, evidence, stale, faultProcessingDisabled };
  }
  const { address, labels, forcedSnoop } = end;
  const clauses = [...context.clauses, ...end.clauses];
  return { kind: 'translated', address, clauses, labels, evidence, stale, forcedSnoop, faultProcessingDisabled };
}

function faulted(
  context: LiveContext,
  { conditions }: ContextEntry & { kind: 'fault' },
  past: Past,
): readonly Translation[] {
  return isLive(context, past) ? [{ kind: 'blocked', conditions, evidence: [], stale: [] }] : [];
}

/** Steps 8 to 15: pass-through, or the input width and the second-stage walk. */
function throughContext(
  remapping: Remapping,
  context: LiveContext,
  entry: Exclude<ContextEntry, { kind: 'fault' }>,
): readonly Translation[] {
  const { request, state, past, decided } = remapping;
  const { caps } = state;
  const window = windowOf(state, entry.domain, request.address >> 12n);
  if (!wasLiveIn(context, window.leaves, window)) {
    for (const clause of endingClauses(context, window.leaves, window)) decided.add(clause);
    return [];
  }
  const live = isLive(context, past);
  if (entry.kind === 'pass-through') return passThrough(request, entry, caps, live);
  const bits = Math.min(caps.guestAddressWidth, entry.bits);
  if (request.address >> BigInt(bits) !== 0n) {
    // VTD-SS-003: an input above 2^min(MGAW,AGAW)-1.
    const beyond = condition(
      FAULT.ADDRESS_BEYOND_WIDTH,
      'VTD-SS-003',
      bits < entry.bits ? 'input above MGAW' : 'input above AGAW',
    );
    return live ? [{ kind: 'blocked', conditions: [beyond], evidence: [], stale: [] }] : [];
  }
  const needed = isZeroLengthRead(request) ? (caps.zeroLengthRead ? 'either' : 'read') : request.access;
  const walker = { address: request.address, needed, window, ownUntil: context.until, caps, past, decided } as const;
  const ends = secondStageWalk(startsOf(remapping, context, entry.domain, window), walker);
  return isZeroLengthRead(request) ? ends.map((each) => zeroLength(each, needed)) : ends;
}

/**
 * Tables that the walk may start from. Caching-rule line 8: paging-structure caches belong to the domain-id, so
 * the top entry may have been read through any requester's context with that domain-id (N53).
 */
function startsOf(
  { past, sharers }: Remapping,
  own: LiveContext,
  domain: number,
  window: Window,
): readonly WalkStart[] {
  return gather(sharers.get(domain) ?? [], (context): readonly WalkStart[] => {
    const { entry, from, until } = context;
    if (entry.kind !== 'second-stage' || !wasLiveIn(context, window.tables, window)) return [];
    return [{ table: entry.table, levels: entry.levels, from, until, own: context === own && isLive(own, past) }];
  });
}

/** A requester with the root entries of its bus, and who else there is. */
interface Neighbours {
  readonly state: VtdState;
  readonly past: Past;
  readonly requesters: readonly number[];
  readonly sourceId: number;
  readonly roots: readonly FoundRoot[];
}

/** By domain-id of a requester's contexts, every requester's contexts with that domain-id and a second stage. */
function sharersOf(contexts: readonly LiveContext[], neighbours: Neighbours): Remapping['sharers'] {
  const { state, past, requesters, sourceId } = neighbours;
  const found = new Map<number, LiveContext[]>();
  for (const context of contexts) {
    if (context.entry.kind !== 'second-stage') continue;
    const own = found.get(context.entry.domain);
    if (own === undefined) found.set(context.entry.domain, [context]);
    else own.push(context);
  }
  if (found.size === 0) return found;
  // Requesters of one bus share its root entries.
  const rootsOn = new Map([[sourceId >> 8, neighbours.roots]]);
  for (const other of requesters) {
    if (other === sourceId) continue;
    const roots = rootsOn.get(other >> 8) ?? rootsOf(state, other, past);
    rootsOn.set(other >> 8, roots);
    for (const [domain, all] of found) all.push(...contextsOf(state, other, past, roots, domain));
  }
  return found;
}

/** A read of no bytes; what it returns is not defined (N40). */
function isZeroLengthRead(request: PageRequest): boolean {
  return request.access === 'read' && request.bytes === 0;
}

/**
 * A zero-length read. Facts 4.9.
 *
 * 1. VTD-ZLR-002: with ZLR=0 it needs read permission like any read.
 * 2. VTD-ZLR-001: with ZLR=1 write permission is enough; VTD-ZLR-003: other faults stay.
 */
function zeroLength(end: Translation, needed: Needed): Translation {
  if (end.kind === 'undecided') return end;
  if (end.kind === 'translated') {
    return end.clauses.includes('VTD-ZLR-001') ? { ...end, labels: [...end.labels, 'zero-length'] } : end;
  }
  const conditions = end.conditions.map((each) => {
    const lacks = each.reason === FAULT.NO_READ_PERMISSION;
    if (needed === 'read') return lacks ? { ...each, clause: 'VTD-ZLR-002' } : each;
    return lacks ? each : { ...each, clause: 'VTD-ZLR-003' };
  });
  return { ...end, conditions };
}

/**
 * VTD-CTX-009: output = input, no page table is read. VTD-PT-002: an input of 2^HAW or above is 4h.
 * VTD-CTX-015 (N16): some contexts may be refused as well.
 *
 * @param live whether the context is live at the request, and not only remembered with the translation
 */
function passThrough(
  request: PageRequest,
  context: ContextEntry & { kind: 'pass-through' },
  caps: Capabilities,
  live: boolean,
): readonly Translation[] {
  const refusal = (conditions: readonly FaultCondition[]): readonly Translation[] =>
    live && conditions.length > 0 ? [{ kind: 'blocked', conditions, evidence: [], stale: [] }] : [];
  if (request.address >> BigInt(caps.hostAddressWidth) !== 0n) {
    const beyond = condition(FAULT.ADDRESS_BEYOND_WIDTH, 'VTD-PT-002', 'pass-through input above HAW');
    return refusal([beyond, ...context.mayFault]);
  }
  const clauses = [context.mayFault.length > 0 ? 'VTD-CTX-015' : 'VTD-CTX-009'];
  const { address } = request;
  return [
    { kind: 'translated', address, clauses, labels: ['pass-through'], evidence: [], stale: [], forcedSnoop: false },
    ...refusal(context.mayFault),
  ];
}
