import type { Finding } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { DmaOperation, LoadOperation, Operation, RegisterAddress } from '../../spec/interface/operations.js';
import type { History } from '../../spec/interface/scenario.js';
import { paintWord, tokenBytes } from '../../spec/layout/tokens.js';
import { BadInput } from '../formats/index.js';
import type { Sign, TellingWord } from '../targets/qemu/script/index.js';
import { admissionAt, admittedPatterns } from './admitted.js';

/** What a device's buffer may hold where nothing arrived. */
const NOTHING = [0xee, 0x00, 0xff] as const;

/**
 * How a finding can be told from what is observed.
 *
 * @throws BadInput when nothing that is observed shows it
 */
export function signOf(history: History, finding: Finding, file: string): Sign {
  if (history.failure !== undefined && finding.clause === 'TARGET') return failureSign(history.failure, file);
  const at = finding.shownAt;
  const step = history.steps[at];
  if (step === undefined)
    throw new BadInput(`${file}: the history ends before operation ${at}, which shows the finding`);
  const { operation, observation } = step;
  if ('value' in observation && observation.value !== undefined) return valueSign(history, finding, observation.value);
  if (operation.op === 'dma' && 'data' in observation && observation.data !== undefined) {
    return { kind: 'data', at, admitted: admittedData(history, finding, observation.data) };
  }
  if (operation.op === 'load' && 'data' in observation && observation.data !== undefined) {
    return { kind: 'words', at, words: tellingWords(history, finding, operation, observation.data) };
  }
  throw new BadInput(
    `${file}: what shows the finding, "${operation.op}" (operation ${at}), cannot be observed by a script`,
  );
}

function failureSign({ kind, message }: NonNullable<History['failure']>, file: string): Sign {
  if (kind === 'hang') return { kind: 'silence' };
  if (kind === 'crash' && message.startsWith('QEMU ended')) return { kind: 'ending' };
  throw new BadInput(`${file}: a target that fails by "${message}" cannot be shown by a script`);
}

function valueSign(history: History, { shownAt: at, certain }: Finding, deviating: bigint): Sign {
  const { operation, observation } = history.steps[at]!;
  const admits = admissionAt(history, at, certain);
  const observed = (value: bigint): Observation => {
    if (operation.op !== 'poll' || observation.of !== 'poll') return { ...observation, value } as Observation;
    const satisfied = (value & operation.mask) === operation.expect;
    return { ...observation, value, satisfied, reads: satisfied ? 1 : operation.limit };
  };
  const bytes = 'size' in operation ? operation.size : 8;
  const admitted = admittedPatterns(deviating, bytes, written(history, at), (value) => admits(observed(value)));
  return { kind: 'value', at, admitted };
}

/** Values that software wrote to the register that an operation reads. */
function written({ steps }: History, at: number): readonly bigint[] {
  const read = steps[at]!.operation;
  if (!isRegister(read)) return [];
  return steps.slice(0, at).flatMap(({ operation }) => {
    if (operation.op !== 'regWrite' || typeof operation.value !== 'bigint') return [];
    return sameRegister(operation, read) ? [operation.value] : [];
  });
}

function isRegister(operation: Operation): operation is Extract<Operation, RegisterAddress> {
  return 'register' in operation;
}

function sameRegister(one: RegisterAddress, other: RegisterAddress): boolean {
  return (
    one.component === other.component &&
    one.register === other.register &&
    (one.offset ?? 0) === (other.offset ?? 0) &&
    one.size === other.size
  );
}

/** What a device may hold instead of what it received: nothing of memory. */
function admittedData(
  history: History,
  { shownAt: at, certain }: Finding,
  deviating: Uint8Array,
): readonly Uint8Array[] {
  const { observation } = history.steps[at]!;
  const admits = admissionAt(history, at, certain);
  return NOTHING.map((byte) => new Uint8Array(deviating.length).fill(byte)).filter(
    (data) => Buffer.compare(data, deviating) !== 0 && admits({ ...observation, data } as Observation),
  );
}

/** The words that a load should have shown otherwise; all of them when it is not known what is right. */
function tellingWords(
  history: History,
  { shownAt: at, at: broken, certain }: Finding,
  { address, bytes }: LoadOperation,
  deviating: Uint8Array,
): readonly TellingWord[] {
  const { observation } = history.steps[at]!;
  const admits = admissionAt(history, at, certain);
  const right = rightMemory(history, at, broken, { address, bytes }, deviating).find((data) =>
    admits({ ...observation, data } as Observation),
  );
  const recorded = wordsOf(deviating);
  const admitted = right === undefined ? undefined : wordsOf(right);
  return recorded
    .map((word, index) => ({ address: address + BigInt(index * 8), recorded: word, admitted: admitted?.[index] }))
    .filter((word) => word.admitted !== word.recorded);
}

type Range = Pick<LoadOperation, 'address' | 'bytes'>;

/** What memory may hold instead: without the device's write that is in question, or without any. */
function rightMemory(
  history: History,
  at: number,
  broken: number,
  range: Range,
  deviating: Uint8Array,
): readonly Uint8Array[] {
  const software = softwareMemory(history, at, range);
  const { operation } = history.steps[broken]!;
  if (operation.op !== 'dma' || operation.direction !== 'write') return [software];
  return [withoutToken(deviating, software, tokenOf(history, operation)), software];
}

function tokenOf({ profile }: History, { requester, token, bytes }: DmaOperation): Uint8Array {
  const position = profile.requesters.findIndex((each) => each.id === requester);
  return tokenBytes(position, token, bytes);
}

/** Memory with what lay there before in place of a token. */
function withoutToken(memory: Uint8Array, before: Uint8Array, token: Uint8Array): Uint8Array {
  const restored = Uint8Array.from(memory);
  const held = Buffer.from(memory);
  for (let at = held.indexOf(token); at >= 0; at = held.indexOf(token, at + 1)) {
    restored.set(before.subarray(at, at + token.length), at);
  }
  return restored;
}

/** A range of memory as software alone made it. */
function softwareMemory({ profile, steps }: History, until: number, { address, bytes }: Range): Uint8Array {
  const { base, bytes: size } = profile.arena;
  const words = new BigUint64Array(bytes / 8);
  const place = (at: bigint): number => Number(at - address) / 8;
  const set = (at: bigint, word: bigint): void => {
    if (at >= address && place(at) < words.length) words[place(at)] = word;
  };
  for (let at = address; place(at) < words.length; at += 8n) {
    if (at >= base && at < base + BigInt(size)) set(at, paintWord(at));
  }
  for (const { operation } of steps.slice(0, until)) {
    if (operation.op === 'paint') {
      for (let at = 0n; at < BigInt(operation.bytes); at += 8n) {
        set(operation.address + at, paintWord(operation.address + at));
      }
    } else if (operation.op === 'store') {
      const { words: stored, repeat = 1 } = operation;
      for (let index = 0; index < stored.length * repeat; index += 1) {
        set(operation.address + BigInt(index * 8), stored[index % stored.length]!);
      }
    }
  }
  return new Uint8Array(words.buffer);
}

function wordsOf(data: Uint8Array): readonly bigint[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.length / 8 }, (_, index) => view.getBigUint64(index * 8, true));
}
