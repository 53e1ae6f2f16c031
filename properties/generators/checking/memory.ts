/**
 * Memory and translation, for the checks of what generators make. Nothing here uses the plan's own tables of places or
 * its walk: rules are written out again, plainly.
 */

import type { Profile } from '../../../spec/interface/profile.js';
import { paintWord } from '../../../spec/layout/tokens.js';

/** Memory as the stores leave it. */
export class CheckedMemory {
  readonly words = new Map<bigint, bigint>();
  #zeroEnd = 0n;
  #zeroStart = 0n;

  read(address: bigint): bigint {
    const zeroed = address >= this.#zeroStart && address < this.#zeroEnd;
    return this.words.get(address) ?? (zeroed ? 0n : paintWord(address));
  }

  /** One large store of zeros, before anything else. */
  zero(start: bigint, bytes: bigint): void {
    if (this.words.size > 0 || this.#zeroEnd !== 0n) throw new Error('zeros after something else');
    this.#zeroStart = start;
    this.#zeroEnd = start + bytes;
  }
}

/** Where a host-physical address lies. */
export type Where = 'arena' | 'ram' | 'forbidden' | 'interrupt' | 'hole';

/** Where a host-physical address lies. */
export function where(profile: Profile, address: bigint): Where {
  const { base, bytes } = profile.arena;
  if (address >= base && address < base + BigInt(bytes)) return 'arena';
  if (address >> 20n === 0xfeen) return 'interrupt';
  const inside = profile.memory.filter((region) => address >= region.base && address < region.base + region.bytes);
  if (inside.some((region) => region.kind !== 'ram')) return 'forbidden';
  return inside.length > 0 ? 'ram' : 'hole';
}

/** A walk that checks presence only; gives the host-physical address, or `undefined` when something is absent. */
export function walk(
  profile: Profile,
  memory: CheckedMemory,
  root: bigint,
  routingId: number,
  iova: bigint,
): bigint | undefined {
  const readable = (address: bigint): boolean => where(profile, address) === 'arena';
  const rootEntry = root + BigInt(routingId >> 8) * 16n;
  if (!readable(rootEntry) || (memory.read(rootEntry) & 1n) === 0n) return undefined;
  const contextEntry = (memory.read(rootEntry) & ~0xfffn) + BigInt(routingId & 0xff) * 16n;
  if (!readable(contextEntry) || (memory.read(contextEntry) & 1n) === 0n) return undefined;
  const low = memory.read(contextEntry);
  if (((low >> 2n) & 3n) === 2n) return iova;
  const aw = memory.read(contextEntry + 8n) & 7n;
  if (aw < 1n || aw > 3n || iova >> (30n + 9n * aw) !== 0n) return undefined;
  let table = low & ~0xfffn;
  for (let shift = 30n + 9n * aw - 9n; ; shift -= 9n) {
    const entryAddress = table + ((iova >> shift) & 511n) * 8n;
    if (!readable(entryAddress)) return undefined;
    const entry = memory.read(entryAddress);
    if ((entry & 3n) === 0n) return undefined;
    const target = entry & 0xf_ffff_ffff_f000n;
    const offset = (1n << shift) - 1n;
    if (shift === 12n || (shift <= 30n && (entry & 0x80n) !== 0n)) return (target & ~offset) | (iova & offset);
    table = target;
  }
}
