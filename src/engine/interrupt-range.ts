import { INTERRUPT_RANGE } from '../../spec/layout/vtd.js';

/** The interrupt range is one aligned MiB below 4 GiB: these bits of the low half tell it. */
const PREFIX = Number(INTERRUPT_RANGE.first) | 0;
const MASK = ~Number(INTERRUPT_RANGE.last - INTERRUPT_RANGE.first) | 0;

/** These for those who cannot afford a call; a constant of another module is loaded each time. */
export const INTERRUPT_PREFIX = PREFIX;
export const INTERRUPT_MASK = MASK;

/** Whether an address, given as int32 halves, lies in the interrupt range FEE0_0000h to FEEF_FFFFh. */
export function inInterruptRange(high: number, low: number): boolean {
  return high === 0 && (low & MASK) === PREFIX;
}

/**
 * Whether an aligned page around an address overlaps the interrupt range.
 *
 * @param offset offset bits of the page, which is of 4 KiB, or of 2 MiB or more
 */
export function touchesInterruptRange(high: number, low: number, offset: number): boolean {
  return high === 0 && ((low ^ PREFIX) & MASK & ~offset) === 0;
}
