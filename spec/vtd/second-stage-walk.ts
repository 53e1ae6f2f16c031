import { hex } from '../bits.js';
import type { Evidence } from '../interface/judgement.js';
import type { Reading, Version } from '../interface/model.js';
import { FAULT, INTERRUPT_RANGE } from '../layout/vtd.js';
import { isCurrent } from './caching/past.js';
import { clauseOf } from './caching/scope.js';
import { condition, type FaultCondition } from './conditions.js';
import { EntryEvidence } from './evidence.js';
import {
  describeSecondStageEntry,
  LEVEL_NAMES,
  type Level,
  type Rights,
  type SecondStageEntry,
  secondStageEntry,
  secondStageEntryAddress,
  usesIgnoredBits,
} from './second-stage-entry.js';
import { earlier, isTop, sameTable, type Walk, type Walker, type WalkStart, walkWith } from './second-stage-path.js';
import { granted, lacking, type Needed, notPresent, unreadable } from './second-stage-rights.js';
import type { Invalidation } from './state.js';

/** One admissible end of the translation of one page of a request. */
export type Translation =
  | {
      readonly kind: 'translated';
      readonly address: bigint;
      readonly clauses: readonly string[];
      readonly labels: readonly string[];
      readonly evidence: readonly Evidence[];
      /** Entries it rests on that memory does not hold any more. */
      readonly stale: readonly string[];
      /** Whether the access is snooped whatever its attribute says; absent where no rule speaks of snooping. */
      readonly forcedSnoop?: boolean | undefined;
    }
  /** Any one of the conditions may be reported. */
  | {
      readonly kind: 'blocked';
      readonly conditions: readonly FaultCondition[];
      readonly evidence: readonly Evidence[];
      readonly stale: readonly string[];
    }
  | { readonly kind: 'undecided'; readonly reason: string; readonly evidence: readonly Evidence[] };

/** What one entry leads to. */
interface Steps {
  readonly walks: readonly Walk[];
  readonly ends: readonly Translation[];
}

/**
 * VTD-SS-001: walks from SSPTPTR, 3 levels for AW 001b, 4 for 010b, 5 for 011b. Facts 4.4, 5.7 steps 12, 14, 15.
 * VTD-CACHE-009, caching-rule lines 8 to 12: each entry was read at some time since the last covering invalidation and
 * not before the one above it; walks that reach a table with the same rights are one, and the earliest counts.
 */
export function secondStageWalk(starts: readonly WalkStart[], walker: Walker): readonly Translation[] {
  const ends: Translation[] = [];
  const byLevel = new Map<number, Walk[]>();
  const add = (walk: Walk): void => {
    const others = byLevel.get(walk.level) ?? [];
    byLevel.set(walk.level, others);
    const same = others.findIndex((other) => sameTable(other, walk));
    if (same < 0) others.push(walk);
    else others[same] = earlier(others[same]!, walk);
  };
  for (const start of starts) add(startedAt(start, walker));
  for (let level = 5; level >= 1; level--) {
    for (const walk of byLevel.get(level) ?? []) {
      const steps = step(walk, walker);
      ends.push(...steps.ends);
      for (const each of steps.walks) add(each);
    }
  }
  return ends;
}

function startedAt(start: WalkStart, { window }: Walker): Walk {
  return {
    start,
    level: start.levels as Level,
    table: start.table,
    rights: { read: true, write: true },
    missing: undefined,
    at: Math.max(start.from, window.tables),
    linked: start.from,
    stale: [],
    clauses: ['VTD-SS-001'],
    evidence: [],
  };
}

/** One level of the walk: every version of the entry that can have been read, and what it says. */
function step(walk: Walk, walker: Walker): Steps {
  const address = secondStageEntryAddress(walk.table, walk.level, walker.address);
  const walks: Walk[] = [];
  const ends: Translation[] = [];
  for (const version of walker.past.versions('second-stage', address)) {
    const at = Math.max(walk.at, version.since);
    if (at >= version.until || (isTop(walk) && at > walk.start.until)) {
      noteInvalidated(walk, version, walker);
      continue;
    }
    for (const reading of version.readings) {
      const read = walkWith(walk, {
        at,
        linked: Math.max(walk.linked, version.since),
        stale: staleWith(walk, version, walker),
        evidence: [...walk.evidence, show(reading, walk.level, address)],
      });
      const steps = follow(read, version, reading, walker);
      walks.push(...steps.walks);
      ends.push(...steps.ends);
    }
  }
  return { walks, ends };
}

