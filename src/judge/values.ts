import type { Operand, Operation } from '../../spec/interface/operations.js';
import type { Step } from '../../spec/interface/scenario.js';

/** The operands of an operation that may be references. */
export function operationValues(operation: Operation): readonly Operand[] {
  switch (operation.op) {
    case 'regWrite':
      return [operation.value, operation.index ?? 0n];
    case 'regRead':
    case 'poll':
      return [operation.index ?? 0n];
    case 'configWrite':
      return [operation.value];
    default:
      return [];
  }
}

/** A value read earlier, for operands that refer to it. `undefined` when it was not observed. */
export function operandValue(operand: Operand, steps: readonly Step[]): bigint | undefined {
  if (typeof operand === 'bigint') return operand;
  const observation = steps[operand.ref]?.observation;
  const value = observation !== undefined && 'value' in observation ? observation.value : undefined;
  if (value === undefined) return undefined;
  const [high, low] = operand.field ?? [63, 0];
  const taken = (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
  return taken * BigInt(operand.scale ?? 1) + (operand.plus ?? 0n);
}
