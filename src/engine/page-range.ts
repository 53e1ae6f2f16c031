/** An aligned block of addresses, as int32 halves: those that equal `high`, `low` in the bits of the masks. */
export interface PageRange {
  readonly high: number;
  readonly low: number;
  readonly maskHigh: number;
  readonly maskLow: number;
}

/** Every address. */
export const ALL_PAGES: PageRange = { high: 0, low: 0, maskHigh: 0, maskLow: 0 };

/** Mask for the bits of an address's low half from `bit` on; `bit` may exceed 31. */
export function lowHalfFrom(bit: number): number {
  return bit > 31 ? 0 : -1 << bit;
}

/** Mask for the bits of an address's high half that lie at or above bit `bit` of the whole. */
export function highHalfFrom(bit: number): number {
  return bit <= 32 ? -1 : bit > 63 ? 0 : -1 << (bit - 32);
}

/** The naturally aligned block of 2^`order` pages of 4 KiB around an address. */
export function pagesAround(high: number, low: number, order: number): PageRange {
  const bits = 12 + order;
  return { high, low, maskHigh: highHalfFrom(bits), maskLow: lowHalfFrom(bits) };
}
