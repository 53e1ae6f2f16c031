import type { Profile } from '../../../spec/interface/profile.js';
import { type CheckedMemory, where } from './memory.js';

/** What a queue with certain capabilities takes. */
export interface QueueAbilities {
  readonly pageSelective: boolean;
  readonly interruptRemapping: boolean;
  readonly largestMask: bigint;
  readonly hostBits: bigint;
}

const bits = (value: bigint, high: number, low: number): bigint =>
  (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);

/** Whether any bit of these ranges is set. */
const any = (value: bigint, ...ranges: readonly (readonly [number, number])[]): boolean =>
  ranges.some(([high, low]) => bits(value, high, low) !== 0n);

/** Whether a 128-bit descriptor is valid in a queue of such, in legacy mode, without Device-TLBs. */
export function validDescriptor(value: bigint, able: QueueAbilities): boolean {
  if (bits(value, 11, 9) !== 0n) return false;
  const granularity = bits(value, 5, 4);
  switch (bits(value, 3, 0)) {
    case 1n:
      return granularity !== 0n && !any(value, [8, 6], [15, 12], [63, 50], [127, 64]);
    case 2n:
      if (granularity === 0n || any(value, [8, 8], [15, 12], [63, 32], [75, 71])) return false;
      return granularity !== 3n || (able.pageSelective && bits(value, 69, 64) <= able.largestMask);
    case 4n:
      return able.interruptRemapping && !any(value, [8, 5], [26, 12], [63, 48], [127, 64]);
    case 5n:
      return !any(value, [8, 7], [31, 12], [65, 64]);
    default:
      return false;
  }
}

/** A wait that would tell that the caches were flushed. */
interface Candidate {
  readonly status: bigint | undefined;
  settled: boolean;
}

/** Follows the invalidation queue: everything between head and tail is done as soon as the tail is written. */
export class QueueChecker {
  readonly faults: string[] = [];
  /** The caches were flushed, and software saw it. */
  onFlushed: () => void = () => {};
  stopped = false;
  done = 0;
  errors = 0;
  #on = false;
  #head = 0n;
  #tail = 0n;
  #base = 0n;
  #bytes = 4096n;
  #wide = false;
  #lastType = 0n;
  /** Global context-cache, then global IOTLB invalidation, done since the last change. */
  #flush = 0;
  #candidates: Candidate[] = [];
  readonly #profile: Profile;
  readonly #memory: CheckedMemory;
  readonly #able: QueueAbilities;

  constructor(profile: Profile, memory: CheckedMemory, able: QueueAbilities) {
    this.#profile = profile;
    this.#memory = memory;
    this.#able = able;
  }

  get on(): boolean {
    return this.#on;
  }

  /** An entry of the tables changed: what was flushed before does not count. */
  changed(): void {
    this.#flush = 0;
    this.#candidates = [];
  }

  /** Whether an address lies in the queue that IQA names. */
  holds(address: bigint): boolean {
    return address >= this.#base && address < this.#base + this.#bytes;
  }

  /** Software stores 8 bytes. */
  store(address: bigint): void {
    if (!this.#on || !this.holds(address)) return;
    const slot = (address - this.#base) & ~15n;
    const ahead = (slot - this.#head + this.#bytes) % this.#bytes;
    const pending = (this.#tail - this.#head + this.#bytes) % this.#bytes;
    if (ahead < pending && !(this.stopped && ahead < (this.#wide ? 32n : 16n)))
      this.faults.push('descriptor overwritten');
  }

  write(register: string, value: bigint): void {
    if (register === 'IQA') {
      if (this.#on) this.faults.push('IQA while the queue is on');
      this.#base = value & ~0xfffn;
      this.#bytes = 4096n << (value & 7n);
      this.#wide = (value & 0x800n) !== 0n;
    } else if (register === 'IQT') {
      if (value & ~0x7fff0n) this.faults.push('bits of IQT');
      this.#tail = value;
      this.#run();
    } else if (register === 'FSTS' && value & 0x10n) {
      this.stopped = false;
      this.#run();
    } else if (['CCMD', 'IOTLB', 'IVA'].includes(register) && this.#on) {
      this.faults.push('invalidation through registers while the queue is on');
    }
  }

  /** QIE changes. */
  switch(on: boolean): void {
    if (on && this.#tail !== 0n) this.faults.push('queue on with a tail that is not 0');
    if (!on && (this.stopped || this.#head !== this.#tail)) this.faults.push('queue off while not empty');
    if (!on && this.#lastType !== 5n) this.faults.push('queue off without a wait at its end');
    this.#on = on;
    this.#head = 0n;
  }

  #run(): void {
    const step = this.#wide ? 32n : 16n;
    while (this.#on && !this.stopped && this.#head !== this.#tail) {
      const address = this.#base + this.#head;
      const readable = where(this.#profile, address) === 'arena';
      const value = this.#memory.read(address) | (this.#memory.read(address + 8n) << 64n);
      const good = readable && this.#tail < this.#bytes && this.#tail % step === 0n;
      if (!good || !validDescriptor(value, this.#able)) {
        this.stopped = true;
        this.errors++;
        this.#dangers(value);
        return;
      }
      this.#head = (this.#head + step) % this.#bytes;
      this.#do(value);
    }
  }

  /** A target that took any wait-like descriptor for a wait must store inside the arena. */
  #dangers(value: bigint): void {
    if (bits(value, 3, 0) === 5n && bits(value, 5, 5) === 1n) this.#statusAddress(value);
  }

  #statusAddress(value: bigint): bigint {
    const address = (bits(value, 127, 66) << 2n) & ((1n << this.#able.hostBits) - 1n);
    if (where(this.#profile, address) !== 'arena') this.faults.push('status data outside the arena');
    return address;
  }

  #do(value: bigint): void {
    const type = bits(value, 3, 0);
    this.done++;
    this.#lastType = type;
    if (type === 1n && bits(value, 5, 4) === 1n) this.#flush = 1;
    if (type === 2n && bits(value, 5, 4) === 1n && this.#flush === 1) this.#flush = 2;
    if (type !== 5n) return;
    let status: bigint | undefined;
    if (bits(value, 5, 5) === 1n) {
      status = this.#statusAddress(value);
      const word = status & ~7n;
      const shift = 8n * (status & 4n);
      const rest = this.#memory.read(word) & ~(0xffff_ffffn << shift);
      this.#memory.words.set(word, rest | (bits(value, 63, 32) << shift));
    }
    const event = bits(value, 4, 4) === 1n;
    if (this.#flush === 2 && (status !== undefined || event)) this.#candidates.push({ status, settled: false });
  }

  settle(): void {
    for (const candidate of this.#candidates) candidate.settled = true;
  }

  load(address: bigint, bytes: number): void {
    const seen = ({ status, settled }: Candidate): boolean =>
      settled && status !== undefined && status >= address && status < address + BigInt(bytes);
    if (this.#candidates.some(seen)) this.onFlushed();
  }

  /** ICS was seen with IWC=1. */
  completion(): void {
    if (this.#candidates.some(({ status }) => status === undefined)) this.onFlushed();
  }
}
