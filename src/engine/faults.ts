import { FRCD_FIELDS, FSTS_FIELDS, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift } from './bits.js';
import type { Capabilities } from './capabilities.js';
import { EventMessage, type MessageSink } from './events.js';
import { FAULT_RECORD_BYTES } from './register-map.js';
import type { RegisterFile } from './registers.js';

const FSTS = VTD_REGISTERS.FSTS.offset;
const PFO = fieldMask(FSTS_FIELDS.PFO, 0);
const PPF = fieldMask(FSTS_FIELDS.PPF, 0);
const FRI = fieldMask(FSTS_FIELDS.FRI, 0);
const FRI_SHIFT = fieldShift(FSTS_FIELDS.FRI);
const IQE = fieldMask(FSTS_FIELDS.IQE, 0);
/** Any of these set keeps a new condition from raising an event. */
const PENDING = PFO | PPF | IQE | fieldMask(FSTS_FIELDS.ICE, 0) | fieldMask(FSTS_FIELDS.ITE, 0);

const FAULT_ADDRESS = fieldMask(FRCD_FIELDS.FI, 0);
const F = fieldMask(FRCD_FIELDS.F, 3);
const T1_READ = fieldMask(FRCD_FIELDS.T1, 3);
const FR_SHIFT = fieldShift(FRCD_FIELDS.FR);

const SID_PIECE = 8;
const FLAG_PIECE = 12;

/** Primary fault recording (NFR + 1 records), the fault status and the fault event. */
export class FaultLog {
  /** Next record to use. */
  private index = 0;
  private readonly registers: RegisterFile;
  private readonly event: EventMessage;
  private readonly first: number;
  private readonly count: number;

  constructor(registers: RegisterFile, capabilities: Capabilities, sendMessage: MessageSink) {
    this.registers = registers;
    this.event = new EventMessage(registers, VTD_REGISTERS.FECTL.offset, sendMessage);
    this.first = capabilities.faultRecordOffset;
    this.count = capabilities.faultRecords;
    registers.onWrite(FSTS, () => this.settlePending());
    for (let n = 0; n < this.count; n++) {
      registers.onWrite(this.flagOffset(n), () => this.recomputePending());
    }
  }

  /**
   * Records a fault of a request without PASID.
   *
   * @param reason fault reason, 8 bits
   * @param high high half of the request's address
   * @param low low half; bits 11:0 are not recorded
   * @param isWrite not 0 for a write
   */
  record(reason: number, routingId: number, high: number, low: number, isWrite: number): void {
    const { registers } = this;
    const status = registers.get(FSTS);
    if ((status & PFO) !== 0) {
      return;
    }
    if ((registers.get(this.flagOffset(this.index)) & F) !== 0) {
      registers.set(FSTS, status | PFO);
      return;
    }
    const { index } = this;
    this.index = (index + 1) % this.count;
    const at = this.first + FAULT_RECORD_BYTES * index;
    registers.set(at, low & FAULT_ADDRESS);
    registers.set(at + 4, high);
    registers.set(at + SID_PIECE, routingId);
    registers.set(at + FLAG_PIECE, F | (isWrite === 0 ? T1_READ : 0) | (reason << FR_SHIFT));
    if ((status & PPF) === 0) {
      registers.set(FSTS, (status & ~FRI) | (index << FRI_SHIFT) | PPF);
      this.raiseEvent(status);
    }
  }

  /** Whether some record with F=1 is of that requester. */
  protected isPending(routingId: number): boolean {
    const { registers } = this;
    for (let n = 0; n < this.count; n++) {
      const flag = this.flagOffset(n);
      if ((registers.get(flag) & F) !== 0 && registers.get(flag - FLAG_PIECE + SID_PIECE) === routingId) {
        return true;
      }
    }
    return false;
  }

  /** Whether the invalidation queue stands still because of an error (FSTS.IQE). */
  get queueStopped(): boolean {
    return (this.registers.get(FSTS) & IQE) !== 0;
  }

  /** The invalidation queue met an error and stops. */
  stopQueue(): void {
    const status = this.registers.get(FSTS);
    this.registers.set(FSTS, status | IQE);
    this.raiseEvent(status);
  }

  /** The next fault goes to record 0: neither DMA nor interrupts are remapped. */
  restart(): void {
    this.index = 0;
  }

  private flagOffset(n: number): number {
    return this.first + FAULT_RECORD_BYTES * n + FLAG_PIECE;
  }

  /** @param before FSTS as it was before the new condition was set */
  private raiseEvent(before: number): void {
    if ((before & PENDING) === 0) {
      this.event.raise();
    }
  }

  /** Software cleared an F bit: PPF is the OR of those left. */
  private recomputePending(): void {
    let any = 0;
    for (let n = 0; n < this.count; n++) {
      any |= this.registers.get(this.flagOffset(n)) & F;
    }
    if (any === 0) {
      this.registers.set(FSTS, this.registers.get(FSTS) & ~PPF);
      this.settlePending();
    }
  }

  /** Once no condition is left, an event that was held back is gone. */
  private settlePending(): void {
    if ((this.registers.get(FSTS) & PENDING) === 0) {
      this.event.withdraw();
    }
  }
}
