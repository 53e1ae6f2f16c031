import type { DmaOperation } from '../interface/operations.js';
import type { Verdict } from '../interface/software.js';
import { tokenByte } from '../layout/tokens.js';
import { holdersOf } from './assignment.js';
import { breaking, type HypervisorState, onward } from './state.js';

/** The write that a dword of memory names: the position of its requester and its token; `undefined`: it names none. */
function writerOf(bytes: Uint8Array): { readonly position: number; readonly token: number } | undefined {
  const [piece = 0, zero, token = 0, head = 0] = bytes;
  const position = head & 0xf;
  const [first, , , last] = [0, 1, 2, 3].map((index) => tokenByte(position, token, index));
  return head === last && zero === 0 && piece >= first! && piece < first! + 16 ? { position, token } : undefined;
}

/**
 * HV-ISO-003. What a function reads of its VM's memory is zero, or was written by a function while it was the same VM's:
 * nothing that another VM, or the host, left there.
 */
export function foreignBytes(
  state: HypervisorState,
  { requester, address }: DmaOperation,
  data: Uint8Array,
): Verdict<HypervisorState> {
  const readers = holdersOf(state, requester);
  if (address % 4n !== 0n) return onward(state);
  for (let at = 0; at + 4 <= data.length; at += 4) {
    const bytes = data.subarray(at, at + 4);
    if (bytes.every((byte) => byte === 0)) continue;
    const writer = writerOf(bytes);
    const name = writer === undefined ? undefined : state.profile.requesters[writer.position]?.id;
    const writers = writer === undefined ? undefined : state.writers[`${name}/${writer.token}`];
    if (writers?.some((vm) => vm !== undefined && readers.includes(vm)) === true) continue;
    const whose = writers === undefined ? 'bytes of the host' : 'bytes of another VM';
    const shown = `${hexOf(bytes)}${name === undefined ? '' : `, a write of ${name}`}`;
    return breaking(state, 'HV-ISO-003', `read: ${whose}`, 'zero, or what the VM itself wrote', shown);
  }
  return onward(state, 'HV-ISO-003');
}

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
