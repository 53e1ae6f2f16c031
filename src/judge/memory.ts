import type { MemoryView, Reading, Version } from '../../spec/interface/model.js';
import type { AddressMap } from './address-map.js';

/** A store that became visible at a tick. Addresses are host-physical bytes, below 2^52, so plain numbers hold them. */
interface Write extends StoredBytes {
  readonly tick: number;
  /** Until when what it replaces may be read; `tick` where it took no time. */
  readonly until: number;
  /** Tells it from any other that could be made at the same place of the same log. */
  readonly name: string;
  /** The clause by which a component wrote it on its own. */
  readonly clause?: string;
}

/** The entry at an address as far as a log was looked through. */
interface Looked {
  /** Number of writes looked through. */
  readonly upto: number;
  readonly versions: readonly Version[];
}

/** What logs with a common past share: their stores, and where to find them. */
class SharedLog {
  readonly writes: Write[] = [];
  /** Numbers of the stores that touch a frame. */
  private readonly frames = new Map<number, number[]>();
  private readonly looked = new Map<number, Looked>();

  push(write: Write): void {
    const number = this.writes.push(write) - 1;
    const last = Math.floor((write.address + write.data.length - 1) / FRAME);
    for (let frame = Math.floor(write.address / FRAME); frame <= last; frame++) {
      const numbers = this.frames.get(frame);
      if (numbers === undefined) this.frames.set(frame, [number]);
      else numbers.push(number);
    }
  }

  /** A copy of the first stores, to go on apart. */
  fork(length: number): SharedLog {
    const fork = new SharedLog();
    for (let at = 0; at < length; at++) fork.push(this.writes[at]!);
    return fork;
  }

  /** Numbers of the stores that touch the frame of an address, oldest first. */
  touching(address: number): readonly number[] {
    return this.frames.get(Math.floor(address / FRAME)) ?? [];
  }

  /** Every version of an entry in the first `length` stores. */
  versions(address: number, bytes: number, length: number, initial: () => Uint8Array): readonly Version[] {
    const key = address * 2 + (bytes === 16 ? 1 : 0);
    const known = this.looked.get(key);
    if (known !== undefined && known.upto === length) return known.versions;
    const usable = known !== undefined && known.upto < length ? known : undefined;
    const versions = this.lookOn(address, bytes, length, usable, initial);
    if (known === undefined || known.upto < length) this.looked.set(key, { upto: length, versions });
    return versions;
  }

  private lookOn(
    address: number,
    bytes: number,
    length: number,
    known: Looked | undefined,
    initial: () => Uint8Array,
  ): readonly Version[] {
    const first = known?.upto ?? 0;
    let versions: Version[] | undefined;
    let current: readonly bigint[] | undefined;
    for (const number of this.touching(address)) {
      if (number < first) continue;
      if (number >= length) break;
      const write = this.writes[number]!;
      if (!overlaps(write, address, bytes)) continue;
      versions ??= known === undefined ? [versionOf(wordsIn(initial(), 0, bytes), -1)] : [...known.versions];
      current ??= wordsOf(versions.at(-1)!);
      const next = wordsAfter(current, address, write);
      if (next.every((word, index) => word === current![index])) continue;
      const replaced = versions.at(-1)!;
      versions[versions.length - 1] = { readings: replaced.readings, since: replaced.since, until: write.until };
      versions.push(versionOf(next, write.tick));
      current = next;
    }
    return versions ?? known?.versions ?? [versionOf(wordsIn(initial(), 0, bytes), -1)];
  }
}

/**
 * Memory as an append-only log of stores over the painted arena. Immutable:
 * `store` gives a new log that shares the old one's entries.
 */
export class MemoryLog {
  private constructor(
    private readonly map: AddressMap,
    private readonly log: SharedLog,
    private readonly length: number,
    /** Numbers given so far to logs with this one's beginning, by the log before and the store. */
    private readonly ids: Map<string, number>,
    /** Equal only for the same log, among those with a common beginning. */
    readonly id: number,
  ) {}

  static painted(map: AddressMap): MemoryLog {
    return new MemoryLog(map, new SharedLog(), 0, new Map(), 0);
  }

  /**
   * `name` tells this store from any other that could follow the same log.
   *
   * @param until when what it replaces was last read, for a store that took a while
   */
  store(address: number, data: Uint8Array, tick: number, name: string, clause?: string, until = tick): MemoryLog {
    const key = `${this.id}/${tick}${name}`;
    const id = this.ids.get(key) ?? this.ids.size + 1;
    this.ids.set(key, id);
    return new MemoryLog(
      this.map,
      this.logWith({ address, data, tick, until, name, ...(clause === undefined ? {} : { clause }) }),
      this.length + 1,
      this.ids,
      id,
    );
  }

  /** The shared log with a store behind this log's, where another world has not put a different one. */
  private logWith(write: Write): SharedLog {
    const next = this.log.writes[this.length];
    const same = next?.tick === write.tick && next.name === write.name && next.address === write.address;
    if (same && Buffer.compare(next.data, write.data) === 0) return this.log;
    const log = next === undefined ? this.log : this.log.fork(this.length);
    log.push(write);
    return log;
  }

  /** The clause by which a component wrote a byte last, if one did. */
  clauseAt(address: number): string | undefined {
    for (let at = this.length - 1; at >= 0; at--) {
      if (overlaps(this.log.writes[at]!, address, 1)) return this.log.writes[at]!.clause;
    }
    return undefined;
  }

