import { FSTS_FIELDS, ICS_FIELDS, IQA_FIELDS, IQT_FIELDS } from '../../spec/layout/vtd.js';
import { FRAME, withField } from './capabilities.js';
import {
  contextDescriptor,
  type Descriptor,
  iotlbDescriptor,
  type WaitOptions,
  waitDescriptor,
} from './descriptors.js';
import { type ArenaMemory, FRAME_WORDS } from './memory.js';
import type { Script } from './script.js';

/** Descriptors in one page of the queue. */
const SLOTS_PER_FRAME = 256;

/** 64-bit words of a descriptor. */
const SLOT_WORDS = 2;

const IWC = 1n << BigInt(ICS_FIELDS.IWC[1]);
const QUEUE_ERROR_BIT = 1n << BigInt(FSTS_FIELDS.IQE[1]);

/** How software learns that a flush is complete: the wait's status data in memory, or ICS.IWC. */
export type Completion = 'status' | 'event';

/** The invalidation queue as software keeps it: where it lies, what is in it, how far the tail went. */
export class Queue {
  /** Value of IQA.QS. */
  readonly size: number;
  readonly slots: number;
  /** The next free slot. */
  next = 0;
  /** The last descriptor put in was a wait. */
  endsInWait = false;
  readonly #script: Script;
  readonly #memory: ArenaMemory;
  readonly #frame: number;
  readonly #statusFrame: number;
  #statuses = 0;

  /** Takes 2^size neighbouring frames for descriptors and one for status data. */
  constructor(script: Script, memory: ArenaMemory, size = 0) {
    this.size = size;
    this.slots = SLOTS_PER_FRAME << size;
    this.#script = script;
    this.#memory = memory;
    this.#frame = takeAligned(memory, 1 << size);
    this.#statusFrame = memory.takeTable() ?? 0;
  }

  get address(): bigint {
    return this.#memory.frameAddress(this.#frame);
  }

  get statusAddress(): bigint {
    return this.#memory.frameAddress(this.#statusFrame);
  }

  /** Number of waits with status data so far. */
  get statuses(): number {
    return this.#statuses;
  }

  /** IQT=0, IQA, then QIE. The queue is off and starts empty. */
  enable(): void {
    this.program();
    this.#script.setQueue(true);
  }

  /** Writes IQT and IQA for an empty queue; `more` is added to IQA. */
  program(more = 0n, address = this.address): void {
    this.next = 0;
    this.endsInWait = false;
    this.#script.write('IQT', 8, 0n);
    this.#script.write('IQA', 8, withField(address, IQA_FIELDS.QS, BigInt(this.size)) | more);
  }

  /** QIE off, after a wait that was seen complete. */
  disable(): void {
    if (!this.endsInWait) this.flush('event');
    this.#script.setQueue(false);
  }

  /** Stores a descriptor in the next slot; returns the slot. The tail stays. */
  put(descriptor: Descriptor): number {
    const slot = this.next;
    this.overwrite(slot, descriptor);
    this.next = (slot + 1) % this.slots;
    this.endsInWait = false;
    return slot;
  }

  /** Stores a descriptor in a slot. */
  overwrite(slot: number, descriptor: Descriptor): void {
    this.#memory.setPlain(this.#frame * FRAME_WORDS + slot * SLOT_WORDS, descriptor);
  }

  /** Stores a descriptor in the next `count` slots; those must not pass the end of the queue. */
  fill(descriptor: Descriptor, count: number): void {
    const words = Array.from({ length: count }, () => descriptor).flat();
    this.#memory.setPlain(this.#frame * FRAME_WORDS + this.next * SLOT_WORDS, words);
    this.next = (this.next + count) % this.slots;
    this.endsInWait = false;
  }

  putWait(options: WaitOptions): number {
    const slot = this.put(waitDescriptor(options));
    this.endsInWait = true;
    return slot;
  }

