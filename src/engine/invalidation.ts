import {
  CCMD_FIELDS,
  CONTEXT_GRANULARITY,
  IOTLB_FIELDS,
  IOTLB_GRANULARITY,
  IVA_FIELDS,
  VTD_REGISTERS,
} from '../../spec/layout/vtd.js';
import { fieldMask, fieldShift } from './bits.js';
import type { Capabilities } from './capabilities.js';
import type { RegisterFile } from './registers.js';

/** Major version from which on invalidation through registers is refused. */
const MAJOR_WITHOUT_REGISTERS = 6;

const CCMD_COMMAND = VTD_REGISTERS.CCMD.offset + 4;
const ICC = fieldMask(CCMD_FIELDS.ICC, 1);
const CIRG = fieldMask(CCMD_FIELDS.CIRG, 1);
const CIRG_SHIFT = fieldShift(CCMD_FIELDS.CIRG);
const CAIG = fieldMask(CCMD_FIELDS.CAIG, 1);
const CAIG_SHIFT = fieldShift(CCMD_FIELDS.CAIG);
const IVT = fieldMask(IOTLB_FIELDS.IVT, 1);
const IIRG = fieldMask(IOTLB_FIELDS.IIRG, 1);
const IIRG_SHIFT = fieldShift(IOTLB_FIELDS.IIRG);
const IAIG = fieldMask(IOTLB_FIELDS.IAIG, 1);
const IAIG_SHIFT = fieldShift(IOTLB_FIELDS.IAIG);
const AM = fieldMask(IVA_FIELDS.AM, 0);

/**
 * Invalidation through CCMD and IOTLB. Commands complete before the write that starts them returns. As nothing is
 * cached, there is nothing to remove; what is reported is the granularity performed.
 */
export class RegisterInvalidation {
  private readonly registers: RegisterFile;
  private readonly capabilities: Capabilities;
  private readonly isLegacy: () => boolean;

  /** @param isLegacy whether the latched root table is one of legacy mode */
  constructor(registers: RegisterFile, capabilities: Capabilities, isLegacy: () => boolean) {
    this.registers = registers;
    this.capabilities = capabilities;
    this.isLegacy = isLegacy;
    registers.onWrite(CCMD_COMMAND, (written) => this.contextCommand(written));
    registers.onWrite(this.iotlbCommandOffset, (written) => this.iotlbCommand(written));
  }

  private get iotlbCommandOffset(): number {
    return this.capabilities.invalidateOffset + 12;
  }

  private accepted(): boolean {
    return this.capabilities.major < MAJOR_WITHOUT_REGISTERS && this.isLegacy();
  }

  private contextCommand(written: number): void {
    if ((written & ICC) === 0) {
      return;
    }
    const requested = (written & CIRG) >>> CIRG_SHIFT;
    const performed = this.accepted() ? requested : CONTEXT_GRANULARITY.none;
    const kept = this.registers.get(CCMD_COMMAND) & ~(ICC | CAIG);
    this.registers.set(CCMD_COMMAND, kept | (performed << CAIG_SHIFT));
  }

  private iotlbCommand(written: number): void {
    if ((written & IVT) === 0) {
      return;
    }
    const requested = (written & IIRG) >>> IIRG_SHIFT;
    const performed = this.accepted() ? this.iotlbGranularity(requested) : IOTLB_GRANULARITY.none;
    const kept = this.registers.get(this.iotlbCommandOffset) & ~(IVT | IAIG);
    this.registers.set(this.iotlbCommandOffset, kept | (performed << IAIG_SHIFT));
  }

  private iotlbGranularity(requested: number): number {
    if (requested !== IOTLB_GRANULARITY.page) {
      return requested;
    }
    if (!this.capabilities.pageSelective) {
      return IOTLB_GRANULARITY.domain;
    }
    const addressMask = this.registers.get(this.capabilities.invalidateOffset) & AM;
    return addressMask > this.capabilities.maximumAddressMask ? IOTLB_GRANULARITY.none : IOTLB_GRANULARITY.page;
  }
}
