import type { Operand, Operation } from '../../../spec/interface/operations.js';
import { GLOBAL_COMMAND } from '../../../spec/layout/vtd.js';
import { QUEUE_REGISTERS } from './iommu.js';

/** Whether an operation can change what the invalidation queue's registers hold. */
export function usesQueue(operation: Operation): boolean {
  return operation.op === 'regWrite' && QUEUE_REGISTERS.has(operation.register);
}

/** Tails that are past a descriptor of either width and inside the smallest queue. */
const PLAIN_TAILS = { first: 0x20n, last: 0xff0n } as const;

/**
 * Whether operations may switch the invalidation queue off before they had a descriptor executed. QEMU switches it off only
 * when the last descriptor that it executed was a wait, and nothing but a reset makes it forget one of an earlier scenario.
 */
export function showsEarlierQueue(operations: readonly Operation[]): boolean {
  let on = false;
  let stopped = false;
  for (const operation of operations) {
    if (operation.op !== 'regWrite') {
      continue;
    }
    const { register, value } = operation;
    if (register === 'GCMD') {
      const set = queueBit(value);
      if (set === undefined || (on && !set)) {
        return true;
      }
      on = set;
    } else if (register === 'IQT' && value !== 0n) {
      if (on && !stopped && isPlainTail(value)) {
        return false;
      }
      // An error may keep the tails that follow from being looked at.
      stopped = true;
    }
  }
  return false;
}

function isPlainTail(value: Operand): boolean {
  return typeof value === 'bigint' && value >= PLAIN_TAILS.first && value <= PLAIN_TAILS.last;
}

/** Whether a global command wants the queue on; `undefined` when only the run will tell. */
function queueBit(value: Operand): boolean | undefined {
  return typeof value === 'bigint' ? ((value >> BigInt(GLOBAL_COMMAND.QIE)) & 1n) === 1n : undefined;
}