  /** A place for status data that no wait used yet, with data that names it. */
  nextStatus(): { readonly address: bigint; readonly data: number; readonly word: number } {
    const n = this.#statuses++ % (2 * FRAME_WORDS);
    const word = this.#statusFrame * FRAME_WORDS + (n >> 1);
    return { address: this.statusAddress + BigInt(4 * n), data: 0xc0de_0000 + this.#statuses, word };
  }

  /** Writes what was stored, then the tail: behind the last descriptor put in, or at a slot. */
  notify(slot = this.next): void {
    this.#memory.commit(this.#script);
    this.#script.write('IQT', 8, withField(0n, IQT_FIELDS.QT, BigInt(slot)));
  }

  clearCompletion(): void {
    this.#script.write('ICS', 4, IWC);
  }

  clearError(): void {
    this.#script.write('FSTS', 4, QUEUE_ERROR_BIT);
  }

  /** Loads every status word that a wait used. */
  loadStatuses(): void {
    if (this.#statuses > 0) this.#script.load(this.statusAddress, 8 * ((this.#statuses + 1) >> 1));
  }

  /** Reads what tells of the queue. IQERCD says something only while FSTS.IQE is set. */
  look(): void {
    const script = this.#script;
    script.read('FSTS', 4);
    script.read('IQH', 8);
    script.read('IQERCD', 8);
    script.read('ICS', 4);
    script.read('IECTL', 4);
    this.loadStatuses();
  }

  /**
   * Puts another descriptor where the queue stopped, and clears IQE: the queue goes on there. `nudge`: write the
   * tail once more, as it is.
   */
  recover(slot: number, descriptor: Descriptor, nudge = false): void {
    this.overwrite(slot, descriptor);
    this.#memory.commit(this.#script);
    this.clearError();
    if (nudge) this.notify();
    this.#script.settle();
  }

  /** Global context-cache, then global IOTLB invalidation, then a wait that is seen complete. `stepwise` writes the tail after each. */
  flush(completion: Completion, drain = false, stepwise = false): void {
    for (const descriptor of [contextDescriptor(1), iotlbDescriptor(1, { drain })]) {
      this.put(descriptor);
      if (stepwise) this.notify();
    }
    this.awaitAll(completion, stepwise);
  }

  /** While the queue is off: a wait between head and tail that must not be done, and the tail back to the head. */
  awaitOff(): void {
    const { address, data, word } = this.nextStatus();
    this.putWait({ status: { address, data } });
    this.notify();
    this.#script.settle();
    this.#script.read('IQH', 8);
    this.#script.load(this.#memory.wordAddress(word), 8);
  }

  /** A wait for everything before it, seen complete. */
  awaitAll(completion: Completion, fence = false): void {
    this.requestWait(completion, fence)();
  }

  /** A wait for everything before it, handed to the unit; what is returned looks until it is complete. */
  requestWait(completion: Completion, fence = false): () => void {
    if (completion === 'event') {
      this.putWait({ event: true, fence });
      this.notify();
      return () => {
        this.#script.poll('ICS', 4, IWC, IWC);
        this.clearCompletion();
      };
    }
    const { address, data, word } = this.nextStatus();
    this.putWait({ status: { address, data }, fence });
    this.notify();
    return () => {
      this.#script.settle();
      this.#memory.storedByHardware(word, this.#afterStatus(word, address, data));
      this.#script.load(this.#memory.wordAddress(word), 8);
    };
  }

  #afterStatus(word: number, address: bigint, data: number): bigint {
    const shift = (address & 4n) * 8n;
    return (this.#memory.read(word) & ~(0xffff_ffffn << shift)) | (BigInt(data) << shift);
  }
}

/** Neighbouring frames, aligned to their number. */
function takeAligned(memory: ArenaMemory, count: number): number {
  for (;;) {
    const first = memory.takeTable();
    if (first === undefined) throw new Error('no frames are left for the invalidation queue');
    if ((memory.frameAddress(first) / FRAME) % BigInt(count) !== 0n) continue;
    for (let n = 1; n < count; n++) memory.takeTable();
    return first;
  }
}
