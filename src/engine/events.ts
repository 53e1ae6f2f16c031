import { FECTL_FIELDS, IECTL_FIELDS } from '../../spec/layout/vtd.js';
import { fieldMask } from './bits.js';
import type { RegisterFile } from './registers.js';

/**
 * Receives the interrupt messages that come out of the unit: 64-bit address as int32 halves, data as uint32, and the
 * routing ID of the device that sent it, or -1 for the unit's own events.
 */
export type MessageSink = (addressHigh: number, addressLow: number, data: number, source: number) => void;

/** Source of messages that no device sent. */
export const SOURCE_UNIT = -1;

/** IM and IP lie at the same place in both control registers. */
const IM = fieldMask(FECTL_FIELDS.IM, 0) | fieldMask(IECTL_FIELDS.IM, 0);
const IP = fieldMask(FECTL_FIELDS.IP, 0) | fieldMask(IECTL_FIELDS.IP, 0);

/** Distance of an event's other registers from its control register. */
const DATA = 4;
const ADDRESS = 8;
const UPPER_ADDRESS = 12;

/** An event with its four registers: its message goes out at once, or is held (IP) for as long as IM masks it. */
export class EventMessage {
  private readonly registers: RegisterFile;
  private readonly control: number;
  private readonly sendMessage: MessageSink;

  /** @param control byte offset of the control register, with data, address and upper address behind it */
  constructor(registers: RegisterFile, control: number, sendMessage: MessageSink) {
    this.registers = registers;
    this.control = control;
    this.sendMessage = sendMessage;
    registers.onWrite(control, () => this.sendHeld());
  }

  /** The event happened. */
  raise(): void {
    this.registers.set(this.control, this.registers.get(this.control) | IP);
    this.sendHeld();
  }

  /** What the event was about is gone; a message held back is not sent any more. */
  withdraw(): void {
    this.registers.set(this.control, this.registers.get(this.control) & ~IP);
  }

  private sendHeld(): void {
    const { registers, control } = this;
    const state = registers.get(control);
    if ((state & (IM | IP)) === IP) {
      registers.set(control, state & ~IP);
      const data = registers.get(control + DATA) >>> 0;
      this.sendMessage(registers.get(control + UPPER_ADDRESS), registers.get(control + ADDRESS), data, SOURCE_UNIT);
    }
  }
}
