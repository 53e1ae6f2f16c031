import { TOKEN_BYTES } from '../../spec/layout/tokens.js';
import { INTERRUPT_RANGE } from '../../spec/layout/vtd.js';
import { FRAME, type Platform } from './capabilities.js';
import { addressOf, covers } from './entries.js';
import { NO_BYTES, type RequestIntent, type SlotIntent } from './intents.js';
import { type Domain, type Mapping, Plan, type Seat } from './plan.js';
import { type Completion, Queue } from './queue.js';
import { overlapsInterruptRange, routeOf } from './route.js';
import { Script } from './script.js';

/** Table positions that a drawn number above 511 stands for. */
const CORNERS = [0, 511, 1, 510, 255, 256, 2, 128] as const;

const ADDRESSES = 1n << 64n;

/** How often faults are collected: after this many requests; the last only at the end. */
const EVERY = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 3, 1_000_000] as const;

/**
 * With several records, a target may merge or keep each fault of a requester: what the records
 * hold is open until they are read, and unread faults multiply the ways.
 */
export const MOST_UNSEEN = 4;

/** Address, length and direction of a request. */
export interface Shape {
  readonly address: bigint;
  readonly bytes: number;
  readonly write: boolean;
  readonly noSnoop?: boolean;
}

/** Bytes of a request: 4 to 64 in fours, some odd; or none. */
function lengthOf(length: number): number {
  if (length === NO_BYTES) return 0;
  return length < 64 ? 4 * (1 + (length & 15)) : 3 * (length - 63);
}

/** The shape of a request: one without bytes is a read. */
function shapeFor({ write, noSnoop }: RequestIntent, address: bigint, bytes: number): Shape {
  return { address, bytes, write: write && bytes > 0, ...(noSnoop === true ? { noSnoop } : {}) };
}

/** What the requester can send of a request. */
function sendable({ requester }: Seat, shape: Shape): Shape {
  const { noSnoop, ...rest } = shape;
  const bytes = shape.bytes === 0 && requester.zeroLengthReads !== true ? 4 : shape.bytes;
  const snoop = noSnoop === true && requester.noSnoop === true ? { noSnoop } : {};
  return { ...rest, bytes, write: shape.write && bytes > 0, ...snoop };
}

/** Offset of a request in its page. */
function offsetIn(request: RequestIntent, bytes: number): number {
  const shift = request.length < 64 ? 0 : 1 + (request.offset & 1);
  switch (request.place) {
    case 'start':
      return 0;
    case 'end':
      return 4096 - Math.max(bytes, 1);
    case 'cross':
      return 4096 - 4 * (1 + (request.offset % Math.max(1, Math.ceil(bytes / 4) - 1))) + shift;
    case 'inside':
      return (((request.offset * 4) % (4096 - TOKEN_BYTES)) + shift) % (4096 - bytes);
  }
}

/** A scenario in the making: the plan, the operations so far, and the care that both need. */
export class Stage {
  readonly plan: Plan;
  readonly script: Script;
  readonly labels: Record<string, number> = {};
  /** The invalidation queue, where the scenario may use one. */
  readonly queue: Queue | undefined;
  /** How flushes go through the queue and are seen complete; `undefined`: through registers unless the queue is on. */
  readonly #flushing: Completion | undefined;
  readonly #written = new Set<number>();
  readonly #slots: readonly SlotIntent[];
  readonly #every: number;
  #interruptTable: number | undefined;
  #uncollected = 0;
  #requests = 0;

  /** @param flushing flush through the queue, seen complete this way; `off` gives a queue that is used while it is on */
  constructor(platform: Platform, slots: readonly SlotIntent[], collect: number, flushing?: Completion | 'off') {
    this.plan = new Plan(platform);
    this.script = new Script(platform);
    this.#flushing = flushing === 'off' ? undefined : flushing;
    this.queue = flushing === undefined ? undefined : new Queue(this.script, this.plan.memory);
    this.#slots = slots;
    const every = EVERY[collect % EVERY.length]!;
    this.#every = platform.faultRecords > 1 ? Math.min(every, MOST_UNSEEN) : every;
  }

  /** Translation is on. */
  get enabled(): boolean {
    return this.script.translating;
  }

  set enabled(on: boolean) {
    this.script.translating = on;
  }

  /** Waits may store status data. */
  get storesStatus(): boolean {
    return this.#flushing !== 'event';
  }

  count(label: string): void {
    this.labels[label] = (this.labels[label] ?? 0) + 1;
  }

