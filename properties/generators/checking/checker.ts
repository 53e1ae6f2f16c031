import type { DmaOperation, Operation, Reference, RegisterWriteOperation } from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import { CheckedMemory, walk, where } from './memory.js';
import { QueueChecker } from './queue.js';
import { accessFault, CommandChecker, EventChecker, ProtectionChecker } from './registers.js';

const PAGE = 4096n;
const GLOBAL_CONTEXT = (1n << 63n) | (1n << 61n);
const GLOBAL_IOTLB = (1n << 63n) | (1n << 60n);

/** What a property's scenarios may do beyond the usual. */
export interface Allowances {
  /** Turn translation off again. */
  readonly turnsOff?: boolean;
  /** Leave the queue stopped at the end. */
  readonly staysStopped?: boolean;
  /** Send reads of no bytes. */
  readonly zeroLength?: boolean;
  /** Set the no-snoop attribute. */
  readonly noSnoop?: boolean;
  /** Stop the queue. */
  readonly queueErrors?: boolean;
  /** Send requests between a change and its flush. */
  readonly unflushed?: boolean;
}

function abilities(profile: Profile): ConstructorParameters<typeof QueueChecker>[2] {
  const unit = Object.values(profile.components)[0]!;
  const { CAP = 0n, ECAP = 0n } = unit.registers;
  return {
    pageSelective: ((CAP >> 39n) & 1n) === 1n,
    interruptRemapping: ((ECAP >> 3n) & 1n) === 1n,
    largestMask: (CAP >> 48n) & 63n,
    hostBits: BigInt(unit.parameters['hostAddressWidth']!),
  };
}

/** Follows a scenario and says what is wrong with it. */
export class Checker {
  readonly memory = new CheckedMemory();
  readonly faults: string[] = [];
  readonly queue: QueueChecker;
  readonly #commands: CommandChecker;
  readonly #protection = new ProtectionChecker();
  readonly #events: Readonly<Record<string, EventChecker>>;
  #root = 0n;
  #latched = 0n;
  #stale = false;
  /** How far the flush through registers has come: CCMD written, polled, IOTLB written. */
  #flush = 0;
  readonly #tokens = new Set<string>();
  readonly #pairFrames = new Set<bigint>();
  readonly #profile: Profile;
  readonly #harmless: boolean;
  readonly #may: Allowances;

