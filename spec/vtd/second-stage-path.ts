import type { Evidence } from '../interface/judgement.js';
import type { Past } from './caching/past.js';
import type { Window } from './caching/window.js';
import type { Capabilities } from './capabilities.js';
import type { FaultCondition } from './conditions.js';
import type { Level, Rights } from './second-stage-entry.js';
import type { Needed } from './second-stage-rights.js';

/** Where a walk through the second stage may start, and how far it got. */

/** A table that walks may start from: that of a requester's context. */
export interface WalkStart {
  readonly table: bigint;
  readonly levels: number;
  /** First and last tick at which that context was live. */
  readonly from: number;
  readonly until: number;
  /** It is the context that the request itself is under, live at the request. */
  readonly own: boolean;
}

/** A request on its way through the second stage. */
export interface Walker {
  /** Input address. */
  readonly address: bigint;
  readonly needed: Needed;
  readonly window: Window;
  /** Last tick at which the requester's own context was live. */
  readonly ownUntil: number;
  readonly caps: Capabilities;
  readonly past: Past;
  /** Receives the caching clauses that left something out. */
  readonly decided: Set<string>;
}

/** The walk so far. */
export interface Walk {
  readonly start: WalkStart;
  readonly level: Level;
  readonly table: bigint;
  readonly rights: Rights;
  /** The permission condition met on the way, if one was: it may be reported at once or at the end (N10). */
  readonly missing: FaultCondition | undefined;
  /** Earliest tick at which everything so far can have been read, with the window and without it. */
  readonly at: number;
  readonly linked: number;
  readonly stale: readonly string[];
  readonly clauses: readonly string[];
  readonly evidence: readonly Evidence[];
}

/** The walk with parts of it changed. Written out, so that all walks are built alike: one is made for every entry. */
export function walkWith(walk: Walk, change: Partial<Walk>): Walk {
  return {
    start: change.start ?? walk.start,
    level: change.level ?? walk.level,
    table: change.table ?? walk.table,
    rights: change.rights ?? walk.rights,
    missing: 'missing' in change ? change.missing : walk.missing,
    at: change.at ?? walk.at,
    linked: change.linked ?? walk.linked,
    stale: change.stale ?? walk.stale,
    clauses: change.clauses ?? walk.clauses,
    evidence: change.evidence ?? walk.evidence,
  };
}

/** Whether two walks reached the same table with the same rights. */
export function sameTable(a: Walk, b: Walk): boolean {
  return (
    a.table === b.table &&
    a.rights.read === b.rights.read &&
    a.rights.write === b.rights.write &&
    a.missing?.causes.join() === b.missing?.causes.join()
  );
}

/** Two ways to the same table, as one. */
export function earlier(a: Walk, b: Walk): Walk {
  const shown = b.stale.length < a.stale.length ? b : a;
  const start = a.start.own ? a.start : b.start;
  return walkWith(shown, { start, at: Math.min(a.at, b.at), linked: Math.min(a.linked, b.linked) });
}

/** Whether it is at the table that it started from. */
export const isTop = (walk: Walk): boolean => walk.level === walk.start.levels;
