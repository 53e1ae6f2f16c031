import { FAULT, SECOND_STAGE_ENTRY } from '../../spec/layout/vtd.js';
import { fieldMask } from './bits.js';
import type { Capabilities } from './capabilities.js';

const READ = fieldMask(SECOND_STAGE_ENTRY.fields.R, 0);
const WRITE = fieldMask(SECOND_STAGE_ENTRY.fields.W, 0);

/** How a device accesses memory. Bit 0 is set for writes. */
export const ACCESS = {
  read: 0,
  /** A write that is no interrupt request: not one aligned DWORD. */
  write: 1,
  zeroLengthRead: 2,
  /** A write of one aligned DWORD. */
  dwordWrite: 3,
} as const;

/** A value of {@link ACCESS}. */
export type Access = (typeof ACCESS)[keyof typeof ACCESS];

/** Two bits for each access, that of {@link ACCESS} 0 lowest: the permissions it needs; none for a zero-length read where ZLR=1. */
export function permissionsNeeded({ zeroLengthReads }: Capabilities): number {
  const needed = [READ, WRITE, zeroLengthReads ? 0 : READ, WRITE];
  return needed.reduce((all, each, access) => all | (each << (2 * access)), 0);
}

/** Whether any permission, whichever, is enough for an access. */
export function needsNothing(access: Access, capabilities: Capabilities): boolean {
  return ((permissionsNeeded(capabilities) >>> (2 * access)) & (READ | WRITE)) === 0;
}

/** Fault reason for an access without the permissions it needs. */
export function refusalOf(access: Access): number {
  return (access & 1) === 0 ? FAULT.NO_READ_PERMISSION : FAULT.NO_WRITE_PERMISSION;
}
