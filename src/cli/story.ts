import type { Evidence, Finding } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operand, Operation } from '../../spec/interface/operations.js';
import type { History } from '../../spec/interface/scenario.js';
import { softwareStory } from './software-story.js';

/** Bytes shown before the rest is cut off. */
const SHOWN_BYTES = 16;
const SHOWN_WORDS = 4;

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

function operand(value: Operand): string {
  if (typeof value === 'bigint') return hex(value);
  const bits = value.field === undefined ? '' : `[${value.field[0]}:${value.field[1]}]`;
  const scale = value.scale === undefined ? '' : `*${value.scale}`;
  const plus = value.plus === undefined ? '' : `+${hex(value.plus)}`;
  return `value of #${value.ref}${bits}${scale}${plus}`;
}

function register(operation: Extract<Operation, { component: string }>): string {
  const index = operation.index === undefined ? '' : `[${operand(operation.index)}]`;
  const offset = operation.offset === undefined ? '' : `+${operation.offset}`;
  return `${operation.component}.${operation.register}${index}${offset} (${operation.size} bytes)`;
}

/** An operation on one line. */
export function operationText(operation: Operation): string {
  switch (operation.op) {
    case 'store': {
      const { words, repeat } = operation;
      const more = words.length > SHOWN_WORDS ? `, … ${words.length} words` : '';
      const times = repeat === undefined ? '' : `, ${repeat} times`;
      return `store ${hex(operation.address)}: ${words.slice(0, SHOWN_WORDS).map(hex).join(', ')}${more}${times}`;
    }
    case 'paint':
    case 'load':
      return `${operation.op} ${hex(operation.address)}, ${operation.bytes} bytes`;
    case 'regWrite':
      return `write ${register(operation)} = ${operand(operation.value)}`;
    case 'regRead':
      return `read ${register(operation)}`;
    case 'poll':
      return `poll ${register(operation)} until (value & ${hex(operation.mask)}) = ${hex(operation.expect)}, at most ${operation.limit} times`;
    case 'configRead':
      return `read config of ${hex(operation.function)} at ${hex(operation.offset)} (${operation.size} bytes)`;
    case 'configWrite':
      return `write config of ${hex(operation.function)} at ${hex(operation.offset)} (${operation.size} bytes) = ${operand(operation.value)}`;
    case 'dma': {
      const pasid = operation.pasid === undefined ? '' : ` with PASID ${hex(operation.pasid)}`;
      const snoop = operation.noSnoop === true ? ', no snoop' : '';
      return `${operation.requester} ${operation.direction}s ${operation.bytes} bytes at ${hex(operation.address)}${pasid}${snoop}, token ${operation.token}`;
    }
    case 'message':
      return `${operation.requester} signals ${hex(operation.data)} at ${hex(operation.address)}`;
    case 'signal':
      return `${operation.requester} raises its interrupt`;
    case 'cpu':
      return `${operation.vcpu} ${operation.access}s ${operation.bytes} bytes at ${hex(operation.address)}, token ${operation.token}`;
    case 'controllerRead':
    case 'eoi':
      return `${operation.op} ${operation.controller}`;
    case 'reset':
      return `${operation.scope} reset`;
    case 'settle':
      return 'settle';
  }
}

function bytesText(data: Uint8Array): string {
  const shown = Buffer.from(data.subarray(0, SHOWN_BYTES)).toString('hex');
  return data.length > SHOWN_BYTES ? `${shown}… (${data.length} bytes)` : shown;
}

/** What was observed, on one line; empty when nothing was. */
export function observationText(observation: Observation): string {
  const { of: _of, begin: _begin, complete: _complete, messages, ...rest } = observation;
  const parts = Object.entries(rest).map(([name, value]) => {
    if (value instanceof Uint8Array) return `${name} ${bytesText(value)}`;
    return `${name} ${typeof value === 'bigint' ? hex(value) : String(value)}`;
  });
  const sent = (messages ?? []).map((message) => `message ${hex(message.data)} at ${hex(message.address)}`);
  return [...parts, ...sent].join(', ');
}

function evidenceText({ what, address, words, reading }: Evidence): string {
  const at = address === undefined ? '' : ` at ${hex(address)}`;
  const held = words === undefined ? '' : ` [${words.map(hex).join(', ')}]`;
  return `${what}${at}${held}: ${reading}`;
}

/** A finding with its evidence, one line each. */
export function findingText(finding: Finding): string[] {
  const certain = finding.certain ? '' : ' (SUSPECT: rests on a weaker source)';
  return [
    `${finding.clause} ${finding.kind}: ${finding.discriminator}${certain}`,
    finding.event === undefined
      ? `  broken by operation #${finding.at}, shown by #${finding.shownAt}`
      : `  broken after operation #${finding.at}`,
    `  expected ${finding.expected}`,
    `  observed ${finding.observed}`,
    ...finding.evidence.map((each) => `    ${evidenceText(each)}`),
  ];
}

function stepText({ steps }: History, index: number, finding: Finding | undefined): string {
  const { operation, observation } = steps[index]!;
  const mark =
    finding?.event !== undefined ? ' ' : finding?.at === index ? '>' : finding?.shownAt === index ? '*' : ' ';
  const seen = observationText(observation);
  return `${mark} #${index} ${operationText(operation)}${seen === '' ? '' : ` → ${seen}`}`;
}

/** A history, a line per operation; the one that broke the rule and the one that showed it are marked. */
export function historyText(history: History, finding?: Finding): string[] {
  return [
    `from state "${history.start}" on ${history.profile.implementation}`,
    ...(history.software === undefined
      ? history.steps.map((_, index) => stepText(history, index, finding))
      : softwareStory(history, history.software, (index) => stepText(history, index, finding), finding?.event)),
    ...(history.failure === undefined ? [] : [`! ${history.failure.kind}: ${history.failure.message}`]),
  ];
}
