import { FAULT, RTADDR_FIELDS, TABLE_MODE, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift } from './bits.js';
import type { Capabilities } from './capabilities.js';
import type { ContextLookup } from './context.js';
import type { RegisterFile } from './registers.js';

const RTADDR = VTD_REGISTERS.RTADDR.offset;
const ROOT_LOW = fieldMask(RTADDR_FIELDS.RTA, 0);
const TTM = fieldMask(RTADDR_FIELDS.TTM, 0);
const TTM_SHIFT = fieldShift(RTADDR_FIELDS.TTM);
const SSIRWE = fieldMask(RTADDR_FIELDS.SSIRWE, 0);

/** What SRTP latches from RTADDR: the root table's address, which the context lookup gets, and the table mode. */
export class RootTable {
  /** TTM, a value of {@link TABLE_MODE}. */
  mode: number = TABLE_MODE.legacy;
  /** Fault reason that the mode gives every DMA request; 0 in legacy mode. */
  fault = 0;
  private readonly registers: RegisterFile;
  private readonly capabilities: Capabilities;
  private readonly context: ContextLookup;
  private readonly flush: () => void;

  /** @param flush drops all that is cached */
  constructor(registers: RegisterFile, capabilities: Capabilities, context: ContextLookup, flush: () => void) {
    this.registers = registers;
    this.capabilities = capabilities;
    this.context = context;
    this.flush = flush;
  }

  reset(): void {
    this.context.rootHigh = 0;
    this.context.rootLow = 0;
    this.mode = TABLE_MODE.legacy;
    this.fault = 0;
  }

  /** Takes RTADDR as it is now; what it gives latches that. */
  take(): () => void {
    const low = this.registers.get(RTADDR);
    const high = this.registers.get(RTADDR + 4);
    return () => this.latch(high, low);
  }

  private latch(high: number, low: number): void {
    if (this.capabilities.setRootFlushes) {
      this.flush();
    }
    this.context.rootHigh = high;
    this.context.rootLow = low & ROOT_LOW;
    this.mode = (low & TTM) >>> TTM_SHIFT;
    if (this.mode === TABLE_MODE.abort && this.capabilities.abortMode) {
      this.fault = FAULT.ABORT_MODE;
    } else {
      const valid = this.mode === TABLE_MODE.legacy && (low & SSIRWE) === 0;
      this.fault = valid ? 0 : FAULT.ROOT_POINTER_INVALID;
    }
  }
}
