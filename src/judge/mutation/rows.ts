import type { DmaOperation, RegisterReadOperation } from '../../../spec/interface/operations.js';
import type { History } from '../../../spec/interface/scenario.js';
import { CCMD_FIELDS, FRCD_FIELDS, FSTS_FIELDS } from '../../../spec/layout/vtd.js';
import type { Mutation } from './mutate.js';

/** Which row of the facts admits a change that a judge lets pass. Written from the facts, not from the judge. */

/** Ones in the bits of a field. */
const ones = ([high, low]: readonly [number, number]): bigint => ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);

/** The row of the facts that admits a change; `undefined`: nothing says that it may go unnoticed. */
export function rowsOf(history: History, mutation: Mutation): string | undefined {
  const { operation } = history.steps[mutation.at]!;
  const { before, after } = mutation;
  // A message may be late, and what is late at the end of the history is not missing.
  if (mutation.kind === 'message: removed') return 'N23: event message timing';
  if (operation.op === 'dma' && mutation.kind === 'device: completion status' && crosses(operation)) {
    return 'N26: a request that crosses a page is refused as a whole';
  }
  if (operation.op === 'poll' && before.of === 'poll' && after.of === 'poll') {
    return valueRow(
      history,
      mutation.at,
      operation.register,
      (before.value ?? 0n) ^ (after.value ?? 0n),
      before.value ?? 0n,
    );
  }
  if (operation.op !== 'regRead' || before.of !== 'regRead' || after.of !== 'regRead') return undefined;
  const shift = BigInt((operation.offset ?? 0) * 8);
  const [from, to] = [(before.value ?? 0n) << shift, (after.value ?? 0n) << shift];
  if (operation.register === 'FRCD') return recordRow(history, mutation.at, operation, from, to);
  return valueRow(history, mutation.at, operation.register, from ^ to, from);
}

function crosses({ address, bytes }: DmaOperation): boolean {
  return Number(address & 0xfffn) + bytes > 4096;
}

/** Rows about registers, by the bits that differ. */
function valueRow(history: History, at: number, register: string, differs: bigint, value: bigint): string | undefined {
  switch (register) {
    case 'FSTS':
      return (value & ones(FSTS_FIELDS.PPF)) === 0n && (differs & ~ones(FSTS_FIELDS.FRI)) === 0n
        ? 'N22: FRI while PPF=0'
        : undefined;
    case 'IOTLB':
    case 'IVA':
      return 'N50: IVA and IOTLB readback';
    case 'CCMD':
      return (differs & ~(ones(CCMD_FIELDS.SID) | ones(CCMD_FIELDS.FM))) === 0n ? 'N50: write-only fields' : undefined;
    case 'IQERCD':
      return lastValue(history, at, 'FSTS', FSTS_FIELDS.IQE) === 0n ? '1.6: IQEI while IQE=0' : undefined;
    default:
      return undefined;
  }
}

/** Rows about fault records: without F nothing of it is defined, but what is reserved; upper bits of FI may read 0. */
function recordRow(
  history: History,
  at: number,
  operation: RegisterReadOperation,
  from: bigint,
  to: bigint,
): string | undefined {
  const differs = from ^ to;
  const covered = (operation.offset ?? 0) + operation.size === 16;
  const pending = covered ? (from & ones(FRCD_FIELDS.F)) !== 0n : isPending(history, at, operation);
  if (!pending) return (differs & ~DEFINED_BY_RECORD) === 0n ? 'N21: record with F=0' : undefined;
  const upper = ((1n << 64n) - 1n) & ~((1n << 48n) - 1n);
  return (differs & ~upper) === 0n && (to & differs) === 0n ? 'N20: upper bits of FI' : undefined;
}

/** Bits of a record that have a meaning where it is pending, F aside. */
const DEFINED_BY_RECORD = Object.values(FRCD_FIELDS).reduce((sum, bits) => sum | ones(bits), 0n) & ~ones(FRCD_FIELDS.F);

/** Whether the other half of a record, read next to this one, shows F=1. */
function isPending(history: History, at: number, { index }: RegisterReadOperation): boolean {
  for (const near of [at + 1, at - 1, at + 2, at - 2]) {
    const step = history.steps[near];
    if (step?.operation.op !== 'regRead' || step.operation.register !== 'FRCD') continue;
    const { offset = 0, size, index: other } = step.operation;
    if ((other ?? 0n) !== (index ?? 0n) || offset + size !== 16 || step.observation.of !== 'regRead') continue;
    return (((step.observation.value ?? 0n) << BigInt(offset * 8)) & ones(FRCD_FIELDS.F)) !== 0n;
  }
  return true;
}

/** The value of a field when its register was last read whole. */
function lastValue(
  history: History,
  at: number,
  register: string,
  bits: readonly [number, number],
): bigint | undefined {
  for (let step = at - 1; step >= 0; step--) {
    const { operation, observation } = history.steps[step]!;
    if (operation.op !== 'regRead' || operation.register !== register || observation.of !== 'regRead') continue;
    return observation.value === undefined ? undefined : (observation.value & ones(bits)) >> BigInt(bits[1]);
  }
  return undefined;
}
