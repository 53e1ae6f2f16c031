import type { Observation } from '../../../../spec/interface/observations.js';
import type {
  DmaOperation,
  LoadOperation,
  MessageOperation,
  Operation,
  PollOperation,
  RegisterAddress,
  SignalOperation,
  StoreOperation,
} from '../../../../spec/interface/operations.js';
import { MSI } from '../../../../spec/layout/msi.js';
import { dmaValues, raiseInterrupt, slotOffset } from '../edu.js';
import { MSI_OFF, sendMessage } from '../msi.js';
import { configAddress } from '../pci.js';
import { EDU_MSI_CAPABILITY, EDUS, type EduPlace } from '../platform.js';
import { hex, readLine } from '../qtest.js';
import { checkDma, requesterPosition } from '../requests.js';
import { NoScript, type ScriptInput } from './input.js';
import { registerWord, valueWord, variableOf, type Word } from './operands.js';
import { linesOf } from './recorded.js';
import { call, digits } from './shell.js';
import { weighing, wordsWeighing } from './weigh.js';

/** Words of a store on one line. */
const WORDS_A_LINE = 6;

/** Equal words from which on a store is written as a fill. */
const MANY_WORDS = 8;

/** Longest load whose bytes are shown, in bytes. */
const SHOWN_LOAD = 64;

const READ = { 1: 'readb', 2: 'readw', 4: 'readl', 8: 'readq' } as const;
const WRITE = { 1: 'writeb', 2: 'writew', 4: 'writel', 8: 'writeq' } as const;

/**
 * The lines that perform an operation.
 *
 * @param kept whether a later operation refers to its value
 * @throws NoScript for an operation that QEMU's target cannot perform
 */
export function operationLines(input: ScriptInput, at: number, kept: boolean): readonly string[] {
  const operation = input.operations[at]!;
  const lines = refusing(at, () => performed(input, operation, at));
  return [call('op', `${at}`, input.describe(operation)), ...lines, ...(kept ? [`${variableOf(at)}=$value`] : [])];
}

function refusing<T>(at: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof NoScript) throw error;
    throw new NoScript(error instanceof Error ? error.message : `operation ${at}: ${String(error)}`);
  }
}

function performed(input: ScriptInput, operation: Operation, at: number): readonly string[] {
  switch (operation.op) {
    case 'store':
      return storeLines(operation);
    case 'paint':
      return [call('paint', operation.address, `${operation.bytes}`)];
    case 'load':
      return loadLines(input, operation, at);
    case 'regWrite': {
      const value = valueWord(operation.value, operation.size);
      const address = registerWord(input.profile, operation, at);
      return [...value.before, ...address.before, `ask ${WRITE[operation.size]} ${address.word} ${value.word}`];
    }
    case 'regRead':
      return readLines(input, registerWord(input.profile, operation, at), operation, at);
    case 'poll':
      return pollLines(input, operation, at);
    case 'configRead': {
      const line = readLine(operation.size, configAddress(operation.function, operation.offset));
      return [`value ${line}`, weighing(input, at, 'configuration space')];
    }
    case 'configWrite': {
      const { before, word } = valueWord(operation.value, operation.size);
      const place = hex(configAddress(operation.function, operation.offset));
      return [...before, `ask ${WRITE[operation.size]} ${place} ${word}`];
    }
    case 'dma':
      return [call('dma', BigInt(EDUS[requesterPosition(operation.requester, at)]!.bar), ...request(operation, at))];
    case 'message':
      return messageLines(input, operation, at);
    case 'signal':
      return signalLines(operation, at);
    case 'settle':
      return ['# Nothing is left in flight: every line was answered.'];
    case 'reset':
      return ['reboot'];
    case 'cpu':
    case 'controllerRead':
    case 'eoi':
      throw new NoScript(`operation ${at}: QEMU is not asked for "${operation.op}"`);
  }
}

function request(operation: DmaOperation, at: number): readonly bigint[] {
  checkDma(operation, at);
  const { direction, address, bytes, token } = operation;
  return dmaValues({ direction, address, offset: slotOffset(direction, token, bytes), bytes });
}