function staleWith(walk: Walk, version: Version, { past }: Walker): readonly string[] {
  return isCurrent(version, past) ? walk.stale : [...walk.stale, LEVEL_NAMES[walk.level]];
}

/** VTD-CACHE-004: an entry that a completed invalidation keeps from being used. */
function noteInvalidated(walk: Walk, version: Version, { window, decided, caps }: Walker): void {
  const [reading] = version.readings;
  if (version.since < 0 || version.until <= walk.linked || reading?.kind !== 'words') return;
  const old = secondStageEntry(reading.words[0] ?? 0n, walk.level, caps);
  if (old.kind !== 'table' && old.kind !== 'leaf') return;
  const by = window.covering.find((each) => each.submitted === window.tables && !each.keepsTables);
  if (by === undefined) return;
  decided.add('VTD-CACHE-004').add(by.impliedBy ?? clauseOf(by));
  if (old.kind === 'leaf' && walk.level > 1) noteLargePage(by, decided);
}

/** VTD-INV-005, VTD-CACHE-007: a large page is gone as a whole, whatever takes its place. */
function noteLargePage(by: Invalidation, decided: Set<string>): void {
  decided.add('VTD-CACHE-007');
  if (by.granularity === 3) decided.add('VTD-INV-005');
}

/** What follows from an entry. Facts 5.7 step 12. */
function follow(walk: Walk, version: Version, reading: Reading, walker: Walker): Steps {
  const { caps } = walker;
  if (reading.kind === 'undecided') {
    return { walks: [], ends: [{ kind: 'undecided', reason: reading.reason, evidence: walk.evidence }] };
  }
  if (reading.kind === 'unreadable') return faulted(walk, version, walker, unreadable(walk.level, isTop(walk)));
  const word = reading.words[0] ?? 0n;
  const entry = secondStageEntry(word, walk.level, caps);
  if (entry.kind === 'not-present')
    return faulted(walk, version, walker, notPresent(walk.level, walker.needed, entry.garbage));
  const found = withRights(walk, word, entry.rights, walker.needed);
  if (entry.kind === 'reserved') {
    const causes = entry.broken.map((bit) => bit.field);
    const clause = entry.broken[0]?.clause ?? 'VTD-SS-010';
    return faulted(found, version, walker, condition(FAULT.PAGING_ENTRY_RESERVED, clause, ...causes));
  }
  if (entry.kind === 'leaf') return leafEnds(found, version, entry, walker);
  // VTD-CACHE-011: IH=1 left it to be walked.
  if (version.until <= walker.window.leaves) walker.decided.add('VTD-CACHE-011');
  const next = walkWith(found, { level: (walk.level - 1) as Level, table: entry.address });
  // Caching-rule line 12 (N10): the missing permission may be reported before the rest is looked at.
  const early = found.missing !== undefined && walker.ownUntil >= walker.past.now ? [blocked(found)] : [];
  return { walks: [next], ends: early };
}

/** The walk with an entry's rights, and the permission that is missing from here on. */
function withRights(walk: Walk, word: bigint, rights: Rights, needed: Needed): Walk {
  const both = { read: walk.rights.read && rights.read, write: walk.rights.write && rights.write };
  return walkWith(walk, {
    rights: both,
    missing: walk.missing ?? lacking(walk.level, both, needed),
    clauses: usesIgnoredBits(word) ? [...walk.clauses, 'VTD-SS-018'] : walk.clauses,
  });
}

/**
 * A fault of an entry. Caching-rule line 11: with CM=0 the entry is read at the request, the top one through the
 * requester's own table (VTD-CACHE-001, VTD-CACHE-005). With CM=1 it may be remembered like a leaf (VTD-CACHE-002).
 */
