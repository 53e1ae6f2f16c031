import type { Undecided } from '../../spec/interface/judgement.js';
import type { MemoryRange, MemoryView, Piece } from '../../spec/interface/model.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { Step } from '../../spec/interface/scenario.js';
import { paintBytes, wordBytes } from './address-map.js';
import type { Bench, Overlaps } from './bench.js';
import type { MemoryLog, StoredBytes } from './memory.js';

/**
 * Operations that were under way at the same time. A store of software that takes a while is followed: what it replaces
 * may be read until the last operation that begins before it ends, and what it makes from the first that ends after it began.
 * Everything else that overlaps is left undecided.
 */

/** Finds what overlaps. Steps begin in order. */
export function overlapsOf(steps: readonly Step[]): Overlaps {
  const found = new Map<number, number[]>();
  const note = (at: number, other: number): void => {
    const known = found.get(at);
    if (known === undefined) found.set(at, [other]);
    else known.push(other);
  };
  for (let at = 0; at < steps.length; at++) {
    const { complete } = steps[at]!.observation;
    for (let later = at + 1; later < steps.length && steps[later]!.observation.begin < complete; later++) {
      note(at, later);
      note(later, at);
    }
  }
  return found;
}

/** The memory that an operation of software stores to. */
function storedRange(operation: Operation): MemoryRange | undefined {
  if (operation.op === 'paint') return { address: operation.address, bytes: operation.bytes };
  if (operation.op !== 'store') return undefined;
  return { address: operation.address, bytes: operation.words.length * 8 * (operation.repeat ?? 1) };
}

const apart = (a: MemoryRange, b: MemoryRange): boolean =>
  a.address + BigInt(a.bytes) <= b.address || b.address + BigInt(b.bytes) <= a.address;

/** Whether two operations that overlap can be followed: one is a store, and the other no look at or store to the same memory. */
function canBeFollowed(a: Operation, b: Operation): boolean {
  const [one, other] = [storedRange(a), storedRange(b)];
  if (one !== undefined && other !== undefined) return apart(one, other);
  if (one === undefined && other === undefined) return false;
  const rest = one === undefined ? a : b;
  return rest.op === 'dma' || rest.op === 'regWrite' || rest.op === 'regRead' || rest.op === 'poll';
}

/** The first step that overlaps with one before it in a way that cannot be followed. */
export function undecidedOverlap(steps: readonly Step[], overlaps: Overlaps): Undecided | undefined {
  for (const [at, others] of overlaps) {
    const cause = others.find((other) => other < at && !canBeFollowed(steps[other]!.operation, steps[at]!.operation));
    if (cause !== undefined) {
      return { at, kind: 'inconclusive', reason: 'overlapping operations other than stores are not judged yet' };
    }
  }
  return undefined;
}

/** The last step that may still find what a store replaces. */
export function replacedAfter(overlaps: Overlaps, at: number): number {
  return Math.max(at, ...(overlaps.get(at) ?? []));
}

/** Memory as it may be found while a step is under way: stores that begin before it ends may be seen. */
export function viewDuring({ steps, overlaps }: Bench, memory: MemoryLog, at: number): MemoryView {
  const during = (overlaps.get(at) ?? []).flatMap((other): readonly StoredBytes[] => {
    const { operation } = steps[other]!;
    if (other < at) return [];
    if (operation.op === 'store') {
      return [{ address: Number(operation.address), data: wordBytes(operation.words, operation.repeat ?? 1) }];
    }
    const address = operation.op === 'paint' ? Number(operation.address) : 0;
    return operation.op === 'paint' ? [{ address, data: paintBytes(address, operation.bytes) }] : [];
  });
  return memory.view(at, during);
}

/** Whether a request's data lies where a store was under way at the same time. */
export function meetsStore({ steps, overlaps }: Bench, at: number, pieces: readonly Piece[]): boolean {
  const ranges = (overlaps.get(at) ?? []).flatMap((other) => storedRange(steps[other]!.operation) ?? []);
  return pieces.some(({ effect, bytes }) => {
    if (effect.kind !== 'memory') return false;
    return ranges.some((range) => !apart(range, { address: effect.address, bytes }));
  });
}
