import { FAULT, RTADDR_FIELDS, TABLE_MODE, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift } from './bits.js';
import { type Capabilities, capabilitiesOf } from './capabilities.js';
import { ContextLookup } from './context.js';
import type { MessageSink } from './events.js';
import { FaultLog } from './faults.js';
import { GlobalCommand } from './global-command.js';
import { RegisterInvalidation } from './invalidation.js';
import type { PhysicalMemory } from './memory.js';
import { ProtectedMemory } from './protected-memory.js';
import { InvalidationQueue } from './queue.js';
import { RegisterFile } from './registers.js';
import type { Shape } from './shapes.js';
import { ACCESS, type Access, inInterruptRange, SecondStageWalk } from './walk.js';

/** What became of a request, where it is not the (positive) fault reason. */
export const OUTCOME = {
  /** It goes to memory at `outHigh`, `outLow`. */
  translated: 0,
  /** It is an interrupt request, to be sent as a message. */
  interrupt: -1,
  /** It was to go to protected memory: it is blocked, and no fault is recorded. */
  protected: -2,
} as const;

const RTADDR = VTD_REGISTERS.RTADDR.offset;
const ROOT_LOW = fieldMask(RTADDR_FIELDS.RTA, 0);
const TTM = fieldMask(RTADDR_FIELDS.TTM, 0);
const TTM_SHIFT = fieldShift(RTADDR_FIELDS.TTM);
const SSIRWE = fieldMask(RTADDR_FIELDS.SSIRWE, 0);

/** What a remapping unit is made of. */
export interface UnitOptions {
  readonly shape: Shape;
  /** Host-physical memory, where the tables lie. */
  readonly memory: PhysicalMemory;
  /** Receives the messages of the unit's fault and completion events. */
  readonly sendMessage: MessageSink;
}

/**
 * A DMA-remapping unit in legacy mode. 64-bit addresses are pairs of int32 halves; a translation leaves its result in
 * `outHigh` and `outLow` and allocates nothing.
 */
export class RemappingUnit {
  readonly capabilities: Capabilities;
  readonly registers: RegisterFile;
  /** Host address of the last request that was {@link OUTCOME.translated}. */
  outHigh = 0;
  outLow = 0;

  /** Whether that request is to be snooped whatever its no-snoop attribute says; not 0 then. */
  forcesSnoop = 0;

  private readonly context: ContextLookup;
  private readonly secondStage: SecondStageWalk;
  private readonly faults: FaultLog;
  private readonly protectedMemory: ProtectedMemory;
  private readonly queue: InvalidationQueue | undefined;
  /** TES. */
  private enabled = false;
  /** What SRTP latched from RTADDR. */
  private rootHigh = 0;
  private rootLow = 0;
  private mode: number = TABLE_MODE.legacy;
  /** Fault reason that the latched mode gives every DMA request; 0 in legacy mode. */
  private modeFault = 0;
  /** Bits of an address's high half at or above the host address width. */
  private readonly beyondHost: number;

  constructor({ shape, memory, sendMessage }: UnitOptions) {
    this.capabilities = capabilitiesOf(shape);
    this.registers = new RegisterFile(this.capabilities);
    this.context = new ContextLookup(memory, this.capabilities);
    this.secondStage = new SecondStageWalk(memory, this.capabilities);
    this.faults = new FaultLog(this.registers, this.capabilities, sendMessage);
    this.beyondHost = fieldMask([63, this.capabilities.hostAddressWidth], 1);
    this.protectedMemory = new ProtectedMemory(this.registers, this.capabilities);
    this.queue = this.capabilities.queuedInvalidation ? this.createQueue(memory, sendMessage) : undefined;
    // The registers reach these by their handlers; they keep nothing that is needed here.
    new RegisterInvalidation(this.registers, this.capabilities, () => this.mode === TABLE_MODE.legacy);
    new GlobalCommand(this.registers, this.capabilities, {
      latchRootTable: () => this.latchRootTable(),
      enableTranslation: (on) => {
        this.enabled = on;
      },
      enableQueue: (on) => this.queue?.enable(on),
      restartFaults: () => this.faults.restart(),
    });
    this.reset('cold');
  }

