import type { Operand, Operation } from '../../../spec/interface/operations.js';

function mapOperand(operand: Operand, map: (ref: number) => number): Operand {
  return typeof operand === 'bigint' ? operand : { ...operand, ref: map(operand.ref) };
}

/** Rewrites every reference to an earlier operation. */
export function mapReferences(operation: Operation, map: (ref: number) => number): Operation {
  let mapped = operation;
  if ('index' in mapped && mapped.index !== undefined) mapped = { ...mapped, index: mapOperand(mapped.index, map) };
  if (mapped.op === 'regWrite' || mapped.op === 'configWrite') {
    mapped = { ...mapped, value: mapOperand(mapped.value, map) };
  }
  return mapped;
}

function references(operation: Operation): readonly number[] {
  const found: number[] = [];
  mapReferences(operation, (ref) => {
    found.push(ref);
    return ref;
  });
  return found;
}

/**
 * Keeps some of the operations. What refers to a dropped one is dropped with it, and so on; the other references
 * are moved to where their operation went.
 */
export function keepOperations(operations: readonly Operation[], keep: (index: number) => boolean): Operation[] {
  const place = new Map<number, number>();
  const kept: Operation[] = [];
  for (const [index, operation] of operations.entries()) {
    if (!keep(index) || !references(operation).every((ref) => place.has(ref))) continue;
    place.set(index, kept.length);
    kept.push(mapReferences(operation, (ref) => place.get(ref)!));
  }
  return kept;
}
