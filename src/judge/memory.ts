import type { MemoryView, Reading, Version } from '../../spec/interface/model.js';
import type { Profile } from '../../spec/interface/profile.js';

/** A store that became visible at a tick. Addresses are host-physical bytes, below 2^52, so plain numbers hold them. */
interface Write {
  readonly address: number;
  readonly data: Uint8Array;
  readonly tick: number;
  /** The clause by which a component wrote it on its own. */
  readonly clause?: string;
}

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

  /** What a range holds at the start: paint in the arena, zero in other RAM; `undefined` elsewhere. */
  initial(address: number, bytes: number): Uint8Array | undefined {
    const start = address - this.arenaBase;
    if (start >= 0 && address + bytes <= this.arenaEnd) return this.paint.slice(start, start + bytes);
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

/**
 * Memory as an append-only log of stores over the painted arena. Immutable:
 * `store` gives a new log that shares the old one's entries.
 */
export class MemoryLog {
  private constructor(
    private readonly map: AddressMap,
    private readonly writes: Write[],
    private readonly length: number,
    /** Equal only for the same log. */
    readonly id: string,
  ) {}

  static painted(map: AddressMap): MemoryLog {
    return new MemoryLog(map, [], 0, '');
  }

  /** `name` tells this store from any other that could follow the same log. */
  store(address: number, data: Uint8Array, tick: number, name: string, clause?: string): MemoryLog {
    const writes = this.writes.length === this.length ? this.writes : this.writes.slice(0, this.length);
    writes.push({ address, data, tick, ...(clause === undefined ? {} : { clause }) });
    return new MemoryLog(this.map, writes, this.length + 1, `${this.id}/${tick}${name}`);
  }

  /** The clause by which a component wrote a byte last, if one did. */
  clauseAt(address: number): string | undefined {
    for (let at = this.length - 1; at >= 0; at--) {
      if (overlaps(this.writes[at]!, address, 1)) return this.writes[at]!.clause;
    }
    return undefined;
  }

  /** Bytes of a range now; `undefined` where they are not in RAM that scenarios may use. */
  bytes(address: number, bytes: number): Uint8Array | undefined {
    const data = this.map.initial(address, bytes);
    if (data === undefined) return undefined;
    for (let at = 0; at < this.length; at++) overlay(data, address, this.writes[at]!);
    return data;
  }

  /** The log as the specification sees it at tick `now`. */
  view(now: number): MemoryView {
    return {
      now,
      readings: (address, bytes) => this.readings(Number(address), bytes),
      versions: (address, bytes, since) => this.versions(Number(address), bytes, since),
    };
  }

  private readings(address: number, bytes: number): readonly Reading[] {
    const place = this.map.placeOf(address);
    if (place === 'hole') return holeReadings(bytes);
    if (place === 'device') return [{ kind: 'undecided', reason: 'an entry lies in a device region' }];
    if (place === 'reserved') return [{ kind: 'undecided', reason: 'an entry lies in memory of the target' }];
    return [readingOf(this.bytes(address, bytes))];
  }

  private versions(address: number, bytes: number, since: number): readonly Version[] {
    let current = this.map.initial(address, bytes);
    if (current === undefined) return [{ reading: this.readings(address, bytes)[0]!, since: -1 }];
    const found: Version[] = [];
    let from = -1;
    for (let at = 0; at < this.length; at++) {
      const write = this.writes[at]!;
      if (!overlaps(write, address, bytes)) continue;
      const next: Uint8Array = current.slice();
      overlay(next, address, write);
      if (Buffer.compare(next, current) === 0) continue;
      if (write.tick > since) found.push({ reading: readingOf(current), since: from });
      current = next;
      from = write.tick;
    }
    return [...found, { reading: readingOf(current), since: from }];
  }
}

/** Facts 3.1: a read that no memory answers is an access error, or gives ones or zeros where the platform ends it so ([i]). */
function holeReadings(bytes: number): readonly Reading[] {
  const words = bytes / 8;
  return [
    { kind: 'unreadable' },
    { kind: 'words', words: Array.from({ length: words }, () => 0xffff_ffff_ffff_ffffn) },
    { kind: 'words', words: Array.from({ length: words }, () => 0n) },
  ];
}

function readingOf(bytes: Uint8Array | undefined): Reading {
  if (bytes === undefined) return { kind: 'undecided', reason: 'an entry lies in memory whose content is not known' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    kind: 'words',
    words: Array.from({ length: bytes.length / 8 }, (_, word) => view.getBigUint64(word * 8, true)),
  };
}

function overlaps(write: Write, address: number, bytes: number): boolean {
  return write.address < address + bytes && write.address + write.data.length > address;
}

/** Puts the part of a write that falls into a range over it. */
function overlay(range: Uint8Array, address: number, write: Write): void {
  if (!overlaps(write, address, range.length)) return;
  const from = Math.max(address, write.address);
  const to = Math.min(address + range.length, write.address + write.data.length);
  range.set(write.data.subarray(from - write.address, to - write.address), from - address);
}