function faulted(walk: Walk, version: Version, walker: Walker, fault: FaultCondition): Steps {
  const { past, caps, ownUntil, decided } = walker;
  const readNow = isCurrent(version, past) && ownUntil >= past.now && (!isTop(walk) || walk.start.own);
  const remembered = caps.cachingMode && canBeCached(walk, version, walker);
  if (remembered && !isCurrent(version, past)) decided.add('VTD-CACHE-002');
  if (readNow || remembered) return { walks: [], ends: [blocked(walk, fault)] };
  if (version.since >= 0 && !isCurrent(version, past)) {
    decided.add(fault.reason === FAULT.PAGING_ENTRY_RESERVED ? 'VTD-CACHE-005' : 'VTD-CACHE-001');
  }
  return { walks: [], ends: [] };
}

/** Caching-rule line 10: it was read after the last covering invalidation, for a context of the requester's own. */
function canBeCached(walk: Walk, version: Version, { window, ownUntil, past }: Walker): boolean {
  const at = Math.max(walk.at, window.leaves);
  return at < version.until && (ownUntil >= past.now || ownUntil >= at);
}

/** A leaf: present, without reserved bits. One that leaves no right at all is a fault, and so not remembered. */
function leafEnds(
  walk: Walk,
  version: Version,
  entry: SecondStageEntry & { readonly kind: 'leaf' },
  walker: Walker,
): Steps {
  const useless = !walk.rights.read && !walk.rights.write;
  if (useless && walk.missing !== undefined)
    return faulted(walkWith(walk, { missing: undefined }), version, walker, walk.missing);
  if (canBeCached(walk, version, walker)) return { walks: [], ends: [output(walk, entry, walker)] };
  const { window, decided } = walker;
  const by = window.covering.find((each) => each.submitted === window.leaves);
  if (by !== undefined && version.until <= window.leaves) {
    decided.add('VTD-CACHE-004').add(by.impliedBy ?? clauseOf(by));
    if (entry.pageBits > 12) noteLargePage(by, decided);
  }
  return { walks: [], ends: [] };
}

/**
 * The end of the walk. VTD-SS-024: output = leaf frame plus the offset bits of the input.
 * VTD-IAR-005, VTD-IAR-006: an output address in FEEx is blocked, whatever else the page holds.
 */
function output(walk: Walk, leaf: SecondStageEntry & { readonly kind: 'leaf' }, walker: Walker): Translation {
  const { address: frame, pageBits } = leaf;
  const address = frame | (walker.address & ((1n << BigInt(pageBits)) - 1n));
  const inRange = address >= INTERRUPT_RANGE.first && address <= INTERRUPT_RANGE.last;
  if (inRange) return blocked(walk, condition(FAULT.OUTPUT_IN_INTERRUPT_RANGE, 'VTD-IAR-005', 'output in FEEx'));
  if (walk.missing !== undefined) return blocked(walk);
  const overlaps = frame <= INTERRUPT_RANGE.last && frame + (1n << BigInt(pageBits)) > INTERRUPT_RANGE.first;
  return {
    kind: 'translated',
    address,
    clauses: [...walk.clauses, ...granted(walk.rights, walker.needed, pageBits), ...(overlaps ? ['VTD-IAR-006'] : [])],
    labels: [`page:${{ 12: '4K', 21: '2M', 30: '1G' }[pageBits]}`, `levels:${walk.start.levels}`],
    evidence: [...walk.evidence, { what: 'output', address, reading: `leaf frame ${hex(frame)}` }],
    stale: walk.stale,
    forcedSnoop: leaf.snoop,
  };
}

/** Any of the given conditions, or the permission that was already missing (N10). */
function blocked(walk: Walk, ...conditions: readonly FaultCondition[]): Translation {
  const all = walk.missing === undefined ? conditions : [...conditions, walk.missing];
  return { kind: 'blocked', conditions: all, evidence: walk.evidence, stale: walk.stale };
}

function show(reading: Reading, level: Level, address: bigint): Evidence {
  const what = `second-stage ${LEVEL_NAMES[level]}`;
  if (reading.kind !== 'words') return { what, address, reading: reading.kind };
  return new EntryEvidence(what, address, reading.words, ([word = 0n]) => describeSecondStageEntry(word));
}
