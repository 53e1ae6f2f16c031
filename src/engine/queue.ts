import {
  ICS_FIELDS,
  IQA_FIELDS,
  IQERCD_FIELDS,
  IQH_FIELDS,
  IQT_FIELDS,
  TABLE_MODE,
  VTD_REGISTERS,
} from '../../spec/layout/vtd.js';
import { DESCRIPTOR_BYTES, DESCRIPTOR_TYPE, DESCRIPTORS, QUEUE_ERROR } from '../../spec/layout/vtd-queue.js';
import { fieldMask } from './bits.js';
import type { CacheInvalidation } from './cache-invalidation.js';
import type { Capabilities } from './capabilities.js';
import { contextCoverOf, translationCoverOf } from './descriptor-covers.js';
import { DESCRIPTOR_PIECES, DescriptorCheck } from './descriptors.js';
import { EventMessage, type MessageSink } from './events.js';
import type { FaultLog } from './faults.js';
import type { PhysicalMemory } from './memory.js';
import type { Pace } from './pace.js';
import type { RegisterFile } from './registers.js';

const IQH = VTD_REGISTERS.IQH.offset;
const IQT = VTD_REGISTERS.IQT.offset;
const IQA = VTD_REGISTERS.IQA.offset;
const ICS = VTD_REGISTERS.ICS.offset;
const IQERCD = VTD_REGISTERS.IQERCD.offset;
const HEAD = fieldMask(IQH_FIELDS.QH, 0);
const TAIL = fieldMask(IQT_FIELDS.QT, 0);
const BASE_LOW = fieldMask(IQA_FIELDS.IQA, 0);
const DW = fieldMask(IQA_FIELDS.DW, 0);
const QS = fieldMask(IQA_FIELDS.QS, 0);
const IWC = fieldMask(ICS_FIELDS.IWC, 0);
const IQEI = fieldMask(IQERCD_FIELDS.IQEI, 0);

const TYPE = fieldMask(DESCRIPTOR_TYPE.low, 0);
const WAIT = DESCRIPTORS.inv_wait_dsc;
const WAIT_IF = fieldMask(WAIT.fields.IF, 0);
const WAIT_SW = fieldMask(WAIT.fields.SW, 0);
const STATUS_ADDRESS_LOW = fieldMask(WAIT.fields.STATUS_ADDRESS, 2);

const PAGE_BYTES = 4096;
const TWO_TO_32 = 2 ** 32;

/** What the invalidation queue works with. */
export interface QueueOptions {
  readonly registers: RegisterFile;
  readonly capabilities: Capabilities;
  readonly memory: PhysicalMemory;
  readonly faults: FaultLog;
  readonly sendMessage: MessageSink;
  readonly invalidation: CacheInvalidation;
  readonly pace: Pace;
  /** The latched TTM. */
  readonly mode: () => number;
}

/**
 * Queued invalidation. What descriptors ask for is done in their order, so a wait finds all earlier work complete.
 * The head moves when a descriptor is found valid.
 */
export class InvalidationQueue {
  /** QIES. */
  private enabled = false;
  private busy = false;
  private readonly registers: RegisterFile;
  private readonly capabilities: Capabilities;
  private readonly memory: PhysicalMemory;
  private readonly faults: FaultLog;
  private readonly invalidation: CacheInvalidation;
  private readonly pace: Pace;
  private readonly mode: () => number;
  private readonly completion: EventMessage;
  private readonly check: DescriptorCheck;
  /** The descriptor read last. */
  private readonly descriptor = new Int32Array(DESCRIPTOR_PIECES);
  /** Implemented bits of a host address's high half. */
  private readonly hostHigh: number;

  constructor(options: QueueOptions) {
    const { registers, capabilities, memory, faults, sendMessage, invalidation, pace, mode } = options;
    this.registers = registers;
    this.capabilities = capabilities;
    this.memory = memory;
    this.faults = faults;
    this.invalidation = invalidation;
    this.pace = pace;
    this.mode = mode;
    this.completion = new EventMessage(registers, VTD_REGISTERS.IECTL.offset, sendMessage);
    this.check = new DescriptorCheck(capabilities);
    this.hostHigh = fieldMask([capabilities.hostAddressWidth - 1, 0], 1);
    registers.onWrite(IQT, () => pace.later(() => this.run()));
    registers.onWrite(VTD_REGISTERS.FSTS.offset, () => pace.later(() => this.run()));
    registers.onWrite(ICS, () => this.acknowledge());
  }

  /** Switches the queue on or off; switched off, its head is 0. */
  enable(on: boolean): void {
    this.enabled = on;
    if (!on) {
      this.registers.set(IQH, 0);
    }
    this.run();
  }

