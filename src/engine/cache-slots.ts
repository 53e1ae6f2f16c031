/** Words (32 bits) of a slot of a cache; more than any entry needs, so that a slot's place is a shift. */
export const SLOT_WORDS = 8;
export const SLOT_SHIFT = 3;

/**
 * Mask that brings a hash into a cache of that size. A cache of size 0 has one slot that is never filled.
 *
 * @throws RangeError when the size is neither 0 nor a power of two
 */
export function slotMask(size: number): number {
  if (!Number.isInteger(size) || size < 0 || (size & (size - 1)) !== 0) {
    throw new RangeError(`a cache of ${size} entries: the size must be 0 or a power of two`);
  }
  return Math.max(size, 1) - 1;
}
