import type { MemoryView, Version } from '../../interface/model.js';
import { CONTEXT_ENTRY, ROOT_ENTRY, SECOND_STAGE_ENTRY } from '../../layout/vtd.js';
import type { BufferFlush, VtdState } from '../state.js';
import { forgottenBefore } from './completed.js';

/** The entries that a walk reads. */
export type EntryKind = 'root' | 'context' | 'second-stage';

const BYTES: Readonly<Record<EntryKind, number>> = {
  root: ROOT_ENTRY.bytes,
  context: CONTEXT_ENTRY.bytes,
  'second-stage': SECOND_STAGE_ENTRY.bytes,
};

/** What the unit could find in memory, then and now. */
export interface Past {
  /** Tick of the request under judgement. */
  readonly now: number;
  /** Tick before which nothing that any cache holds was read. */
  readonly since: number;
  /** Versions of an entry, oldest first, each with the time in which the unit could read it. */
  readonly versions: (kind: EntryKind, address: bigint) => readonly Version[];
}

/** Whether an entry may read so now. */
export function isCurrent(version: Version, { now }: Past): boolean {
  return version.until > now;
}

/**
 * What a unit could read. Memory of tables is what stores made it; with RWBF=1 a store may stay unseen until a flush
 * of the write buffer that was asked for after it is complete (VTD-INV-020).
 */
export function pastOf(state: VtdState, view: MemoryView): Past {
  const { now } = view;
  const since = forgottenBefore(state.invalidations);
  const seen = (kind: EntryKind, address: bigint): readonly Version[] =>
    address < 0n ? nothingPresent(kind) : view.versions(address, BYTES[kind]);
  if (!state.caps.writeBufferFlush) return { now, since, versions: seen };
  const versions = (kind: EntryKind, address: bigint): readonly Version[] =>
    seen(kind, address).map((version) => ({ ...version, until: seenUntil(version, state.bufferFlushes) }));
  return { now, since, versions };
}

/** Until when a replaced entry may read as before. */
function seenUntil({ until }: Version, flushes: readonly BufferFlush[]): number {
  if (until === Infinity) return until;
  const completed = flushes.filter((flush) => flush.submitted >= until).map((flush) => flush.completed);
  return Math.min(Infinity, ...completed);
}

/** The table of the ready state, which lies outside memory that scenarios know. */
function nothingPresent(kind: EntryKind): readonly Version[] {
  const words = kind === 'second-stage' ? [0n] : [0n, 0n];
  return [{ readings: [{ kind: 'words', words }], since: -1, until: Infinity }];
}