  /** Takes what lies between head and tail, up to an error. */
  private run(): void {
    // A message's receiver may write registers; the loop that is under way sees what it wrote.
    if (this.busy) {
      return;
    }
    this.busy = true;
    let left = this.pace.batch();
    try {
      while (left > 0 && this.step()) {
        left--;
      }
    } finally {
      this.busy = false;
    }
    if (left <= 0) {
      this.pace.later(() => this.run());
    }
  }

  /** Takes the descriptor at the head; false when there is none. */
  private step(): boolean {
    const { registers } = this;
    if (!this.enabled || this.faults.queueStopped) {
      return false;
    }
    const attributes = registers.get(IQA);
    const wide = (attributes & DW) !== 0;
    const width = wide ? DESCRIPTOR_BYTES[1] : DESCRIPTOR_BYTES[0];
    const size = PAGE_BYTES << (attributes & QS);
    const tail = registers.get(IQT) & TAIL;
    if ((registers.get(IQH) & HEAD) === tail) {
      return false;
    }
    // A head that a change of IQA left outside the queue or between descriptors comes back into it.
    const head = registers.get(IQH) & (size - width);
    const error = this.queueError(wide, tail, size) || this.fetch(attributes, head, width) || this.descriptorError();
    if (error !== QUEUE_ERROR.none) {
      registers.set(IQH, head);
      registers.set(IQERCD, (registers.get(IQERCD) & ~IQEI) | error);
      this.faults.stopQueue();
      return false;
    }
    registers.set(IQH, (head + width) & (size - 1));
    const taken = this.descriptor.slice();
    this.pace.later(() => this.perform(taken));
    return true;
  }

  /** What is wrong with the queue as such. */
  private queueError(wide: boolean, tail: number, size: number): number {
    const { abortMode, scalableMode } = this.capabilities;
    const mode = this.mode();
    if (wide && !abortMode && !scalableMode) {
      return QUEUE_ERROR.widthInvalid;
    }
    if (mode !== TABLE_MODE.legacy && !(mode === TABLE_MODE.abort && abortMode)) {
      return QUEUE_ERROR.tableModeInvalid;
    }
    if (!wide && mode !== TABLE_MODE.legacy) {
      return QUEUE_ERROR.widthInvalid;
    }
    if (tail >= size) {
      return QUEUE_ERROR.tailInvalid;
    }
    return tail % (wide ? DESCRIPTOR_BYTES[1] : DESCRIPTOR_BYTES[0]) === 0
      ? QUEUE_ERROR.none
      : QUEUE_ERROR.tailMisaligned;
  }

  /** Reads the descriptor at an offset of the queue; devices' protected memory regions do not concern the unit. */
  private fetch(attributes: number, offset: number, width: number): number {
    const { descriptor, memory } = this;
    const address = (this.registers.get(IQA + 4) >>> 0) * TWO_TO_32 + ((attributes & BASE_LOW) >>> 0) + offset;
    const start = memory.frames[Math.floor(address / PAGE_BYTES)] ?? -1;
    if (start < 0) {
      return QUEUE_ERROR.fetchFailed;
    }
    const from = start + (address % PAGE_BYTES) / 4;
    for (let piece = 0; piece < DESCRIPTOR_PIECES; piece++) {
      descriptor[piece] = piece < width / 4 ? memory.words[from + piece]! : 0;
    }
    return QUEUE_ERROR.none;
  }

  /** Outside legacy mode descriptors are 256 bits wide, or they would not have been fetched. */
  private descriptorError(): number {
    return this.check.errorOf(this.descriptor, this.mode() !== TABLE_MODE.legacy);
  }

  /** Does what a valid descriptor asks for; a unit without interrupt-entry cache has nothing else to remove. */
  private perform(descriptor: Int32Array): void {
    const { invalidation } = this;
    switch (descriptor[0]! & TYPE) {
      case DESCRIPTORS.cc_inv_dsc.type:
        invalidation.contexts(contextCoverOf(descriptor, invalidation));
        break;
      case DESCRIPTORS.iotlb_inv_dsc.type:
        invalidation.translations(translationCoverOf(descriptor, invalidation));
        break;
      case WAIT.type:
        this.completeWait(descriptor);
        break;
    }
  }

  private completeWait(descriptor: Int32Array): void {
    const { registers } = this;
    const flags = descriptor[0]!;
    if ((flags & WAIT_SW) !== 0) {
      const low = (descriptor[2]! & STATUS_ADDRESS_LOW) >>> 0;
      const high = (descriptor[3]! & this.hostHigh) >>> 0;
      this.memory.writeHalfWord(high * TWO_TO_32 + low, descriptor[1]!);
    }
    if ((flags & WAIT_IF) !== 0 && (registers.get(ICS) & IWC) === 0) {
      registers.set(ICS, registers.get(ICS) | IWC);
      this.completion.raise();
    }
  }

  /** Software wrote ICS; once it has seen the completion, a message held back is not sent any more. */
  private acknowledge(): void {
    if ((this.registers.get(ICS) & IWC) === 0) {
      this.completion.withdraw();
    }
  }
}
