import { hex } from '../bits.js';
import type { Evidence } from '../interface/judgement.js';
import type { Reading } from '../interface/model.js';
import { FAULT, INTERRUPT_RANGE } from '../layout/vtd.js';
import type { Capabilities } from './capabilities.js';
import { condition, type FaultCondition } from './conditions.js';
import {
  describeSecondStageEntry,
  LEVEL_NAMES,
  type Level,
  type SecondStageEntry,
  secondStageEntry,
  secondStageEntryAddress,
  usesIgnoredBits,
} from './second-stage-entry.js';

export type Access = 'read' | 'write';

/** Reads an entry; a set, since a read of no memory may end in several ways. */
export type ReadEntry = (kind: 'root' | 'context' | 'second-stage', address: bigint) => readonly Reading[];

/** One admissible end of the translation of one page of a request. */
export type Translation =
  | {
      readonly kind: 'translated';
      readonly address: bigint;
      readonly clauses: readonly string[];
      readonly labels: readonly string[];
      readonly evidence: readonly Evidence[];
      /** Whether the access is snooped whatever its attribute says; absent where no rule speaks of snooping. */
      readonly forcedSnoop?: boolean;
    }
  /** Any one of the conditions may be reported. */
  | { readonly kind: 'blocked'; readonly conditions: readonly FaultCondition[]; readonly evidence: readonly Evidence[] }
  | { readonly kind: 'undecided'; readonly reason: string; readonly evidence: readonly Evidence[] };

/** The walk so far. */
interface Walk {
  readonly address: bigint;
  readonly access: Access;
  readonly top: Level;
  readonly level: Level;
  readonly table: bigint;
  /** The permission condition met on the way, if one was: it may be reported at once or at the end (N10). */
  readonly missing: FaultCondition | undefined;
  readonly clauses: readonly string[];
  readonly evidence: readonly Evidence[];
}

/**
 * VTD-SS-001: walks from SSPTPTR, 3 levels for AW 001b, 4 for 010b, 5 for 011b. Facts 4.4, 5.7 steps 12, 14, 15.
 *
 * @param table SSPTPTR, a byte address
 */
export function secondStageWalk(
  address: bigint,
  access: Access,
  table: bigint,
  levels: number,
  caps: Capabilities,
  read: ReadEntry,
): readonly Translation[] {
  const top = levels as Level;
  return step(
    { address, access, top, level: top, table, missing: undefined, clauses: ['VTD-SS-001'], evidence: [] },
    caps,
    read,
  );
}

/** One level of the walk: read the entry, then what it says. */
function step(walk: Walk, caps: Capabilities, read: ReadEntry): readonly Translation[] {
  const entryAddress = secondStageEntryAddress(walk.table, walk.level, walk.address);
  return read('second-stage', entryAddress).flatMap((reading): readonly Translation[] => {
    const evidence = [...walk.evidence, show(reading, walk.level, entryAddress)];
    if (reading.kind === 'undecided') return [{ kind: 'undecided', reason: reading.reason, evidence }];
    if (reading.kind === 'unreadable') return [blocked({ ...walk, evidence }, unreadable(walk))];
    const word = reading.words[0] ?? 0n;
    const clauses = usesIgnoredBits(word) ? [...walk.clauses, 'VTD-SS-018'] : walk.clauses;
    return follow({ ...walk, clauses, evidence }, secondStageEntry(word, walk.level, caps), caps, read);
  });
}

/** What follows from an entry. Facts 5.7 step 12. */
function follow(walk: Walk, entry: SecondStageEntry, caps: Capabilities, read: ReadEntry): readonly Translation[] {
  if (entry.kind === 'not-present') return [blocked(walk, notPresent(walk, entry.garbage))];
  const missing = walk.missing ?? lacking(walk, entry.rights);
  if (entry.kind === 'reserved') {
    const causes = entry.broken.map((bit) => bit.field);
    const clause = entry.broken[0]?.clause ?? 'VTD-SS-010';
    return [blocked({ ...walk, missing }, condition(FAULT.PAGING_ENTRY_RESERVED, clause, ...causes))];
  }
  if (entry.kind === 'table') {
    return step({ ...walk, missing, level: (walk.level - 1) as Level, table: entry.address }, caps, read);
  }
  return [output({ ...walk, missing }, entry)];
}