  /** Input address of a slot for a domain: below its width. */
  slotAddress(domain: Domain, pick: number, level: number): bigint {
    const slot = this.#slots[pick % this.#slots.length]!;
    const first = this.#slots[0]!;
    const mask = this.plan.limit(domain) - 1n;
    const page = ~(covers(level) - 1n);
    if (slot.edge === 0) return mask & page;
    const top = domain.width.levels - 1;
    // Addresses that are alike but for one position are those that a short key would confuse.
    const own = slot.edge === 1 ? [top, top, top - 1, 2, 1, 0][slot.share]! : undefined;
    const indices = slot.indices.map((index, at) => {
      const shared = own === undefined ? at >= 5 - slot.share : at !== own;
      const value = shared ? first.indices[at]! : index;
      return value > 511 ? CORNERS[value & 7]! : value;
    });
    return addressOf(indices, domain.width.levels) & mask & page;
  }

  /** A mapping of the domain, by a drawn number. */
  mapping(domain: Domain, pick: number): Mapping | undefined {
    return domain.mappings[pick % Math.max(1, domain.mappings.length)];
  }

  /** A request to a mapping: in a superpage, to a part that holds data frames. */
  inMapping(mapping: Mapping, request: RequestIntent): Shape {
    const bytes = lengthOf(request.length);
    const data = this.plan.dataIn(mapping, request.pick * 7 + request.offset);
    const page = data === undefined ? mapping.iova : mapping.iova + (data - mapping.out);
    return shapeFor(request, page + BigInt(offsetIn(request, bytes)), bytes);
  }

  /** What a request intent comes to for a requester. */
  shapeOf(seat: Seat, request: RequestIntent): Shape {
    const bytes = lengthOf(request.length);
    const domain = this.plan.domainOf(seat);
    const at = (address: bigint): Shape => shapeFor(request, address, bytes);
    if (domain === undefined) return at(this.#identityAddress(request, bytes));
    const own = this.mapping(domain, request.pick);
    if (request.to === 'mapped' && own !== undefined) return this.inMapping(own, request);
    if (request.to === 'beyond') {
      const above = 1n << BigInt(domain.width.inputBits + (request.offset % (64 - domain.width.inputBits)));
      const page = own !== undefined && request.pick & 1 ? own.iova | above : above;
      return at(page + BigInt(offsetIn(request, bytes)));
    }
    if (request.to === 'foreign') {
      const other = this.plan.domains[request.pick % this.plan.domains.length];
      const theirs = other === undefined ? undefined : this.mapping(other, request.offset);
      if (theirs !== undefined) return this.inMapping(theirs, request);
    }
    if (request.to === 'wild') return at((BigInt(request.pick) << 58n) | (BigInt(request.offset) << 12n));
    return at(this.slotAddress(domain, request.pick, 1) + BigInt(offsetIn(request, bytes)));
  }

  /** For requests that nothing translates: data frames by their own address, some above the host's width. */
  #identityAddress(request: RequestIntent, bytes: number): bigint {
    const { platform, memory } = this.plan;
    const page = memory.frameAddress(memory.dataFrame(request.pick)) + BigInt(offsetIn(request, bytes));
    if (request.to !== 'beyond' || platform.hostBits >= 64) return page;
    return page | (1n << BigInt(platform.hostBits + (request.offset % (64 - platform.hostBits))));
  }

  /** The request as it may be sent, or `undefined` when it could touch what scenarios must leave alone. */
  #permitted(seat: Seat, wanted: Shape): Shape | undefined {
    const shape = sendable(seat, wanted);
    const { address, bytes } = shape;
    if (address < 0n || address + BigInt(bytes) > ADDRESSES) return undefined;
    const range = overlapsInterruptRange(address, bytes);
    if (range === 'partly' || (range === 'inside' && this.script.remappingInterrupts)) return undefined;
    if (range === 'inside') return this.#toInterruptRange(shape);
    if (!this.enabled) return this.#untranslated(shape);
    const route = routeOf(this.plan, this.#written, seat, address, bytes);
    const asRead = { ...shape, write: false };
    switch (route.reach) {
      case 'forbidden':
        return undefined;
      case 'interrupt':
        return this.script.remappingInterrupts ? undefined : this.#throughToInterruptRange(shape);
      case 'outside':
      case 'table':
        return asRead;
      case 'hole':
      case 'nothing':
      case 'data':
        if (shape.write) for (const frame of route.frames) this.#written.add(frame);
        return shape;
    }
  }

