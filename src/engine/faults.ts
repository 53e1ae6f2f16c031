import { FECTL_FIELDS, FRCD_FIELDS, FSTS_FIELDS, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift } from './bits.js';
import type { Capabilities } from './capabilities.js';
import type { RegisterFile } from './registers.js';

/**
 * Receives the interrupt messages that come out of the unit: 64-bit address as int32 halves, data as uint32, and the
 * routing ID of the device that sent it, or -1 for the unit's own events.
 */
export type MessageSink = (addressHigh: number, addressLow: number, data: number, source: number) => void;

/** Source of messages that no device sent. */
export const SOURCE_UNIT = -1;

const FSTS = VTD_REGISTERS.FSTS.offset;
const FECTL = VTD_REGISTERS.FECTL.offset;
const PFO = fieldMask(FSTS_FIELDS.PFO, 0);
const PPF = fieldMask(FSTS_FIELDS.PPF, 0);
const FRI = fieldMask(FSTS_FIELDS.FRI, 0);
const FRI_SHIFT = fieldShift(FSTS_FIELDS.FRI);
/** Any of these set keeps a new condition from raising an event. */
const PENDING =
  PFO | PPF | fieldMask(FSTS_FIELDS.IQE, 0) | fieldMask(FSTS_FIELDS.ICE, 0) | fieldMask(FSTS_FIELDS.ITE, 0);
const IM = fieldMask(FECTL_FIELDS.IM, 0);
const IP = fieldMask(FECTL_FIELDS.IP, 0);

const FAULT_ADDRESS = fieldMask(FRCD_FIELDS.FI, 0);
const F = fieldMask(FRCD_FIELDS.F, 3);
const T1_READ = fieldMask(FRCD_FIELDS.T1, 3);
const FR_SHIFT = fieldShift(FRCD_FIELDS.FR);

const RECORD_BYTES = 16;
const FLAG_PIECE = 12;

/** Primary fault recording (NFR + 1 records) and the fault event. */
export class FaultLog {
  /** Next record to use. */
  private index = 0;
  private readonly registers: RegisterFile;
  private readonly sendMessage: MessageSink;
  private readonly first: number;
  private readonly count: number;

  constructor(registers: RegisterFile, capabilities: Capabilities, sendMessage: MessageSink) {
    this.registers = registers;
    this.sendMessage = sendMessage;
    this.first = capabilities.faultRecordOffset;
    this.count = capabilities.faultRecords;
    registers.onWrite(FSTS, () => this.settlePending());
    registers.onWrite(FECTL, () => this.sendHeldEvent());
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
    const at = this.first + RECORD_BYTES * this.index;
    registers.set(at, low & FAULT_ADDRESS);
    registers.set(at + 4, high);
    registers.set(at + 8, routingId);
    registers.set(at + FLAG_PIECE, F | (isWrite === 0 ? T1_READ : 0) | (reason << FR_SHIFT));
    if ((status & PPF) === 0) {
      registers.set(FSTS, (status & ~FRI) | (this.index << FRI_SHIFT) | PPF);
      this.raiseEvent(status);
    }
    this.index = (this.index + 1) % this.count;
  }

  /** The next fault goes to record 0: neither DMA nor interrupts are remapped. */
  restart(): void {
    this.index = 0;
  }

  /** Power-good reset of the sticky state: records, FSTS. */
  clear(): void {
    this.index = 0;
    this.registers.set(FSTS, 0);
    for (let offset = this.first; offset < this.first + RECORD_BYTES * this.count; offset += 4) {
      this.registers.set(offset, 0);
    }
  }

  private flagOffset(n: number): number {
    return this.first + RECORD_BYTES * n + FLAG_PIECE;
  }

  /** @param before FSTS as it was before the new condition was set */
  private raiseEvent(before: number): void {
    if ((before & PENDING) === 0) {
      this.registers.set(FECTL, this.registers.get(FECTL) | IP);
      this.sendHeldEvent();
    }
  }

  private sendHeldEvent(): void {
    const { registers } = this;
    const control = registers.get(FECTL);
    if ((control & (IM | IP)) === IP) {
      registers.set(FECTL, control & ~IP);
      const data = registers.get(VTD_REGISTERS.FEDATA.offset) >>> 0;
      const low = registers.get(VTD_REGISTERS.FEADDR.offset);
      this.sendMessage(registers.get(VTD_REGISTERS.FEUADDR.offset), low, data, SOURCE_UNIT);
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
      this.registers.set(FECTL, this.registers.get(FECTL) & ~IP);
    }
  }
}
