import type { Observation } from '../../../spec/interface/observations.js';
import type {
  DmaOperation,
  Operand,
  Operation,
  PollOperation,
  RegisterAddress,
  RegisterReadOperation,
  RegisterWriteOperation,
  SignalOperation,
  StoreOperation,
} from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import { resolveOperand } from '../operands.js';
import { resolveRegister } from '../registers.js';
import { slotOffset, startDma } from './edu.js';
import { Functions } from './functions.js';
import { RESTORED_REGISTERS } from './iommu.js';
import type { Machine } from './machine.js';
import { configAddress } from './pci.js';
import { ARENA, EDUS, type EduPlace, VTD_REGISTERS_BASE, VTD_REGISTERS_BYTES } from './platform.js';
import { readLine, writeLine } from './qtest.js';
import { usesQueue } from './queue-use.js';
import { paint } from './ram.js';
import { checkDma, requesterPosition } from './requests.js';

/** A read of a device whose data is fetched at the end of the scenario. */
export interface PendingRead {
  readonly at: number;
  readonly requester: number;
  /** Byte offset in the device's buffer. */
  readonly offset: number;
  readonly bytes: number;
}

/** Stores of at most so many words go with the other lines rather than waiting until those are answered. */
const FEW_WORDS = 4;

/** Reads made at once by a poll whose first read did not satisfy it. */
const POLL_READS = 16;

/**
 * Executes one scenario's operations on a machine. Lines are sent together as far as order allows.
 *
 * With `hopes`, what follows a poll is sent together with it, in the hope that the first read satisfies it: QEMU does at
 * once what it is told by a register. Where that shows to be wrong, what followed came too early, and nothing that was
 * observed counts.
 */
export class Executor {
  readonly #machine: Machine;
  readonly #profile: Profile;
  readonly #arenaPaint: Uint8Array;
  readonly #observations: (Observation | undefined)[] = [];
  readonly #reads: PendingRead[] = [];
  readonly #functions: Functions;
  #soiled = false;
  #usedQueue = false;
  #hopes = false;
  #disappointed = false;

  constructor(machine: Machine, profile: Profile, arenaPaint: Uint8Array) {
    this.#machine = machine;
    this.#functions = new Functions(machine);
    this.#profile = profile;
    this.#arenaPaint = arenaPaint;
  }

  /** Whether the machine must be reset before the next scenario: something was changed that is not put back otherwise. */
  get soiled(): boolean {
    return this.#soiled;
  }

  /** Whether the invalidation queue's registers must be restored before the next scenario. */
  get usedQueue(): boolean {
    return this.#usedQueue;
  }

  /** Devices whose MSI capability the next scenario must find disabled again. */
  get programmed(): readonly EduPlace[] {
    return this.#functions.programmed;
  }

  get reads(): readonly PendingRead[] {
    return this.#reads;
  }

  /** Number of operations begun. */
  get count(): number {
    return this.#observations.length;
  }

  /** Observations from an index on, up to the first operation that was not observed. */
  observedFrom(first: number): readonly Observation[] {
    const rest = this.#observations.slice(first);
    const end = rest.indexOf(undefined);
    return (end < 0 ? rest : rest.slice(0, end)) as Observation[];
  }

  /** Whether a hope was wrong, see above. */
  get disappointed(): boolean {
    return this.#disappointed;
  }

  /** @throws Trouble when QEMU fails; Error for an operation that the target cannot execute */
  async run(operations: readonly Operation[], { oneByOne = false, hopes = false }): Promise<void> {
    this.#hopes = hopes;
    for (const operation of operations) {
      const at = this.#observations.length;
      this.#observations.push(undefined);
      const more = this.#execute(operation, at);
      if (more !== undefined) {
        await more;
      }
      if (oneByOne) {
        await this.#machine.pipeline.flush();
      }
    }
    await this.#machine.pipeline.flush();
  }

