import type { Observation } from '../../../spec/interface/observations.js';
import type { Operation } from '../../../spec/interface/operations.js';
import { UNIT } from './platform.js';

/** Single steps of a history. */

export const HALF = (1n << 64n) - 1n;

/** What an operation shows, beside when. */
type Shown<T = Observation> = T extends Observation ? Omit<T, 'begin' | 'complete' | 'messages'> : never;
export type Pair = readonly [operation: Operation, shown: Shown];

export const register = (name: string, size: 4 | 8 = 8) => ({ component: UNIT, register: name, size }) as const;

export function written(name: string, value: bigint, size: 4 | 8 = 8): Pair {
  return [{ op: 'regWrite', ...register(name, size), value }, { of: 'regWrite' }];
}

export function polled(name: string, mask: bigint, expect: bigint, value: bigint, size: 4 | 8 = 8): Pair {
  return [
    { op: 'poll', ...register(name, size), mask, expect, limit: 100 },
    { of: 'poll', value, satisfied: true, reads: 1 },
  ];
}

export function stored(address: bigint, words: readonly bigint[]): Pair {
  return [{ op: 'store', address, words }, { of: 'store' }];
}

export function bytesOf(words: readonly bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words).buffer);
}