  constructor(profile: Profile, start: 'reset' | 'ready', operations: readonly Operation[], may: Allowances = {}) {
    this.#profile = profile;
    this.#may = may;
    this.#commands = new CommandChecker(start, may.turnsOff ?? false);
    this.queue = new QueueChecker(profile, this.memory, abilities(profile));
    this.queue.onFlushed = () => {
      this.#stale = false;
    };
    this.#events = { FE: new EventChecker(), IE: new EventChecker() };
    // Without requests and without a queue, no event is ever due.
    this.#harmless = !operations.some(
      (operation) => operation.op === 'dma' || (operation.op === 'regWrite' && operation.register === 'GCMD'),
    );
  }

  #inArena(address: bigint, bytes: bigint): boolean {
    const { base, bytes: size } = this.#profile.arena;
    return address >= base && address + bytes <= base + BigInt(size) && (address & 7n) === 0n;
  }

  #changed(): void {
    this.#stale = true;
    this.queue.changed();
  }

  /** One store is visible at one instant: what was present counts before any of it. */
  #store(address: bigint, values: readonly bigint[]): void {
    values.forEach((value, n) => {
      const at = address + BigInt(n * 8);
      const pair = this.#pairFrames.has(at & ~0xfffn);
      const present = pair ? this.memory.read(at & ~15n) & 1n : this.memory.read(at) & 3n;
      this.queue.store(at);
      // Descriptors are no entries of tables.
      if (this.queue.holds(at)) return;
      if (this.memory.read(at) !== value && present !== 0n) this.#changed();
    });
    values.forEach((value, n) => {
      const at = address + BigInt(n * 8);
      this.memory.words.set(at, value);
      if ((at & ~0xfffn) === this.#latched && (at & 8n) === 0n) this.#pairFrames.add(value & ~0xfffn);
    });
  }

  #note(at: number, fault: string | undefined): void {
    if (fault !== undefined) this.faults.push(`${at}: ${fault}`);
  }

  #globalCommand(at: number, value: bigint): void {
    const before = this.#commands.queue;
    this.#note(at, this.#commands.write(value));
    if (this.#commands.queue !== before) this.queue.switch(this.#commands.queue);
    if ((value & (1n << 30n)) === 0n) return;
    this.#latched = this.#root & ~0xfffn;
    this.#changed();
    if (!this.#inArena(this.#latched, PAGE)) return;
    this.#pairFrames.add(this.#latched);
    for (let bus = 0n; bus < 256n; bus++) this.#pairFrames.add(this.memory.read(this.#latched + 16n * bus) & ~0xfffn);
  }

  #register(at: number, operation: RegisterWriteOperation): void {
    const { register, size, offset = 0 } = operation;
    const value = operation.value as bigint;
    if (register === 'RTADDR') {
      const mask = ((1n << BigInt(8 * size)) - 1n) << BigInt(8 * offset);
      this.#root = (this.#root & ~mask) | (value << BigInt(8 * offset));
    }
    if (register === 'GCMD') this.#globalCommand(at, value);
    if (register === 'CCMD') this.#flush = value === GLOBAL_CONTEXT ? 1 : 0;
    if (register === 'IOTLB') {
      const plain = value & ~(3n << 48n);
      this.#flush = this.#flush === 2 && plain === GLOBAL_IOTLB ? 3 : 0;
    }
    if (this.#harmless) return;
    if (/^P(MEN|[LH]M)/.test(register)) this.#note(at, this.#protection.write(register, value));
    this.queue.write(register, value);
    const event = this.#events[register.slice(0, 2)];
    if (event !== undefined) this.#note(at, event.write(register.slice(2), value));
  }

  #poll(at: number, operation: Extract<Operation, { op: 'poll' }>): void {
    const { register, mask, expect } = operation;
    if (register === 'GSTS') this.#note(at, this.#commands.poll(mask, expect));
    if (register === 'PMEN') this.#note(at, this.#protection.poll(mask, expect));
    if (register === 'ICS' && mask === 1n && expect === 1n) this.queue.completion();
    if (register === 'CCMD' && this.#flush === 1) this.#flush = 2;
    else if (register === 'IOTLB' && this.#flush === 3) {
      this.#stale = false;
      this.#flush = 0;
    }
  }

  #dma(at: number, operation: DmaOperation): void {
    const { requester, direction, token, address, bytes } = operation;
    const key = `${requester}/${direction}/${token}`;
    const { limits, requesters } = this.#profile;
    if (this.#tokens.has(key) || token >= limits.tokens) this.#note(at, `token ${key}`);
    this.#tokens.add(key);
    const { zeroLengthReads, noSnoop } = requesters.find((each) => each.id === requester)!;
    const none = bytes === 0 && direction === 'read' && zeroLengthReads === true && this.#may.zeroLength === true;
    if (operation.noSnoop === true && !(noSnoop === true && this.#may.noSnoop === true)) this.#note(at, 'no snoop');
    if ((bytes < 1 && !none) || bytes > limits.dmaBytes || address + BigInt(bytes) > 1n << 64n)
      this.#note(at, 'length');
    if (this.#stale && this.#commands.translating && this.#may.unflushed !== true)
      this.#note(at, 'request without flush');
    this.#note(at, this.#protection.request());
    const routingId = requesters.find((each) => each.id === requester)!.routingId;
    const firsts = new Set([address, (address + BigInt(Math.max(bytes, 1)) - 1n) & ~0xfffn]);
    for (const first of firsts) {
      if (first < address && firsts.size > 1) continue;
      this.#piece(at, operation, first, routingId);
    }
  }

  #piece(at: number, operation: DmaOperation, first: bigint, routingId: number): void {
    const write = operation.direction === 'write';
    if (where(this.#profile, first) === 'interrupt') {
      const message = write && operation.bytes === 4 && (first & 3n) === 0n;
      const plain = (first & 0xfffn) === 0n && first < 0xfee1_0000n;
      if (message && !plain) this.#note(at, 'odd interrupt message');
      if (message && this.#commands.interrupts) this.#note(at, 'interrupt message while interrupts are remapped');
      return;
    }
    const { translating } = this.#commands;
    const output = translating ? walk(this.#profile, this.memory, this.#latched, routingId, first) : first;
    if (output === undefined) return;
    const place = where(this.#profile, output);
    if (place === 'forbidden') this.#note(at, 'reaches a device or reserved memory');
    if (place === 'ram' && write) this.#note(at, 'writes outside the arena');
  }

  #reference(at: number, reference: Reference, operations: readonly Operation[]): void {
    const target = operations[reference.ref];
    if (reference.ref >= at || (target?.op !== 'regRead' && target?.op !== 'poll')) this.#note(at, 'reference');
  }

  #stores(at: number, { address, words, repeat = 1 }: Extract<Operation, { op: 'store' }>): void {
    if (!this.#inArena(address, BigInt(words.length * repeat * 8))) this.#note(at, 'store outside the arena');
    if (repeat === 1) {
      this.#store(address, words);
      return;
    }
    if (words.length !== 1 || words[0] !== 0n) throw new Error('only zeros are repeated');
    this.memory.zero(address, BigInt(repeat * 8));
    this.#changed();
  }

  check(at: number, operation: Operation, operations: readonly Operation[]): void {
    if ('index' in operation && typeof operation.index === 'object') this.#reference(at, operation.index, operations);
    if ('register' in operation) this.#note(at, accessFault(operation));
    switch (operation.op) {
      case 'store':
        this.#stores(at, operation);
        break;
      case 'load':
        if (!this.#inArena(operation.address, BigInt(operation.bytes))) this.#note(at, 'load outside the arena');
        this.queue.load(operation.address, operation.bytes);
        break;
      case 'settle':
        this.queue.settle();
        break;
      case 'regWrite':
        this.#register(at, operation);
        break;
      case 'poll':
        this.#poll(at, operation);
        break;
      case 'dma':
        this.#dma(at, operation);
        break;
      case 'regRead':
        break;
      default:
        this.#note(at, `operation ${operation.op}`);
    }
    for (const fault of this.queue.faults.splice(0)) this.#note(at, fault);
  }
}

/** Everything that is wrong with a scenario. */
export function faultsOf(
  profile: Profile,
  start: 'reset' | 'ready',
  operations: readonly Operation[],
  may: Allowances = {},
): readonly string[] {
  const checker = new Checker(profile, start, operations, may);
  operations.forEach((operation, at) => {
    checker.check(at, operation, operations);
  });
  const last = operations.at(-1);
  const { base, bytes } = profile.arena;
  const requests = operations.some(({ op }) => op === 'dma');
  if (requests && (last?.op !== 'load' || last.address !== base || last.bytes !== bytes)) {
    checker.faults.push('no final load');
  }
  const { stopped, errors } = checker.queue;
  if (stopped && may.staysStopped !== true) checker.faults.push('queue stopped at the end');
  if (errors > 0 && may.queueErrors !== true) checker.faults.push('queue stopped');
  return checker.faults;
}