/** A message uses the device's MSI capability, and leaves it as after a reset: as it was before. */
function messageLines({ operations }: ScriptInput, operation: MessageOperation, at: number): readonly string[] {
  const { requester, address, data } = operation;
  const edu = EDUS[requesterPosition(requester, at)]!;
  if (data > 0xffffn) throw new NoScript(`operation ${at}: edu devices send messages of 16 bits, not ${hex(data)}`);
  if (operations.slice(0, at).some((earlier) => programs(earlier, edu))) {
    throw new NoScript(`operation ${at}: a message of ${requester}, whose MSI capability the case has programmed`);
  }
  const lines = linesOf((sink) => sendMessage(sink, edu, { address, data: Number(data) }, MSI_OFF, at));
  return lines.map((line) => `ask ${line}`);
}

function programs(operation: Operation, { routingId }: EduPlace): boolean {
  if (operation.op !== 'configWrite' || operation.function !== routingId) return false;
  return operation.offset + operation.size > EDU_MSI_CAPABILITY && operation.offset < EDU_MSI_CAPABILITY + MSI.bytes;
}

function signalLines({ requester }: SignalOperation, at: number): readonly string[] {
  const edu = EDUS[requesterPosition(requester, at)]!;
  return linesOf((sink) => raiseInterrupt(sink, edu, at)).map((line) => `ask ${line}`);
}

/** Runs of many equal bytes are filled, the rest is stored word by word. */
function storeLines({ address, words, repeat = 1 }: StoreOperation): readonly string[] {
  const all = Array.from({ length: words.length * repeat }, (_, index) => words[index % words.length]!);
  const lines: string[] = [];
  for (let from = 0; from < all.length; ) {
    const same = runLength(all, from);
    const place = address + BigInt(from * 8);
    if (same >= MANY_WORDS && isOneByte(all[from]!)) {
      lines.push(`ask memset ${hex(place)} ${hex(same * 8)} ${hex(all[from]! & 0xffn)}`);
      from += same;
      continue;
    }
    const until = plainUntil(all, from);
    lines.push(call('store', place, ...all.slice(from, until)));
    from = until;
  }
  return lines;
}

function plainUntil(words: readonly bigint[], from: number): number {
  let until = from + 1;
  while (until < words.length && until - from < WORDS_A_LINE && runLength(words, until) < MANY_WORDS) until += 1;
  return until;
}

function runLength(words: readonly bigint[], from: number): number {
  let end = from;
  while (end < words.length && words[end] === words[from]) end += 1;
  return end - from;
}

function isOneByte(word: bigint): boolean {
  return word === (word & 0xffn) * 0x0101_0101_0101_0101n;
}

function loadLines(input: ScriptInput, { address, bytes }: LoadOperation, at: number): readonly string[] {
  if (input.sign.kind === 'words' && input.sign.at === at) return wordsWeighing(input.sign.words);
  const line = `ask read ${hex(address)} ${hex(bytes)}`;
  return bytes > SHOWN_LOAD ? [line] : [line, 'value=$answer', ...seeData(input.observations[at], 'memory')];
}

/** Shows bytes beside those that were recorded. */
export function seeData(observation: Observation | undefined, what: string): readonly string[] {
  const data = observation !== undefined && 'data' in observation ? observation.data : undefined;
  return data === undefined ? [] : [call('see', what, `0x${digits(data)}`)];
}

function readLines(input: ScriptInput, address: Word, register: RegisterAddress, at: number): readonly string[] {
  return [...address.before, `value ${READ[register.size]} ${address.word}`, weighing(input, at, nameOf(register))];
}

function pollLines(input: ScriptInput, operation: PollOperation, at: number): readonly string[] {
  const { before, word } = registerWord(input.profile, operation, at);
  const line = `"${READ[operation.size]} ${word}"`;
  const condition = [hex(operation.mask), hex(operation.expect), operation.limit].join(' ');
  return [...before, `poll ${line} ${condition}`, weighing(input, at, nameOf(operation))];
}

function nameOf({ component, register, index, offset }: RegisterAddress): string {
  const which = typeof index === 'bigint' && index !== 0n ? `[${index}]` : '';
  return `${component}.${register}${which}${offset === undefined || offset === 0 ? '' : `+${offset}`}`;
}