  /** Resets the unit; a `warm` reset keeps the sticky fault records and status. */
  reset(scope: 'warm' | 'cold'): void {
    this.enabled = false;
    this.rootHigh = 0;
    this.rootLow = 0;
    this.mode = TABLE_MODE.legacy;
    this.modeFault = 0;
    this.registers.reset(scope);
    this.faults.restart();
    this.queue?.enable(false);
    this.protectedMemory.update();
  }

  /**
   * Decides one request without PASID that stays inside a 4 KiB page; a refused one is recorded as a fault as the
   * architecture asks.
   *
   * @param routingId 16 bits
   * @param high high half of the address, int32
   * @param low low half, int32
   * @returns a value of {@link OUTCOME}, or the fault reason, which is positive
   */
  translate(routingId: number, high: number, low: number, access: Access): number {
    const outcome = this.decide(routingId, high, low, access);
    const blocked =
      this.protectedMemory.active &&
      outcome === OUTCOME.translated &&
      this.protectedMemory.covers(this.outHigh, this.outLow);
    return blocked ? OUTCOME.protected : outcome;
  }

  /** What the tables say, or the address itself where they are not asked. */
  private decide(routingId: number, high: number, low: number, access: Access): number {
    this.forcesSnoop = 0;
    if (inInterruptRange(high, low)) {
      return this.interruptRange(routingId, high, low, access);
    }
    if (!this.enabled) {
      this.outHigh = high;
      this.outLow = low;
      return OUTCOME.translated;
    }
    const reason = this.remap(routingId, high, low, access);
    if (reason !== 0) {
      this.refuse(reason, routingId, high, low, access);
    }
    return reason;
  }

  private remap(routingId: number, high: number, low: number, access: Access): number {
    const { context, secondStage } = this;
    if (this.modeFault !== 0) {
      return this.modeFault;
    }
    const unfound = context.lookUp(routingId, this.rootHigh, this.rootLow);
    if (unfound !== 0) {
      return unfound;
    }
    if (context.passThrough !== 0) {
      if ((high & this.beyondHost) !== 0) {
        return FAULT.ADDRESS_BEYOND_WIDTH;
      }
      this.outHigh = high;
      this.outLow = low;
      return OUTCOME.translated;
    }
    const refused = secondStage.walk(context.tableHigh, context.tableLow, context.levels, high, low, access);
    this.outHigh = secondStage.outHigh;
    this.outLow = secondStage.outLow;
    this.forcesSnoop = secondStage.forcesSnoop;
    return refused;
  }

  /** Requests to the interrupt range are never looked up in tables. */
  private interruptRange(routingId: number, high: number, low: number, access: Access): number {
    if (access === ACCESS.dwordWrite) {
      return OUTCOME.interrupt;
    }
    if (!this.enabled || access === ACCESS.zeroLengthRead) {
      this.outHigh = high;
      this.outLow = low;
      return OUTCOME.translated;
    }
    this.faults.record(FAULT.INTERRUPT_RANGE_REQUEST, routingId, high, low, access & 1);
    return FAULT.INTERRUPT_RANGE_REQUEST;
  }

  private refuse(reason: number, routingId: number, high: number, low: number, access: Access): void {
    // Faults that FPD cannot silence come before a context entry was read, when FPD counts as 0.
    if (this.modeFault !== 0 || this.context.faultProcessingDisable === 0) {
      this.faults.record(reason, routingId, high, low, access & 1);
    }
  }

  private createQueue(memory: PhysicalMemory, sendMessage: MessageSink): InvalidationQueue {
    const { registers, capabilities, faults } = this;
    return new InvalidationQueue({ registers, capabilities, memory, faults, sendMessage, mode: () => this.mode });
  }

  private latchRootTable(): void {
    const low = this.registers.get(RTADDR);
    this.rootHigh = this.registers.get(RTADDR + 4);
    this.rootLow = low & ROOT_LOW;
    this.mode = (low & TTM) >>> TTM_SHIFT;
    if (this.mode === TABLE_MODE.abort && this.capabilities.abortMode) {
      this.modeFault = FAULT.ABORT_MODE;
    } else {
      const valid = this.mode === TABLE_MODE.legacy && (low & SSIRWE) === 0;
      this.modeFault = valid ? 0 : FAULT.ROOT_POINTER_INVALID;
    }
  }
}
