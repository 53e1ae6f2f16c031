import { MSI } from '../layout/msi.js';

/** What software has put into a function's MSI capability. */
export interface MsiState {
  readonly enabled: boolean;
  /** 64 bits. */
  readonly address: bigint;
  /** 16 bits. */
  readonly data: bigint;
}

/** A message as a function sends it: a memory write of one dword, its upper 16 bits 0. */
export interface MsiMessage {
  readonly address: bigint;
  readonly data: bigint;
}

/** PCI-MSI-002. After a reset MSI is disabled. */
export const MSI_AFTER_RESET: MsiState = { enabled: false, address: 0n, data: 0n };

/** Byte `at` of the capability, as far as software sets it. */
function written(state: MsiState, at: number, byte: bigint): MsiState {
  const into = (word: bigint, place: number): bigint =>
    (word & ~(0xffn << BigInt(8 * place))) | (byte << BigInt(8 * place));
  if (at === MSI.control) return { ...state, enabled: ((byte >> BigInt(MSI.enable)) & 1n) === 1n };
  // Bits 1:0 of the address are 0: a message is a dword.
  if (at >= MSI.address && at < MSI.data) return { ...state, address: into(state.address, at - MSI.address) & ~3n };
  if (at >= MSI.data && at < MSI.bytes) return { ...state, data: into(state.data, at - MSI.data) };
  return state;
}

/**
 * PCI-MSI-002. Software writes `size` bytes at `offset` of the capability: enable is bit 0 of Message Control,
 * address and data take what is written.
 */
export function msiWritten(state: MsiState, offset: number, size: number, value: bigint): MsiState {
  let next = state;
  for (let n = 0; n < size; n++) next = written(next, offset + n, (value >> BigInt(8 * n)) & 0xffn);
  return next;
}

/**
 * PCI-MSI-001. An interrupt of a function with MSI enabled is one write of the programmed data to the programmed
 * address; with MSI disabled no message is sent.
 */
export function messageOf({ enabled, address, data }: MsiState): MsiMessage | undefined {
  return enabled ? { address, data } : undefined;
}
