import type { DmaOperation } from '../../../spec/interface/operations.js';
import { EDUS, SLOT_BYTES, SLOTS } from './platform.js';

/**
 * Position of a requester in the profile.
 * @throws Error when there is none of that name
 */
export function requesterPosition(id: string, at: number): number {
  const position = EDUS.findIndex((edu) => edu.id === id);
  if (position < 0) {
    throw new Error(`operation ${at}: no requester "${id}" (there are ${EDUS.map((edu) => edu.id).join(', ')})`);
  }
  return position;
}

/** @throws Error when the request is beyond the limits that the profile states */
export function checkDma({ pasid, bytes, token, address }: DmaOperation, at: number): void {
  if (pasid !== undefined) {
    throw new Error(`operation ${at}: requesters of the QEMU target send no PASID`);
  }
  if (!Number.isInteger(bytes) || bytes < 1 || bytes > SLOT_BYTES) {
    throw new Error(`operation ${at}: a request of ${bytes} bytes; the QEMU target does 1 to ${SLOT_BYTES}`);
  }
  if (!Number.isInteger(token) || token < 0 || token >= SLOTS) {
    throw new Error(`operation ${at}: token ${token}; the QEMU target has 0 to ${SLOTS - 1}`);
  }
  if (BigInt.asUintN(64, address) !== address) {
    throw new Error(`operation ${at}: address ${address} is not a 64-bit unsigned number`);
  }
}
