import type { InterruptMessage, Observation } from '../../spec/interface/observations.js';
import type {
  DmaOperation,
  Operation,
  PaintOperation,
  PollOperation,
  RegisterAddress,
  RegisterWriteOperation,
  StoreOperation,
} from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { StartState } from '../../spec/interface/scenario.js';
import type { BatchResult, LateData, Target } from '../../spec/interface/target.js';
import { paintWord, TOKEN_BYTES, tokenBytes } from '../../spec/layout/tokens.js';
import { GLOBAL_COMMAND, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import {
  createUnit,
  DEFAULT_SHAPE,
  DmaPort,
  isShapeName,
  PhysicalMemory,
  type RemappingUnit,
  SHAPE_NAMES,
  type Shape,
  SOURCE_UNIT,
  shapeOf,
} from '../engine/index.js';
import { EngineFunctions } from './engine-functions.js';
import {
  ARENA_BASE,
  ARENA_BYTES,
  COMPONENT,
  EMPTY_ROOT,
  engineProfile,
  HIGH_RAM_BASE,
  LOW_RAM_END,
  RAM_END,
  TOKENS,
} from './engine-profile.js';
import { resolveOperand } from './operands.js';
import { accessOffset, type RegisterPlace, registerPlace } from './registers.js';

/** Options of the engine target. */
export interface EngineTargetOptions {
  /** Name of the engine's shape; a middling one when absent. */
  readonly shape?: string;
}

const NO_MESSAGES: readonly InterruptMessage[] = [];

/**
 * The project's own remapping unit as a target, in process, with four requesters and 512 MiB of memory.
 *
 * @throws Error when no shape has that name
 */
export function createEngineTarget(options: EngineTargetOptions = {}): Target {
  const name = options.shape ?? DEFAULT_SHAPE;
  if (!isShapeName(name)) {
    throw new Error(`no engine shape "${name}"; the shapes are ${SHAPE_NAMES.join(', ')}`);
  }
  return new EngineTarget(shapeOf(name));
}

/** The paint of the whole arena, as 32-bit words. */
function paintedArena(): Int32Array {
  const image = new BigUint64Array(ARENA_BYTES / 8);
  for (let n = 0; n < image.length; n++) {
    image[n] = paintWord(ARENA_BASE + BigInt(n * 8));
  }
  return new Int32Array(image.buffer);
}

class EngineTarget implements Target {
  readonly id = 'engine';
  private readonly profile: Profile;
  private readonly memory: PhysicalMemory;
  private readonly unit: RemappingUnit;
  private readonly port: DmaPort;
  private readonly functions: EngineFunctions;
  private readonly paint = paintedArena();
  /** Position in the profile, by requester. */
  private readonly positions: ReadonlyMap<string, number>;
  private readonly places = new Map<string, RegisterPlace>();
  /** Bytes of each token used so far, by requester position times `TOKENS` plus token. */
  private readonly tokens: (Uint8Array | undefined)[] = [];
  /** Splits 64-bit values into halves and joins them without intermediate values. */
  private readonly value64 = new BigUint64Array(1);
  private readonly halves = new Int32Array(this.value64.buffer);
  private observations: Observation[] | undefined;
  private messages: InterruptMessage[] = [];

  constructor(shape: Shape) {
    this.profile = engineProfile(shape);
    this.positions = new Map(this.profile.requesters.map((requester, position) => [requester.id, position]));
    this.memory = new PhysicalMemory([
      { base: 0, bytes: Number(LOW_RAM_END) },
      { base: Number(HIGH_RAM_BASE), bytes: Number(RAM_END - HIGH_RAM_BASE) },
    ]);
    this.memory.setImage(Number(ARENA_BASE), this.paint);
    const sendMessage = (high: number, low: number, data: number, source: number) =>
      this.collectMessage(high, low, data, source);
    this.unit = createUnit({ shape, memory: this.memory, sendMessage });
    this.port = new DmaPort(this.unit, this.memory, sendMessage);
    this.functions = new EngineFunctions(this.profile.requesters, this.port);
  }

  async describe(): Promise<Profile> {
    return this.profile;
  }

  async begin(start: StartState): Promise<undefined> {
    this.memory.reset();
    this.reset('cold');
    this.observations = [];
    this.messages = [];
    if (start === 'ready') {
      const { registers } = this.unit;
      registers.write(VTD_REGISTERS.RTADDR.offset, Number(EMPTY_ROOT));
      registers.write(VTD_REGISTERS.GCMD.offset, 1 << GLOBAL_COMMAND.SRTP);
      registers.write(VTD_REGISTERS.GCMD.offset, 1 << GLOBAL_COMMAND.TE);
      this.unit.settle();
    }
  }

  async run(operations: readonly Operation[]): Promise<BatchResult> {
    const all = this.observations;
    if (all === undefined) {
      throw new Error('target engine: run before begin');
    }
    const first = all.length;
    for (const operation of operations) {
      all.push(this.execute(operation, all));
    }
    return { observations: all.slice(first) };
  }

  async finish(): Promise<{ readonly late: readonly LateData[] }> {
    this.observations = undefined;
    return { late: [] };
  }

  async close(): Promise<void> {
    this.observations = undefined;
  }

  private execute(operation: Operation, all: readonly Observation[]): Observation {
    const begin = 2 * all.length;
    this.unit.elapse();
    const shown = this.perform(operation, all);
    let messages = NO_MESSAGES;
    if (this.messages.length > 0) {
      messages = this.messages;
      this.messages = [];
    }
    return { ...shown, begin, complete: begin + 1, messages };
  }

  private perform(operation: Operation, all: readonly Observation[]): Shown<Observation> {
    switch (operation.op) {
      case 'store':
        return this.store(operation);
      case 'paint':
        return this.repaint(operation);
      case 'load':
        return { of: 'load', data: this.memory.copy(byteAddress('load', operation.address), operation.bytes) };
      case 'regWrite':
        return this.writeRegister(operation, all);
      case 'regRead':
        return { of: 'regRead', value: this.readRegister(this.offsetOf(operation, all), operation.size) };
      case 'poll':
        return this.poll(operation, all);
      case 'dma':
        return this.dma(operation);
      case 'message':
        this.halves[0] = Number(BigInt.asIntN(32, operation.data));
        this.deviceWrite(operation.requester, operation.address, new Uint8Array(this.halves.slice(0, 1).buffer));
        return { of: 'message' };
      case 'signal':
        this.functions.signal(this.positionOf(operation.requester));
        return { of: 'signal' };
      case 'configRead':
        return { of: 'configRead', value: this.functions.read(operation) };
      case 'configWrite':
        this.functions.write(operation, resolveOperand(operation.value, all));
        return { of: 'configWrite' };
      case 'settle':
        this.unit.settle();
        return { of: 'settle' };
      case 'reset':
        this.reset(operation.scope);
        return { of: 'reset' };
      default:
        throw new Error(`target engine: operation '${operation.op}' (number ${all.length}) is not supported`);
    }
  }

  /** Memory keeps its contents. */
  private reset(scope: 'warm' | 'cold'): void {
    this.unit.reset(scope);
    this.functions.reset();
  }

  private store({ address, words, repeat = 1 }: StoreOperation): Shown<Observation> {
    const first = byteAddress('store', address);
    if (words.length === 1) {
      this.memory.fillWords(first, words[0]!, repeat);
      return { of: 'store' };
    }
    for (let round = 0; round < repeat; round++) {
      this.memory.writeWords(first + round * words.length * 8, words);
    }
    return { of: 'store' };
  }

  private repaint({ address, bytes }: PaintOperation): Shown<Observation> {
    const first = byteAddress('paint', address);
    const arena = Number(ARENA_BASE);
    for (let place = first; place < first + bytes; place += 8) {
      if (place >= arena && place < arena + ARENA_BYTES) {
        const at = (place - arena) / 4;
        this.memory.writeWord(place, this.paint[at]!, this.paint[at + 1]!);
      } else {
        this.value64[0] = paintWord(BigInt(place));
        this.memory.writeWord(place, this.halves[0]!, this.halves[1]!);
      }
    }
    return { of: 'paint' };
  }

  private offsetOf(address: RegisterAddress, all: readonly Observation[]): number {
    const key = address.component === COMPONENT ? address.register : `${address.component}.${address.register}`;
    let place = this.places.get(key);
    if (place === undefined) {
      place = registerPlace(this.profile, address.component, address.register);
      this.places.set(key, place);
    }
    const index = address.index === undefined ? 0n : resolveOperand(address.index, all);
    return accessOffset(place, address, index);
  }

  /** An 8-byte access is two of 4 bytes, the lower one first; one that is not aligned reads 0. */
  private readRegister(offset: number, size: 4 | 8): bigint {
    const aligned = offset % size === 0;
    this.halves[0] = aligned ? this.unit.registers.read(offset) : 0;
    this.halves[1] = aligned && size === 8 ? this.unit.registers.read(offset + 4) : 0;
    return this.value64[0]!;
  }

  private writeRegister(operation: RegisterWriteOperation, all: readonly Observation[]): Shown<Observation> {
    const offset = this.offsetOf(operation, all);
    this.value64[0] = resolveOperand(operation.value, all);
    const low = this.halves[0]!;
    const high = this.halves[1]!;
    if (offset % operation.size === 0) {
      this.unit.registers.write(offset, low);
      if (operation.size === 8) {
        this.unit.registers.write(offset + 4, high);
      }
    }
    return { of: 'regWrite' };
  }

  private poll(operation: PollOperation, all: readonly Observation[]): Shown<Observation> {
    const offset = this.offsetOf(operation, all);
    let value = 0n;
    let satisfied = false;
    let reads = 0;
    while (!satisfied && reads < operation.limit) {
      value = this.readRegister(offset, operation.size);
      satisfied = (value & operation.mask) === operation.expect;
      reads++;
    }
    return reads === 0 ? { of: 'poll', satisfied, reads } : { of: 'poll', value, satisfied, reads };
  }

  private dma(operation: DmaOperation): Shown<Observation> {
    if (operation.pasid !== undefined) {
      throw new Error('target engine: requests with PASID are not supported');
    }
    if (operation.direction === 'write') {
      const bytes = this.tokenOf(operation);
      const served = this.deviceWrite(operation.requester, operation.address, bytes, operation.noSnoop);
      return { of: 'dma', status: served ? 'ok' : 'unsupported-request', ...this.snooping() };
    }
    const data = new Uint8Array(operation.bytes);
    const routingId = this.routingIdOf(operation.requester);
    this.value64[0] = operation.address;
    const served = this.port.read(routingId, this.halves[1]!, this.halves[0]!, data, operation.noSnoop);
    return { of: 'dma', status: served ? 'ok' : 'unsupported-request', data, ...this.snooping() };
  }

  /** What the platform saw of the last request's accesses to memory, if there were any. */
  private snooping(): { readonly snooped?: boolean } {
    return this.port.reachedMemory ? { snooped: this.port.snooped } : {};
  }

  private deviceWrite(requester: string, address: bigint, bytes: Uint8Array, noSnoop = false): boolean {
    const routingId = this.routingIdOf(requester);
    this.value64[0] = address;
    return this.port.write(routingId, this.halves[1]!, this.halves[0]!, bytes, noSnoop);
  }

  private tokenOf({ requester, token, bytes }: DmaOperation): Uint8Array {
    const position = this.positionOf(requester);
    if (bytes > TOKEN_BYTES || token >= TOKENS) {
      return tokenBytes(position, token, bytes);
    }
    const key = position * TOKENS + token;
    const whole = this.tokens[key] ?? tokenBytes(position, token, TOKEN_BYTES);
    this.tokens[key] = whole;
    return whole.subarray(0, bytes);
  }

  private routingIdOf(requester: string): number {
    return this.profile.requesters[this.positionOf(requester)]!.routingId;
  }

  private positionOf(requester: string): number {
    const position = this.positions.get(requester);
    if (position === undefined) {
      const known = [...this.positions.keys()].join(', ');
      throw new Error(`target engine: no requester "${requester}" (there are ${known})`);
    }
    return position;
  }

  private collectMessage(high: number, low: number, data: number, source: number): void {
    const address = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    const message = { address, data: BigInt(data) };
    this.messages.push(source === SOURCE_UNIT ? message : { ...message, source });
  }
}

/** An observation without what every one has; distributes over the union. */
type Shown<T> = T extends Observation ? Omit<T, 'begin' | 'complete' | 'messages'> : never;

/** Exact below 2^53; what lies above is a hole anyway. */
function byteAddress(operation: string, address: bigint): number {
  if ((address & 7n) !== 0n) {
    throw new Error(`target engine: ${operation} at 0x${address.toString(16)} is not 8-byte aligned`);
  }
  return Number(address);
}
