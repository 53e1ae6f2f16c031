import { PMEN_FIELDS, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { fieldMask } from './bits.js';
import type { Capabilities } from './capabilities.js';
import type { RegisterFile } from './registers.js';

const { PMEN, PLMBASE, PLMLIMIT, PHMBASE, PHMLIMIT } = VTD_REGISTERS;
const EPM = fieldMask(PMEN_FIELDS.EPM, 0);
const PRS = fieldMask(PMEN_FIELDS.PRS, 0);
const TWO_TO_32 = 2 ** 32;

/** First and last byte address; an empty range has its last address below the first. */
interface ByteRange {
  readonly first: number;
  readonly last: number;
}

const NOTHING: ByteRange = { first: 0, last: -1 };

/** The protected low and high memory regions, to which devices get no access while PMEN.EPM=1. */
export class ProtectedMemory {
  /** Whether anything is protected now; not 0 for yes, which is quicker to test. */
  active = 0;
  private low = NOTHING;
  private high = NOTHING;
  private readonly registers: RegisterFile;
  private readonly capabilities: Capabilities;

  /** @param changed told after every write to the registers of protected memory */
  constructor(registers: RegisterFile, capabilities: Capabilities, changed: () => void) {
    this.registers = registers;
    this.capabilities = capabilities;
    if (capabilities.protectedLow || capabilities.protectedHigh) {
      for (const { offset, bytes } of [PMEN, PLMBASE, PLMLIMIT, PHMBASE, PHMLIMIT]) {
        for (let piece = 0; piece < bytes; piece += 4) {
          registers.onWrite(offset + piece, () => {
            this.update();
            changed();
          });
        }
      }
    }
  }

  /** Whether the byte at a host address, given as int32 halves, is out of devices' reach while `active`. */
  covers(high: number, low: number): boolean {
    const address = (high >>> 0) * TWO_TO_32 + (low >>> 0);
    return (
      (address >= this.low.first && address <= this.low.last) ||
      (address >= this.high.first && address <= this.high.last)
    );
  }

  /** Takes up what the registers say. */
  update(): void {
    const { registers, capabilities } = this;
    const status = registers.get(PMEN.offset);
    this.active = status & EPM;
    registers.set(PMEN.offset, this.active !== 0 ? status | PRS : status & ~PRS);
    if (capabilities.protectedLow) {
      const unit = 2 ** capabilities.protectedLowBits;
      this.low = {
        first: registers.get(PLMBASE.offset) >>> 0,
        last: (registers.get(PLMLIMIT.offset) >>> 0) + unit - 1,
      };
    }
    if (capabilities.protectedHigh) {
      const unit = 2 ** capabilities.protectedHighBits;
      this.high = { first: this.address(PHMBASE.offset), last: this.address(PHMLIMIT.offset) + unit - 1 };
    }
  }

  /** Exact: these registers hold no bits at or above the host address width. */
  private address(offset: number): number {
    return (this.registers.get(offset + 4) >>> 0) * TWO_TO_32 + (this.registers.get(offset) >>> 0);
  }
}
