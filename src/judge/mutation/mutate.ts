import type { InterruptMessage, Observation } from '../../../spec/interface/observations.js';
import type { History, Step } from '../../../spec/interface/scenario.js';
import { FRAME_BYTES, paintWord } from '../../../spec/layout/tokens.js';

/** Observation mutation: a good history with one observed field changed. A judge that sees must reject it. */

/** What can be changed. */
export const MUTATION_KINDS = [
  'register: one bit',
  'register: value of another time',
  'poll: one bit',
  'device: data from another frame',
  'device: completion status',
  'memory: one word',
  'message: removed',
  'message: added',
  'message: changed',
] as const;
export type MutationKind = (typeof MUTATION_KINDS)[number];

/** One change of one observation. */
export interface Mutation {
  readonly kind: MutationKind;
  /** Index of the operation whose observation was changed. */
  readonly at: number;
  readonly before: Observation;
  readonly after: Observation;
}

/** A whole number from 0 to `below` - 1. */
export type Draw = (below: number) => number;

/** The history with the mutation in it. */
export function mutated(history: History, { at, after }: Mutation): History {
  return {
    ...history,
    steps: history.steps.map((step, index) => (index === at ? { ...step, observation: after } : step)),
  };
}

/** Draws a mutation of a kind; `undefined` where the history has nothing of the kind to change. */
export function drawMutation(history: History, kind: MutationKind, draw: Draw): Mutation | undefined {
  const sites = history.steps.flatMap((step, at) => (isSite(kind, step) ? [at] : []));
  if (sites.length === 0) return undefined;
  const at = sites[draw(sites.length)]!;
  const before = history.steps[at]!.observation;
  const after = changed(history, kind, at, draw);
  return after === undefined ? undefined : { kind, at, before, after };
}

/** Draws a mutation with every observed field of every operation equally likely. */
export function drawAnyMutation(history: History, draw: Draw): Mutation | undefined {
  const sites = MUTATION_KINDS.map((kind) => history.steps.filter((step) => isSite(kind, step)).length);
  let place = draw(
    Math.max(
      1,
      sites.reduce((sum, each) => sum + each, 0),
    ),
  );
  for (const [index, kind] of MUTATION_KINDS.entries()) {
    if (place < sites[index]!) return drawMutation(history, kind, draw);
    place -= sites[index]!;
  }
  return undefined;
}

/** Whether an operation's observation has what a kind changes. */
function isSite(kind: MutationKind, { operation, observation }: Step): boolean {
  switch (kind) {
    case 'register: one bit':
    case 'register: value of another time':
      return observation.of === 'regRead' && observation.value !== undefined;
    case 'poll: one bit':
      return observation.of === 'poll' && observation.value !== undefined && observation.satisfied === true;
    case 'device: data from another frame':
      return observation.of === 'dma' && (observation.data?.length ?? 0) >= 8;
    case 'device: completion status':
      return observation.of === 'dma' && observation.status !== undefined;
    case 'memory: one word':
      return operation.op === 'load' && observation.of === 'load' && observation.data !== undefined;
    case 'message: removed':
    case 'message: changed':
      return (observation.messages?.length ?? 0) > 0;
    case 'message: added':
      return observation.messages !== undefined;
  }
}

function changed(history: History, kind: MutationKind, at: number, draw: Draw): Observation | undefined {
  const step = history.steps[at]!;
  switch (kind) {
    case 'register: one bit':
      return flippedBit(step, draw);
    case 'register: value of another time':
      return otherValue(history, at, draw);
    case 'poll: one bit':
      return otherPoll(step, draw);
    case 'device: data from another frame':
      return otherFrame(history, step, draw);
    case 'device: completion status':
      return otherStatus(step);
    case 'memory: one word':
      return otherWord(step, draw);
    case 'message: removed':
    case 'message: added':
    case 'message: changed':
      return otherMessages(history, kind, step, draw);
  }
}

const sizeOf = ({ operation }: Step): number => ('size' in operation ? operation.size : 8);

function flippedBit(step: Step, draw: Draw): Observation | undefined {
  const { observation } = step;
  if (observation.of !== 'regRead' || observation.value === undefined) return undefined;
  return { ...observation, value: observation.value ^ (1n << BigInt(draw(sizeOf(step) * 8))) };
}

