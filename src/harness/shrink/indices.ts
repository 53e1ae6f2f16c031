import type { Operation } from '../../../spec/interface/operations.js';
import { FRAME_BYTES } from '../../../spec/layout/tokens.js';
import type { ShrinkSession } from './session.js';

const OFFSET = BigInt(FRAME_BYTES - 1);

/** A frame taken as a table of 64-bit words: so many bits of something select one. */
const INDEX_BITS = 9n;
const INDEX = (1n << INDEX_BITS) - 1n;

/** Clears the bits at `shift` in every DMA address where they are `index`. */
function withoutIndex(operations: readonly Operation[], shift: bigint, index: bigint): Operation[] {
  return operations.map((operation) => {
    if (operation.op !== 'dma' || ((operation.address >> shift) & INDEX) !== index) return operation;
    return { ...operation, address: operation.address & ~(INDEX << shift) };
  });
}

/** Shifts at which a DMA address of the scenario holds this index. */
function shiftsOf(operations: readonly Operation[], index: bigint): readonly bigint[] {
  const shifts = new Set<bigint>();
  for (const operation of operations) {
    if (operation.op !== 'dma') continue;
    for (let shift = 0n; shift <= 64n - INDEX_BITS; shift += 1n) {
      if (((operation.address >> shift) & INDEX) === index) shifts.add(shift);
    }
  }
  return [...shifts];
}

/**
 * Lowers what selects a word of a table together with where in its frame the word is stored: neither can be lowered
 * alone, because the walk would miss the word.
 */
export async function lowerIndices(session: ShrinkSession): Promise<void> {
  for (let at = 0; at < session.operations.length && !session.spent; at += 1) {
    const operation = session.operations[at]!;
    if (operation.op !== 'store') continue;
    const offset = operation.address & OFFSET;
    if (offset === 0n) continue;
    const moved = { ...operation, address: operation.address - offset };
    for (const shift of shiftsOf(session.operations, offset >> 3n)) {
      const others = withoutIndex(session.operations, shift, offset >> 3n);
      if (await session.try(others.map((other, index) => (index === at ? moved : other)))) break;
    }
  }
}
