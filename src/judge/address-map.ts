import type { Profile } from '../../spec/interface/profile.js';

/** What lies at a host-physical address. */
export type Place = 'arena' | 'ram' | 'device' | 'reserved' | 'hole';

/** The address map of a profile, and the paint that the arena starts with. */
export class AddressMap {
  readonly arenaBase: number;
  readonly arenaEnd: number;
  readonly paint: Uint8Array;
  private readonly regions: readonly {
    readonly kind: 'ram' | 'device' | 'reserved';
    readonly base: number;
    readonly end: number;
  }[];

  constructor(profile: Profile) {
    this.arenaBase = Number(profile.arena.base);
    this.arenaEnd = this.arenaBase + profile.arena.bytes;
    this.paint = paintBytes(this.arenaBase, profile.arena.bytes);
    // A reserved piece lies inside RAM: it is looked up first.
    this.regions = profile.memory
      .map(({ kind, base, bytes }) => ({ kind, base: Number(base), end: Number(base + bytes) }))
      .sort((a, b) => Number(b.kind !== 'ram') - Number(a.kind !== 'ram'));
  }

  placeOf(address: number): Place {
    if (address >= this.arenaBase && address < this.arenaEnd) return 'arena';
    return this.regions.find(({ base, end }) => address >= base && address < end)?.kind ?? 'hole';
  }

  /** A copy of what a range holds at the start: paint in the arena, zero in other RAM; `undefined` elsewhere. */
  initial(address: number, bytes: number): Uint8Array | undefined {
    return this.atFirst(address, bytes)?.slice();
  }

  /** What a range holds at the start, not to be changed. */
  atFirst(address: number, bytes: number): Uint8Array | undefined {
    const start = address - this.arenaBase;
    if (start >= 0 && address + bytes <= this.arenaEnd) return this.paint.subarray(start, start + bytes);
    return this.placeOf(address) === 'ram' && this.placeOf(address + bytes - 1) === 'ram'
      ? new Uint8Array(bytes)
      : undefined;
  }
}

/** Paint of a range, as layout/tokens defines it, without a bigint per word. */
export function paintBytes(base: number, bytes: number): Uint8Array {
  const words = new Uint32Array(bytes / 4);
  for (let at = 0; at < words.length; at += 2) {
    const number = (base + at * 4) / 8;
    words[at] = 0x5a | ((number & 0xff_ffff) << 8);
    words[at + 1] = 0xa500_0000 | (Math.floor(number / 0x100_0000) & 0xff_ffff);
  }
  return new Uint8Array(words.buffer);
}

/** The bytes of 64-bit words, little-endian, `repeat` times one after the other. */
export function wordBytes(words: readonly bigint[], repeat: number): Uint8Array {
  const all = new BigUint64Array(words.length * repeat);
  // Software mostly clears whole tables.
  if (words.every((word) => word === 0n)) return new Uint8Array(all.buffer);
  for (let index = 0; index < words.length; index++) all[index] = words[index]!;
  for (let copy = 1; copy < repeat; copy++) all.copyWithin(copy * words.length, 0, words.length);
  return new Uint8Array(all.buffer);
}