/** What the same part of the same register read at another time of the history, where that differs. */
function otherValue(history: History, at: number, draw: Draw): Observation | undefined {
  const { operation, observation } = history.steps[at]!;
  if (operation.op !== 'regRead' || observation.of !== 'regRead') return undefined;
  const values = history.steps.flatMap(({ operation: other, observation: seen }) =>
    other.op === 'regRead' &&
    seen.of === 'regRead' &&
    other.register === operation.register &&
    (other.offset ?? 0) === (operation.offset ?? 0) &&
    other.size === operation.size &&
    seen.value !== undefined &&
    seen.value !== observation.value
      ? [seen.value]
      : [],
  );
  return values.length === 0 ? undefined : { ...observation, value: values[draw(values.length)]! };
}

/** A poll whose last read shows another bit. How many reads it took is the harness's own count. */
function otherPoll({ operation, observation }: Step, draw: Draw): Observation | undefined {
  if (operation.op !== 'poll' || observation.of !== 'poll' || observation.value === undefined) return undefined;
  return { ...observation, value: observation.value ^ (1n << BigInt(draw(operation.size * 8))) };
}

function withWord(data: Uint8Array, offset: number, word: bigint): Uint8Array {
  const copy = data.slice();
  new DataView(copy.buffer).setBigUint64(offset, word, true);
  return copy;
}

/** An aligned word of what a device read, replaced by paint of a frame of the arena. */
function otherFrame(history: History, { operation, observation }: Step, draw: Draw): Observation | undefined {
  if (operation.op !== 'dma' || observation.of !== 'dma' || observation.data === undefined) return undefined;
  const start = Number(-operation.address & 7n);
  const words = Math.floor((observation.data.length - start) / 8);
  if (words < 1) return undefined;
  const { base, bytes } = history.profile.arena;
  const source = base + BigInt(draw(bytes / FRAME_BYTES) * FRAME_BYTES + draw(FRAME_BYTES / 8) * 8);
  const offset = start + draw(words) * 8;
  const data = withWord(observation.data, offset, paintWord(source));
  return Buffer.compare(data, observation.data) === 0 ? undefined : { ...observation, data };
}

function otherStatus({ observation }: Step): Observation | undefined {
  if (observation.of !== 'dma') return undefined;
  return { ...observation, status: observation.status === 'ok' ? 'unsupported-request' : 'ok' };
}

/** A word of what software loads, with one bit changed or as another word of the same load. */
function otherWord({ observation }: Step, draw: Draw): Observation | undefined {
  if (observation.of !== 'load' || observation.data === undefined) return undefined;
  const words = observation.data.length / 8;
  const view = new DataView(observation.data.buffer, observation.data.byteOffset, observation.data.byteLength);
  const offset = draw(words) * 8;
  const before = view.getBigUint64(offset, true);
  const after = draw(2) === 0 ? before ^ (1n << BigInt(draw(64))) : view.getBigUint64(draw(words) * 8, true);
  return after === before ? undefined : { ...observation, data: withWord(observation.data, offset, after) };
}

function otherMessages(
  history: History,
  kind: MutationKind,
  { observation }: Step,
  draw: Draw,
): Observation | undefined {
  const { messages } = observation;
  if (messages === undefined) return undefined;
  const nth = messages.length === 0 ? 0 : draw(messages.length);
  switch (kind) {
    case 'message: removed':
      return { ...observation, messages: messages.filter((_, index) => index !== nth) };
    case 'message: changed': {
      const bit = 1n << BigInt(draw(16));
      return {
        ...observation,
        messages: messages.map((each, index) => (index === nth ? { ...each, data: each.data ^ bit } : each)),
      };
    }
    default:
      return { ...observation, messages: [...messages, anyMessage(history, draw)] };
  }
}

/** A message that came at another time of the history, or one of a vector of its own. */
function anyMessage(history: History, draw: Draw): InterruptMessage {
  const all = history.steps.flatMap(({ observation }) => observation.messages ?? []);
  const stray = { address: 0xfee0_0000n | BigInt(draw(256) << 12), data: BigInt(0x30 + draw(0xc0)) };
  return draw(2) === 0 && all.length > 0 ? all[draw(all.length)]! : stray;
}