/**
 * The end of the walk. VTD-SS-024: output = leaf frame plus the offset bits of the input.
 * VTD-IAR-005, VTD-IAR-006: an output address in FEEx is blocked, whatever else the page holds.
 */
function output(walk: Walk, leaf: SecondStageEntry & { kind: 'leaf' }): Translation {
  const { address: frame, pageBits } = leaf;
  const address = frame | (walk.address & ((1n << BigInt(pageBits)) - 1n));
  const inRange = address >= INTERRUPT_RANGE.first && address <= INTERRUPT_RANGE.last;
  if (inRange) return blocked(walk, condition(FAULT.OUTPUT_IN_INTERRUPT_RANGE, 'VTD-IAR-005', 'output in FEEx'));
  if (walk.missing !== undefined) return blocked(walk);
  const overlaps = frame <= INTERRUPT_RANGE.last && frame + (1n << BigInt(pageBits)) > INTERRUPT_RANGE.first;
  return {
    kind: 'translated',
    address,
    clauses: [...walk.clauses, ...granted(walk.access, pageBits), ...(overlaps ? ['VTD-IAR-006'] : [])],
    labels: [`page:${{ 12: '4K', 21: '2M', 30: '1G' }[pageBits]}`, `levels:${walk.top}`],
    evidence: [...walk.evidence, { what: 'output', address, reading: `leaf frame ${hex(frame)}` }],
    forcedSnoop: leaf.snoop,
  };
}

/** Clauses that a successful walk rests on. */
function granted(access: Access, pageBits: number): readonly string[] {
  const size = pageBits === 21 ? ['VTD-SS-012'] : pageBits === 30 ? ['VTD-SS-013'] : [];
  return ['VTD-SS-002', access === 'read' ? 'VTD-SS-004' : 'VTD-SS-005', 'VTD-SS-024', ...size];
}

/** Any of the given conditions, or the permission that was already missing (N10). */
function blocked(walk: Walk, ...conditions: readonly FaultCondition[]): Translation {
  const all = walk.missing === undefined ? conditions : [...conditions, walk.missing];
  return { kind: 'blocked', conditions: all, evidence: walk.evidence };
}

/** VTD-SS-019: an unreadable table is 3h at the top level and 7h below. */
function unreadable(walk: Walk): FaultCondition {
  const reason = walk.level === walk.top ? FAULT.CONTEXT_INVALID : FAULT.PAGING_ENTRY_UNREADABLE;
  return condition(
    reason,
    'VTD-SS-019',
    `unreadable ${LEVEL_NAMES[walk.level]}${walk.level === walk.top ? ' (top)' : ''}`,
  );
}

/** VTD-SS-007, VTD-SS-011: R=W=0 is lack of permission, whatever the other bits hold: 5h for a write, 6h for a read. */
function notPresent(walk: Walk, garbage: boolean): FaultCondition {
  return permission(walk.access, garbage ? 'VTD-SS-011' : 'VTD-SS-007', `${LEVEL_NAMES[walk.level]} with R=W=0`);
}

/** VTD-SS-004, VTD-SS-005: the needed permission must be in every entry. */
function lacking(walk: Walk, rights: { readonly read: boolean; readonly write: boolean }): FaultCondition | undefined {
  if (walk.access === 'read' ? rights.read : rights.write) return undefined;
  return walk.access === 'read'
    ? permission('read', 'VTD-SS-004', `${LEVEL_NAMES[walk.level]}.R=0`)
    : permission('write', 'VTD-SS-005', `${LEVEL_NAMES[walk.level]}.W=0`);
}

function permission(access: Access, clause: string, cause: string): FaultCondition {
  return condition(access === 'read' ? FAULT.NO_READ_PERMISSION : FAULT.NO_WRITE_PERMISSION, clause, cause);
}

function show(reading: Reading, level: Level, address: bigint): Evidence {
  const what = `second-stage ${LEVEL_NAMES[level]}`;
  if (reading.kind !== 'words') return { what, address, reading: reading.kind };
  return { what, address, words: reading.words, reading: describeSecondStageEntry(reading.words[0] ?? 0n) };
}
