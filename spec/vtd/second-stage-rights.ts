import { FAULT } from '../layout/vtd.js';
import { condition, type FaultCondition } from './conditions.js';
import { LEVEL_NAMES, type Level, type Rights } from './second-stage-entry.js';

/** Rights in the second stage, and the faults of its entries. Facts 4.4, 5.4. */

export type Access = 'read' | 'write';

/** The permission that a request needs; `either` for a zero-length read with ZLR=1. Facts 4.9. */
export type Needed = Access | 'either';

/** Clauses that a successful walk rests on. VTD-ZLR-001: write permission is enough for a zero-length read with ZLR=1. */
export function granted(rights: Rights, needed: Needed, pageBits: number): readonly string[] {
  const size = pageBits === 21 ? ['VTD-SS-012'] : pageBits === 30 ? ['VTD-SS-013'] : [];
  const right = needed === 'write' ? 'VTD-SS-005' : rights.read ? 'VTD-SS-004' : 'VTD-ZLR-001';
  return ['VTD-SS-002', right, 'VTD-SS-024', ...size];
}

/** VTD-SS-019: an unreadable table is 3h at the top level and 7h below. */
export function unreadable(level: Level, isTop: boolean): FaultCondition {
  const reason = isTop ? FAULT.CONTEXT_INVALID : FAULT.PAGING_ENTRY_UNREADABLE;
  return condition(reason, 'VTD-SS-019', `unreadable ${LEVEL_NAMES[level]}${isTop ? ' (top)' : ''}`);
}

/** VTD-SS-007, VTD-SS-011: R=W=0 is lack of permission, whatever the other bits hold: 5h for a write, 6h for a read. */
export function notPresent(level: Level, needed: Needed, garbage: boolean): FaultCondition {
  return permission(needed, garbage ? 'VTD-SS-011' : 'VTD-SS-007', `${LEVEL_NAMES[level]} with R=W=0`);
}

/** VTD-SS-004, VTD-SS-005: the needed permission must be in every entry. */
export function lacking(level: Level, rights: Rights, needed: Needed): FaultCondition | undefined {
  const has = needed === 'read' ? rights.read : needed === 'write' ? rights.write : rights.read || rights.write;
  if (has) return undefined;
  return needed === 'write'
    ? permission('write', 'VTD-SS-005', `${LEVEL_NAMES[level]}.W=0`)
    : permission(needed, 'VTD-SS-004', `${LEVEL_NAMES[level]}.R=0`);
}

function permission(needed: Needed, clause: string, cause: string): FaultCondition {
  return condition(needed === 'write' ? FAULT.NO_WRITE_PERMISSION : FAULT.NO_READ_PERMISSION, clause, cause);
}
