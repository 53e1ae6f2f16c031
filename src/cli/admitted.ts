import type { History, Step } from '../../spec/interface/scenario.js';
import { BadHistory, createVerdict } from '../judge/index.js';
import type { ValuePattern } from '../targets/qemu/script/index.js';

/** Whether the specification admits it that an operation was observed so. */
type Admits = (observation: Step['observation']) => boolean;

/**
 * Says of one operation of a history which other observations of it would have been admitted, given all that came
 * before.
 *
 * @param certainOnly what breaks nothing certain counts as admitted
 */
export function admissionAt(history: History, at: number, certainOnly: boolean): Admits {
  const { failure: _failure, ...rest } = history;
  const before = history.steps.slice(0, at);
  const { operation } = history.steps[at]!;
  const verdict = createVerdict({ certainOnly });
  return (observation) => {
    try {
      return verdict({ ...rest, steps: [...before, { operation, observation }] }) !== 'deviant';
    } catch (error) {
      if (error instanceof BadHistory) return false;
      throw error;
    }
  };
}

/** Patterns looked for: choices of hardware beyond these are left out. */
const MOST_PATTERNS = 4;

/**
 * Values that are admitted where `deviating` is not: near ones first, each widened by the bits that do not matter.
 *
 * @param written values that software wrote to the same register
 */
export function admittedPatterns(
  deviating: bigint,
  bytes: number,
  written: readonly bigint[],
  admits: (value: bigint) => boolean,
): readonly ValuePattern[] {
  if (admits(deviating)) return [];
  const bits = bytes * 8;
  const found: ValuePattern[] = [];
  for (const value of candidates(deviating, bits, written)) {
    if (found.some(({ mask, wanted }) => (value & mask) === wanted) || !admits(value)) continue;
    found.push(widened(value, bits, admits));
    if (found.length === MOST_PATTERNS) break;
  }
  return found;
}

function* candidates(deviating: bigint, bits: number, written: readonly bigint[]): Generator<bigint> {
  yield* written;
  yield 0n;
  const single = Array.from({ length: bits }, (_, bit) => 1n << BigInt(bit));
  for (const one of single) yield deviating ^ one;
  for (let byte = 0; byte < bits; byte += 8) {
    for (let other = 1n; other < 256n; other += 1n) yield deviating ^ (other << BigInt(byte));
  }
  for (const [index, one] of single.entries()) {
    for (const other of single.slice(index + 1)) yield deviating ^ one ^ other;
  }
}

/** A value without the bits that may have any value; with all of its bits when these depend on each other. */
function widened(value: bigint, bits: number, admits: (value: bigint) => boolean): ValuePattern {
  const all = (1n << BigInt(bits)) - 1n;
  let free = 0n;
  for (let bit = 0n; bit < BigInt(bits); bit += 1n) {
    if (admits(value ^ (1n << bit))) free |= 1n << bit;
  }
  const alternating = 0xaaaa_aaaa_aaaa_aaaan & free;
  const independent = [free, alternating, free ^ alternating].every((change) => admits(value ^ change));
  const mask = independent ? all ^ free : all;
  return { mask, wanted: value & mask };
}
