import type { Observation } from '../../spec/interface/observations.js';
import type { Operand } from '../../spec/interface/operations.js';

/** A reference that cannot be resolved: it points nowhere, or to an operation whose value was not observed. */
export class UnresolvedReference extends Error {
  /** Index of the operation referred to. */
  readonly ref: number;
  constructor(ref: number, why: string) {
    super(`reference to operation ${ref}: ${why}`);
    this.name = 'UnresolvedReference';
    this.ref = ref;
  }
}

/**
 * The value of an operand: a literal as it is; for a reference, the named bits of the value that the operation
 * observed, times `scale`, plus `plus`. The result is not cut to any width.
 *
 * @param observations observations since `begin`, by operation index; holes are operations not observed yet
 * @throws UnresolvedReference when the operation referred to has not run or observed no value
 */
export function resolveOperand(operand: Operand, observations: readonly (Observation | undefined)[]): bigint {
  if (typeof operand === 'bigint') {
    return operand;
  }
  const observation = observations[operand.ref];
  if (observation === undefined) {
    throw new UnresolvedReference(operand.ref, 'that operation has not run yet');
  }
  const value = 'value' in observation ? observation.value : undefined;
  if (value === undefined) {
    throw new UnresolvedReference(operand.ref, `that operation (${observation.of}) observed no value`);
  }
  const field = operand.field;
  const taken = field === undefined ? value : BigInt.asUintN(field[0] - field[1] + 1, value >> BigInt(field[1]));
  return taken * BigInt(operand.scale ?? 1) + (operand.plus ?? 0n);
}
