import { entry128, isSet } from '../../bits.js';
import { gather } from '../../gather.js';
import type { Evidence } from '../../interface/judgement.js';
import type { Reading, Version } from '../../interface/model.js';
import { CONTEXT_ENTRY, FAULT } from '../../layout/vtd.js';
import type { Capabilities } from '../capabilities.js';
import { condition } from '../conditions.js';
import {
  type ContextEntry,
  contextEntry,
  contextEntryAddress,
  describeContextEntry,
  domainOf,
  faultProcessingDisabled,
} from '../context-entry.js';
import { EntryEvidence } from '../evidence.js';
import { describeRootEntry, rootEntry, rootEntryAddress } from '../root-entry.js';
import type { FormerPointer, Invalidation, VtdState } from '../state.js';
import { isCurrent, type Past } from './past.js';
import { coversContext } from './scope.js';

/** The specification cannot say what was read. */
type Undecided = { readonly kind: 'undecided'; readonly reason: string };

/** What the unit may take a requester's root and context entry for, and from when to when. */
export interface LiveContext {
  readonly sourceId: number;
  readonly entry: ContextEntry | Undecided;
  /** FPD of the context entry, if one was read. */
  readonly fpd: boolean;
  /** First and last tick at which it was live. */
  readonly from: number;
  readonly until: number;
  /** The invalidations without which it would be live still. */
  readonly endedBy: readonly Invalidation[];
  /** Entries on the way that memory, or the latched pointer, does not hold any more. */
  readonly stale: readonly string[];
  readonly clauses: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** A root entry of a bus as it was found, and in which time. */
export interface FoundRoot {
  readonly entry: LiveContext['entry'] | { readonly kind: 'table'; readonly contextTable: bigint };
  readonly from: number;
  readonly until: number;
  readonly stale: readonly string[];
  readonly evidence: Evidence;
}

/** Whether it is live at the request itself. */
export function isLive(context: LiveContext, { now }: Past): boolean {
  return context.until >= now;
}

/** Whose contexts are looked for. */
interface Lookup {
  readonly state: VtdState;
  readonly past: Past;
  readonly sourceId: number;
  readonly domain: number | undefined;
}

/**
 * Every context that a requester had or has (caching-rule lines 2, 3 and 13).
 *
 * 1. The root entry was read at t0 through the pointer latched then, the context entry at t1 ≥ t0.
 * 2. It is live from t1 until a context-cache invalidation that covers it is complete, unless t1, and for a global
 *    one t0, are later than the begin of that.
 * 3. An entry that faults is never remembered with CM=0 (facts 7.2): it counts only as it reads now. The root entry
 *    above a faulting context entry may be old. With CM=1 it may be remembered, tagged with domain-id 0 (VTD-CACHE-002).
 *
 * @param roots the root entries of the requester's bus
 * @param domain when given, only context entries with this domain-id are looked for
 */
export function contextsOf(
  state: VtdState,
  sourceId: number,
  past: Past,
  roots: readonly FoundRoot[],
  domain?: number,
): readonly LiveContext[] {
  const lookup = { state, past, sourceId, domain };
  return gather(roots, (root) =>
    root.entry.kind === 'table' ? throughRoot(lookup, root, root.entry.contextTable) : atRoot(lookup, root, root.entry),
  );
}

/** Whether a version can have been read since, and is not one that is never remembered: not present, and replaced. */
function matters(version: Version, from: number, state: VtdState, past: Past): boolean {
  if (from >= version.until || version.until <= past.since) return false;
  if (isCurrent(version, past) || state.caps.cachingMode) return true;
  return version.readings.some((reading) => reading.kind !== 'words' || ((reading.words[0] ?? 0n) & 1n) !== 0n);
}

/** The pointers that were latched, the one in use, and one that is being latched. VTD-GCMD-010. */
function pointersOf({ root, pending, formerRoots }: VtdState): readonly FormerPointer[] {
  const pointers = [...formerRoots];
  for (const each of [root, pending.setRoot]) {
    if (each === undefined) continue;
    const { table, mode, ioPermissions, since } = each;
    pointers.push({ table, mode, ioPermissions, since, until: Infinity });
  }
  return pointers;
}

/** Step 1: the root entries of a requester's bus that were or are in use. */
export function rootsOf(state: VtdState, sourceId: number, past: Past): readonly FoundRoot[] {
  const roots: FoundRoot[] = [];
  for (const pointer of pointersOf(state)) {
    if (pointer.mode !== 0) continue;
    const address = rootEntryAddress(pointer.table, sourceId);
    for (const version of past.versions('root', address)) {
      const from = Math.max(version.since, pointer.since);
      const until = Math.min(version.until, pointer.until);
      if (until <= past.since || from >= until || !matters(version, from, state, past)) continue;
      const stale = until > past.now ? [] : [pointer.until < Infinity ? 'root pointer' : 'root-entry'];
      for (const reading of version.readings) {
        const evidence = show('root entry', reading, address, describeRootEntry);
        roots.push({ entry: decodeRoot(reading, state.caps), from, until, stale, evidence });
      }
    }
  }
  return roots;
}

/** A root entry that is a fault, or that nothing can be said of. */
function atRoot(lookup: Lookup, root: FoundRoot, entry: LiveContext['entry']): readonly LiveContext[] {
  if (lookup.domain !== undefined) return [];
  const { from, until, stale } = root;
  const found = { entry, fpd: false, from, stale, clauses: [], evidence: [root.evidence] };
  return inItsTime(lookup, found, { tag: 0, root: until, entry: until });
}

function decodeRoot(reading: Reading, caps: Capabilities): FoundRoot['entry'] {
  if (reading.kind === 'undecided') return reading;
  if (reading.kind === 'unreadable') {
    const unreadable = condition(FAULT.ROOT_UNREADABLE, 'VTD-ROOT-006', 'unreadable root entry');
    return { kind: 'fault', conditions: [unreadable] };
  }
  const entry = rootEntry(entry128(reading.words), caps);
  return entry.kind === 'fault' ? { kind: 'fault', conditions: [entry.condition] } : entry;
}

/** Step 1 below a root entry. 9h unreadable (VTD-CTX-010), then what the entry says. */
function throughRoot(lookup: Lookup, root: FoundRoot, contextTable: bigint): readonly LiveContext[] {
  const { state, sourceId, past, domain } = lookup;
  const address = contextEntryAddress(contextTable, sourceId);
  const contexts: LiveContext[] = [];
  for (const version of past.versions('context', address)) {
    const from = Math.max(root.from, version.since);
    if (!matters(version, from, state, past)) continue;
    const stale = isCurrent(version, past) ? root.stale : [...root.stale, 'context-entry'];
    for (const reading of version.readings) {
      const word = reading.kind === 'words' ? entry128(reading.words) : undefined;
      if (word !== undefined && domain !== undefined && domainOf(word) !== domain) continue;
      const evidence = [root.evidence, show('context entry', reading, address, describeContextEntry)];
      const entry = decodeContext(reading, word, state.caps);
      const fpd = word !== undefined && faultProcessingDisabled(word);
      const clauses = word === undefined ? [] : entryClauses(word);
      const times = { tag: 'domain' in entry ? entry.domain : 0, root: root.until, entry: version.until };
      contexts.push(...inItsTime(lookup, { from, stale, evidence, entry, fpd, clauses }, times));
    }
  }
  return contexts;
}

function decodeContext(reading: Reading, word: bigint | undefined, caps: Capabilities): LiveContext['entry'] {
  if (word !== undefined) return contextEntry(word, caps);
  return reading.kind === 'undecided' ? reading : UNREADABLE_CONTEXT;
}

const UNREADABLE_CONTEXT: ContextEntry = {
  kind: 'fault',
  conditions: [condition(FAULT.CONTEXT_UNREADABLE, 'VTD-CTX-010', 'unreadable context entry')],
};

/** Until when the root entry and the last entry read could be read, and the domain-id that a cache knows them by. */
interface Times {
  readonly tag: number;
  readonly root: number;
  readonly entry: number;
}

/** Steps 2 and 3. */
function inItsTime(
  { state, sourceId, past }: Lookup,
  found: Omit<LiveContext, 'sourceId' | 'until' | 'endedBy'>,
  times: Times,
): readonly LiveContext[] {
  const replaced = times.entry < Infinity || times.root < Infinity;
  const endedBy = replaced ? state.invalidations.filter((each) => ends(each, sourceId, times)) : [];
  const over = endedBy.reduce((first, { completed = Infinity }) => Math.min(first, completed), Infinity);
  const { entry, fpd, stale, clauses, evidence } = found;
  const isEntry = entry.kind === 'second-stage' || entry.kind === 'pass-through';
  const remembered = isEntry || (entry.kind === 'fault' && state.caps.cachingMode);
  if (!remembered && (times.entry <= past.now || over < past.now)) return [];
  const from = remembered ? found.from : past.now;
  const until = remembered ? over : past.now;
  return [{ sourceId, entry, fpd, from, until, endedBy, stale, clauses, evidence }];
}

/** Whether an invalidation covers it, and it cannot have been read after that was asked for. */
function ends(each: Invalidation, sourceId: number, times: Times): boolean {
  if (each.cache !== 'context') return false;
  const tooEarly = each.submitted >= times.entry || (each.granularity === 1 && each.submitted >= times.root);
  return tooEarly && coversContext(each, sourceId, times.tag);
}

/** Clauses of the two entries that a request went through. VTD-CTX-004: bits 70:67 never fault. */
function entryClauses(entry: bigint): readonly string[] {
  const available = isSet(entry, CONTEXT_ENTRY.fields.AVAIL) ? ['VTD-CTX-004'] : [];
  return ['VTD-ROOT-001', 'VTD-CTX-001', ...available];
}

function show(what: string, reading: Reading, address: bigint, describe: (entry: bigint) => string): Evidence {
  if (reading.kind !== 'words') return { what, address, reading: reading.kind };
  return new EntryEvidence(what, address, reading.words, (words) => describe(entry128(words)));
}