  /** A dword write there is an interrupt: only plain messages are sent. */
  #toInterruptRange(shape: Shape): Shape | undefined {
    if (!shape.write || shape.bytes !== 4 || shape.address & 3n) return shape;
    return shape.address < INTERRUPT_RANGE.first + 16n * FRAME && (shape.address & 0xfffn) === 0n ? shape : undefined;
  }

  /** A leaf leads there: again only what is a plain message, should it come through. */
  #throughToInterruptRange(shape: Shape): Shape | undefined {
    const page = shape.address & ~(FRAME - 1n);
    return { ...shape, address: page, bytes: Math.min(shape.bytes, 4) };
  }

  #untranslated(shape: Shape): Shape | undefined {
    const { memory, platform } = this.plan;
    const last = shape.address + BigInt(Math.max(shape.bytes, 1)) - 1n;
    const inside = shape.address >= memory.frameAddress(memory.tableFrames);
    if (!inside || last >= memory.frameAddress(platform.frames)) return undefined;
    if (shape.write) {
      for (const at of [shape.address, last]) this.#written.add(Number((at - platform.base) / FRAME));
    }
    return shape;
  }

  /** Writes pending stores, and flushes if an entry that may have been present changed. */
  settle(): void {
    this.plan.memory.commit(this.script);
    if (!this.plan.memory.stale) return;
    this.flush();
  }

  /**
   * From here on interrupts are remapped, by a table without any; where the unit can. Needs the queue on, and no device
   * sends a message from here on.
   */
  remapInterrupts(): void {
    const { memory, platform } = this.plan;
    if (!platform.interruptRemapping || !this.script.queueEnabled) return;
    this.#interruptTable ??= memory.takeTable();
    if (this.#interruptTable === undefined) return;
    memory.commit(this.script);
    this.script.latchInterruptTable(memory.frameAddress(this.#interruptTable));
    this.script.setInterruptRemapping(true);
  }

  /** Global invalidation of both caches, seen complete: through the queue where it is on or to be used. */
  flush(): void {
    this.plan.memory.commit(this.script);
    const drain = this.#requests % 3 === 1;
    const { queue } = this;
    if (queue !== undefined && this.#flushing !== undefined && !this.script.queueEnabled) queue.enable();
    if (queue !== undefined && this.script.queueEnabled) {
      this.count('made:queued-flush');
      queue.flush(this.#flushing ?? 'status', drain, this.#requests % 5 === 2);
    } else this.script.flush(drain);
    this.plan.memory.stale = false;
  }

  /** Latches a root table; includes the flush. */
  latchRoot(address: bigint, mode = 0): void {
    this.plan.memory.commit(this.script);
    this.plan.latchedRoot = address;
    this.script.latchRoot(address, mode);
    this.flush();
  }

  /** Sends a request and never collects faults; returns the index of the operation. */
  sendQuietly(seat: Seat, wanted: Shape): number | undefined {
    const shape = this.#permitted(seat, wanted);
    if (shape === undefined) {
      this.count('made:withheld');
      return undefined;
    }
    this.settle();
    const direction = shape.write ? 'write' : 'read';
    const { write: _, ...rest } = shape;
    const at = this.script.dma({ requester: seat.requester.id, direction, ...rest });
    if (at < 0) return undefined;
    if (shape.bytes === 0) this.count('made:zero-length');
    if (shape.noSnoop === true) this.count('made:no-snoop');
    this.#requests++;
    return at;
  }

  /** Sends a request, and collects faults when it is time; returns the index of the operation, or `undefined` when it was not sent. */
  send(seat: Seat, wanted: Shape): number | undefined {
    const at = this.sendQuietly(seat, wanted);
    if (at === undefined) return undefined;
    this.#uncollected++;
    if (this.#uncollected >= this.#every) this.collect();
    return at;
  }

  /** Collects faults: all records when more than one request may have made one. */
  collect(overflow = this.#requests % 4 === 0): void {
    this.script.collect({ all: this.#uncollected > 1, clearOverflow: overflow || this.#uncollected > 1 });
    this.#uncollected = 0;
  }

  /** The end of every scenario: faults, the queue off unless it is to stay on, then the whole arena. */
  finish(queueStays = false): void {
    this.plan.memory.commit(this.script);
    this.script.collect({ all: true, clearOverflow: true });
    if (this.script.remappingInterrupts) this.script.setInterruptRemapping(false);
    if (this.script.queueEnabled && !queueStays) this.queue?.disable();
    this.script.loadArena();
  }
}
