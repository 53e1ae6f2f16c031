import type { Operand, Operation } from '../../spec/interface/operations.js';

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
