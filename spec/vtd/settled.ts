import { entry128 } from '../bits.js';
import type { MemoryView, Reading, Version } from '../interface/model.js';
import { CONTEXT_ENTRY, ROOT_ENTRY, SECOND_STAGE_ENTRY } from '../layout/vtd.js';
import { contextEntry, contextEntryAddress, domainOf } from './context-entry.js';
import { rootEntry, rootEntryAddress } from './root-entry.js';
import type { ReadEntry } from './second-stage-walk.js';
import type { Invalidation, LatchedPointer, VtdState } from './state.js';

/**
 * What may be remembered, first part: nothing is, where every entry on the way
 * is settled. An entry is settled when no version of it that a cache may hold was current after the last
 * global context-cache invalidation that a global IOTLB invalidation followed, both observed complete
 * (VTD-CACHE-004, VTD-CACHE-013). A not-present version is never remembered when CM=0 (VTD-CACHE-001).
 * What is not settled is left undecided; the full rule takes the place of this file.
 */

type Kind = 'root' | 'context' | 'second-stage';

const BYTES: Readonly<Record<Kind, number>> = {
  root: ROOT_ENTRY.bytes,
  context: CONTEXT_ENTRY.bytes,
  'second-stage': SECOND_STAGE_ENTRY.bytes,
};

/** Tick since which nothing older can be remembered: the submission of the last complete pair, or -1. */
export function settledSince(invalidations: readonly Invalidation[]): number {
  for (let at = invalidations.length - 1; at >= 0; at--) {
    const context = invalidations[at]!;
    if (context.cache !== 'context' || context.granularity !== 1) continue;
    const follows = (each: Invalidation): boolean =>
      each.cache === 'iotlb' && each.granularity === 1 && isAfter(each, context);
    if (invalidations.some(follows)) return context.submitted;
  }
  return -1;
}

/**
 * Whether an IOTLB invalidation came after a context-cache invalidation: it was submitted when that was
 * complete, or queued behind it (VTD-QI-016).
 */
function isAfter(iotlb: Invalidation, context: Invalidation): boolean {
  if (iotlb.order !== undefined && context.order !== undefined) return context.order < iotlb.order;
  return (context.completed ?? Infinity) <= iotlb.submitted;
}

/** A reader for one walk, and the caching clauses that what it read so far rests on. */
export interface SettledReader {
  readonly read: ReadEntry;
  readonly clauses: () => readonly string[];
}

/** A reader for one walk from the latched root pointer: entries as they are now, or `undecided`. */
export function settledReader(state: VtdState, root: LatchedPointer, view: MemoryView): SettledReader {
  const flushed = settledSince(state.invalidations);
  // VTD-GCMD-009: with ESRTPS=1 nothing cached from the old tables is used once RTPS is set.
  const since = state.caps.setRootFlushes ? Math.max(flushed, root.since) : flushed;
  if (since < root.since) {
    // VTD-GCMD-010, N52: until the global invalidations complete, old or new tables may be used.
    const read: ReadEntry = () => [{ kind: 'undecided', reason: 'no complete global invalidation since SRTP' }];
    return { read, clauses: () => [] };
  }
  const clauses = new Set<string>(since > flushed && root.since >= 0 ? ['VTD-GCMD-009'] : []);
  // A table's words count from the moment the entry above pointed to it: what they held before is never used.
  let linked = Math.max(since, root.since);
  const read: ReadEntry = (kind, address) => {
    if (address < 0n) return [{ kind: 'words', words: [0n, 0n] }];
    const versions = view.versions(address, BYTES[kind], linked);
    const older = versions.slice(0, -1).find((version) => mayBeRemembered(kind, version, state));
    if (older !== undefined) {
      return [{ kind: 'undecided', reason: `${kind} entry changed since the last complete invalidation` }];
    }
    const current = versions.at(-1)?.since ?? -1;
    if (versions.length > 1) clauses.add('VTD-CACHE-001');
    else if (current > root.since && current <= since)
      clauses.add(kind === 'context' ? 'VTD-CACHE-013' : 'VTD-CACHE-004');
    linked = Math.max(linked, current);
    return view.readings(address, BYTES[kind]);
  };
  return { read, clauses: () => [...clauses] };
}

/** Whether a cache may hold a version: with CM=0 only one that was present. Facts 7.2. */
function mayBeRemembered(kind: Kind, version: Version, state: VtdState): boolean {
  if (version.reading.kind !== 'words') return true;
  if (state.caps.cachingMode) return true;
  return present(kind, version.reading.words[0] ?? 0n);
}

function present(kind: Kind, word: bigint): boolean {
  return kind === 'second-stage' ? (word & 3n) !== 0n : (word & 1n) !== 0n;
}

/**
 * Why a request cannot be decided although its own entries are settled: another requester's
 * context uses the same domain-id with another table, so paging-structure caches may mix (N53, VTD-CACHE-009).
 */
export function sharedDomain(
  state: VtdState,
  root: LatchedPointer,
  sourceId: number,
  others: readonly number[],
  view: MemoryView,
): string | undefined {
  const since = settledSince(state.invalidations);
  if (root.table < 0n) return undefined;
  const own = contextsOf(state, root, sourceId, view, since);
  if (own.length === 0) return undefined;
  const domains = new Map(own.map((context) => [context.domain, context.table]));
  for (const other of others) {
    if (other === sourceId) continue;
    for (const context of contextsOf(state, root, other, view, since)) {
      const table = domains.get(context.domain);
      if (table !== undefined && table !== context.table)
        return `domain-id ${context.domain} is shared by two tables (N53)`;
    }
  }
  return undefined;
}

/** Domain and table of every second-stage context that a requester had since a tick. */
function contextsOf(
  state: VtdState,
  root: LatchedPointer,
  sourceId: number,
  view: MemoryView,
  since: number,
): readonly { readonly domain: number; readonly table: string }[] {
  const from = Math.max(since, root.since);
  return words(view.versions(rootEntryAddress(root.table, sourceId), ROOT_ENTRY.bytes, from)).flatMap((rootWord) => {
    const entry = rootEntry(rootWord.entry, state.caps);
    if (entry.kind === 'fault') return [];
    const address = contextEntryAddress(entry.contextTable, sourceId);
    const linked = Math.max(from, rootWord.since);
    return words(view.versions(address, CONTEXT_ENTRY.bytes, linked)).flatMap((word) => {
      const context = contextEntry(word.entry, state.caps);
      if (context.kind !== 'second-stage') return [];
      return [{ domain: domainOf(word.entry), table: `${context.table}/${context.levels}` }];
    });
  });
}

function words(versions: readonly Version[]): readonly { readonly entry: bigint; readonly since: number }[] {
  return versions.flatMap(({ reading, since }) =>
    reading.kind === 'words' ? [{ entry: entry128((reading satisfies Reading).words), since }] : [],
  );
}