  /** Bytes of a range now; `undefined` where they are not in RAM that scenarios may use. */
  bytes(address: number, bytes: number): Uint8Array | undefined {
    const data = this.map.initial(address, bytes);
    if (data === undefined) return undefined;
    if (Math.floor(address / FRAME) === Math.floor((address + bytes - 1) / FRAME)) {
      for (const number of this.log.touching(address)) {
        if (number >= this.length) break;
        overlay(data, address, this.log.writes[number]!);
      }
      return data;
    }
    for (let at = 0; at < this.length; at++) overlay(data, address, this.log.writes[at]!);
    return data;
  }

  /**
   * Index of the first byte in which a range differs from what was seen of it; -1 when none does, `undefined` where it is not
   * in RAM that scenarios may use. Most of a large range was never stored to, and is not copied.
   */
  differenceFrom(seen: Uint8Array, address: number): number | undefined {
    const initial = this.map.atFirst(address, seen.length);
    if (initial === undefined) return undefined;
    for (let from = 0; from < seen.length; ) {
      const end = Math.min(seen.length, from + FRAME - ((address + from) % FRAME));
      const stored = (this.log.touching(address + from)[0] ?? this.length) < this.length;
      const held = stored ? this.bytes(address + from, end - from)! : initial.subarray(from, end);
      const observed = seen.subarray(from, end);
      if (Buffer.compare(held, observed) !== 0) return from + held.findIndex((byte, at) => byte !== observed[at]);
      from = end;
    }
    return -1;
  }

  /**
   * The log as the specification sees it at tick `now`.
   *
   * @param during stores that begin before the operation ends: what they make may be read as well
   */
  view(now: number, during: readonly StoredBytes[] = []): MemoryView {
    const versions = (address: bigint, bytes: number): readonly Version[] =>
      withStoresDuring(this.versions(Number(address), bytes), Number(address), during, now);
    return { now, versions, readings: (address, bytes) => versions(address, bytes).at(-1)!.readings };
  }

  private versions(address: number, bytes: number): readonly Version[] {
    const place = this.map.placeOf(address);
    if (place === 'hole') return always(holeReadings(bytes));
    if (place === 'device') return always([{ kind: 'undecided', reason: 'an entry lies in a device region' }]);
    if (place === 'reserved') return always([{ kind: 'undecided', reason: 'an entry lies in memory of the target' }]);
    const initial = (): Uint8Array => {
      const held = this.map.atFirst(address, bytes);
      if (held === undefined) throw new Error(`no memory at 0x${address.toString(16)}`);
      return held;
    };
    return this.log.versions(address, bytes, this.length, initial);
  }
}

const FRAME = 4096;

/** Bytes stored at an address. */
export interface StoredBytes {
  readonly address: number;
  readonly data: Uint8Array;
}

/** The versions of an entry, and those that stores make while it may be read: all of them are current. */
function withStoresDuring(
  versions: readonly Version[],
  address: number,
  during: readonly StoredBytes[],
  now: number,
): readonly Version[] {
  const last = versions.at(-1)!;
  if (during.length === 0 || last.readings[0]?.kind !== 'words') return versions;
  let current = wordsOf(last);
  const made: Version[] = [];
  for (const store of during) {
    if (!overlaps(store, address, current.length * 8)) continue;
    current = wordsAfter(current, address, store);
    made.push(versionOf(current, now));
  }
  return made.length === 0 ? versions : [...versions, ...made];
}

function always(readings: readonly Reading[]): readonly Version[] {
  return [{ readings, since: -1, until: Infinity }];
}

function versionOf(words: readonly bigint[], since: number): Version {
  return { readings: [{ kind: 'words', words }], since, until: Infinity };
}

/** The words that a version was made of. */
function wordsOf({ readings }: Version): readonly bigint[] {
  const [reading] = readings;
  return reading?.kind === 'words' ? reading.words : [];
}

/** 64-bit words in bytes, from an offset on. */
function wordsIn(data: Uint8Array, from: number, bytes: number): readonly bigint[] {
  const view = new DataView(data.buffer, data.byteOffset + from, bytes);
  const low = view.getBigUint64(0, true);
  return bytes === 16 ? [low, view.getBigUint64(8, true)] : [low];
}

/** The words of an entry after a write that touches it. */
function wordsAfter(words: readonly bigint[], address: number, write: StoredBytes): readonly bigint[] {
  const bytes = words.length * 8;
  const from = address - write.address;
  if (from >= 0 && from + bytes <= write.data.length) return wordsIn(write.data, from, bytes);
  const held = new Uint8Array(new BigUint64Array(words).buffer);
  overlay(held, address, write);
  return wordsIn(held, 0, bytes);
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

function overlaps(write: StoredBytes, address: number, bytes: number): boolean {
  return write.address < address + bytes && write.address + write.data.length > address;
}

/** Puts the part of a write that falls into a range over it. */
function overlay(range: Uint8Array, address: number, write: StoredBytes): void {
  if (!overlaps(write, address, range.length)) return;
  const from = Math.max(address, write.address);
  const to = Math.min(address + range.length, write.address + write.data.length);
  range.set(write.data.subarray(from - write.address, to - write.address), from - address);
}