  /** Adds an operation's lines; gives a promise when it must be over before the next operation. */
  #execute(operation: Operation, at: number): Promise<void> | undefined {
    switch (operation.op) {
      case 'store':
        return this.#store(operation, at);
      case 'paint':
        return this.#write(Number(operation.address), this.#paint(Number(operation.address), operation.bytes), at);
      case 'load':
        return this.#load(Number(operation.address), operation.bytes, at);
      case 'regWrite':
      case 'regRead':
        return this.#register(operation, at);
      case 'poll':
        return this.#poll(operation, at);
      case 'configRead': {
        const line = readLine(operation.size, configAddress(operation.function, operation.offset));
        return this.#readValue(line, 'configRead', at);
      }
      case 'configWrite':
        this.#soiled ||= !this.#functions.follows(operation);
        return this.#withOperands([operation.value], at, (value) =>
          this.#send(this.#functions.write(operation, value), 'configWrite', at),
        );
      case 'dma':
        return this.#dma(operation, at);
      case 'message':
        this.#functions.message(operation, at);
        this.#silent('message', at);
        return undefined;
      case 'settle':
        this.#silent('settle', at);
        return undefined;
      case 'reset':
        return this.#reset(at);
      case 'signal':
        return this.#signal(operation, at);
      case 'cpu':
      case 'controllerRead':
      case 'eoi':
        throw new Error(`operation ${at}: the QEMU target cannot execute "${operation.op}"`);
    }
  }

  #observe(at: number, observation: Observation): void {
    this.#observations[at] = observation;
  }

  #silent(of: 'store' | 'paint' | 'regWrite' | 'configWrite' | 'message' | 'settle' | 'reset', at: number): void {
    this.#observe(at, { of, begin: at, complete: at });
  }

  #send(line: string, of: 'regWrite' | 'configWrite', at: number): undefined {
    this.#machine.pipeline.add(line, at);
    this.#silent(of, at);
    return undefined;
  }

  #readValue(line: string, of: 'regRead' | 'configRead', at: number): undefined {
    const observe = (value: bigint) => this.#observe(at, { of, begin: at, complete: at, value });
    this.#machine.pipeline.read(line, observe, at);
    return undefined;
  }

  #store(operation: StoreOperation, at: number): Promise<void> | undefined {
    const { words, repeat = 1 } = operation;
    const address = Number(operation.address);
    const { pipeline } = this.#machine;
    if (!pipeline.empty && words.length * repeat <= FEW_WORDS) {
      for (let index = 0; index < words.length * repeat; index += 1) {
        pipeline.add(writeLine(8, address + index * 8, words[index % words.length]!), at);
      }
      this.#silent('store', at);
      return undefined;
    }
    const all = BigUint64Array.from(words);
    const whole = repeat === 1 ? all : new BigUint64Array(words.length * repeat);
    if (words.length === 1) {
      whole.fill(words[0]!);
    } else if (repeat > 1) {
      for (let index = 0; index < repeat; index += 1) {
        whole.set(all, index * all.length);
      }
    }
    return this.#write(address, new Uint8Array(whole.buffer), at, 'store');
  }

  #write(address: number, data: Uint8Array, at: number, of: 'store' | 'paint' = 'paint'): Promise<void> | undefined {
    return this.#afterFlush(() => {
      this.#machine.ram.write(address, data);
      this.#silent(of, at);
    });
  }

  #load(address: number, bytes: number, at: number): Promise<void> | undefined {
    return this.#afterFlush(() => {
      const data = this.#machine.ram.read(address, bytes);
      this.#observe(at, { of: 'load', begin: at, complete: at, data });
    });
  }

  /** Memory is accessed behind QEMU's back, so that nothing may be in flight. */
  #afterFlush(work: () => void): Promise<void> | undefined {
    const { pipeline } = this.#machine;
    if (pipeline.empty) {
      work();
      return undefined;
    }
    return pipeline.flush().then(work);
  }

  #paint(address: number, bytes: number): Uint8Array {
    const from = address - ARENA.base;
    return from >= 0 && from + bytes <= ARENA.bytes
      ? this.#arenaPaint.subarray(from, from + bytes)
      : paint(address, bytes);
  }

  #register(operation: RegisterReadOperation | RegisterWriteOperation, at: number): Promise<void> | undefined {
    const { index = 0n, size } = operation;
    if (operation.op === 'regRead') {
      return this.#withOperands([index], at, (which) =>
        this.#readValue(readLine(size, this.#address(operation, which)), 'regRead', at),
      );
    }
    this.#soiled ||= !RESTORED_REGISTERS.has(operation.register);
    this.#usedQueue ||= usesQueue(operation);
    return this.#withOperands([operation.value, index], at, (value, which) =>
      this.#send(writeLine(size, this.#address(operation, which ?? 0n), value), 'regWrite', at),
    );
  }

  #address(register: RegisterAddress, index: bigint): number {
    const offset = resolveRegister(this.#profile, register, index);
    if (offset < 0 || offset + register.size > VTD_REGISTERS_BYTES) {
      throw new Error(`register ${register.register}: offset ${offset} is outside the unit's 4 KiB of registers`);
    }
    return VTD_REGISTERS_BASE + offset;
  }

  /** Resolves operands, after the answers they refer to have come. */
  #withOperands(
    operands: readonly Operand[],
    at: number,
    use: (first: bigint, second: bigint | undefined) => undefined,
  ): Promise<void> | undefined {
    const proceed = () => {
      const [first, second] = operands.map((operand) => resolveOperand(operand, this.#observations));
      use(first!, second);
    };
    const unseen = operands.some((operand) => typeof operand !== 'bigint' && this.#awaited(operand.ref, at));
    if (unseen) {
      return this.#machine.pipeline.flush().then(proceed);
    }
    proceed();
    return undefined;
  }

  #awaited(ref: number, at: number): boolean {
    return ref < at && this.#observations[ref] === undefined;
  }

  async #poll(operation: PollOperation, at: number): Promise<void> {
    const { pipeline } = this.#machine;
    const { mask, expect, limit, index = 0n, size } = operation;
    let line = '';
    await this.#withOperands([index], at, (which) => {
      line = readLine(size, this.#address(operation, which));
      return undefined;
    });
    if (this.#hopes && limit > 0) {
      pipeline.read(
        line,
        (value) => {
          this.#disappointed ||= (value & mask) !== expect;
          this.#observe(at, { of: 'poll', begin: at, complete: at, satisfied: true, reads: 1, value });
        },
        at,
      );
      return;
    }
    let reads = 0;
    let value: bigint | undefined;
    const satisfied = () => value !== undefined && (value & mask) === expect;
    const see = (read: bigint) => {
      if (!satisfied()) {
        reads += 1;
        value = read;
      }
    };
    while (reads < limit && !satisfied()) {
      const count = reads === 0 ? 1 : Math.min(limit - reads, POLL_READS);
      for (let read = 0; read < count; read += 1) {
        pipeline.read(line, see, at);
      }
      await pipeline.flush();
    }
    const observed = { of: 'poll', begin: at, complete: at, satisfied: satisfied(), reads } as const;
    this.#observe(at, value === undefined ? observed : { ...observed, value });
  }

  async #dma(operation: DmaOperation, at: number): Promise<void> {
    const { direction, address, bytes, token } = operation;
    const requester = requesterPosition(operation.requester, at);
    checkDma(operation, at);
    const offset = slotOffset(direction, token, bytes);
    if (direction === 'read') {
      this.#reads.push({ at, requester, offset, bytes });
    }
    startDma(this.#machine.pipeline, EDUS[requester]!, { direction, address, offset, bytes }, at);
    await this.#machine.awaitDma([requester], at);
    this.#observe(at, { of: 'dma', begin: at, complete: at });
  }

  async #signal(operation: SignalOperation, at: number): Promise<void> {
    const messages = await this.#functions.signal(operation, at);
    const observed = { of: 'signal', begin: at, complete: at } as const;
    this.#observe(at, messages === undefined ? observed : { ...observed, messages });
  }

  async #reset(at: number): Promise<void> {
    await this.#machine.reset();
    this.#functions.reset();
    this.#silent('reset', at);
  }
}
