import type { InterruptMessage } from '../../../spec/interface/observations.js';
import { all, type ContextScope, type IotlbScope, queueSwitched, store, unit, write } from './software.js';
import { frame, QUEUE, STATUS } from './world.js';
import type { Line } from './writer.js';

/** What software does with the invalidation queue, and what it sees of it. */

/** 128 bits: low word, high word. */
export type Descriptor = readonly [bigint, bigint];

export const contextDescriptor = (scope: ContextScope): Descriptor => {
  if (scope === 'global') return [0x11n, 0n];
  const did = BigInt(scope.did) << 16n;
  if (scope.sid === undefined) return [0x21n | did, 0n];
  return [0x31n | did | (BigInt(scope.sid) << 32n) | (BigInt(scope.fm ?? 0) << 48n), 0n];
};

export const iotlbDescriptor = (scope: IotlbScope): Descriptor => {
  if (scope === 'global') return [0x12n, 0n];
  const did = BigInt(scope.did) << 16n;
  if (scope.page === undefined) return [0x22n | did, 0n];
  return [0x32n | did, (BigInt(scope.page) << 12n) | (scope.ih ? 1n << 6n : 0n) | BigInt(scope.am ?? 0)];
};

interface Wait {
  /** Status data to be written; absent: SW=0. */
  readonly data?: number;
  /** Which 32-bit word of the status frame. */
  readonly word?: number;
  readonly interrupt?: boolean;
  readonly fence?: boolean;
}

export const wait = ({ data, word = 0, interrupt = false, fence = false }: Wait): Descriptor => [
  5n | (interrupt ? 0x10n : 0n) | (data === undefined ? 0n : 0x20n | (BigInt(data) << 32n)) | (fence ? 0x40n : 0n),
  data === undefined ? 0n : frame(STATUS) + BigInt(word) * 4n,
];

/** The status words are zeroed, the queue gets its place and is enabled. */
export const queueOn: Line = all(store(frame(STATUS), 0n, 0n), write('IQA', frame(QUEUE), 8), queueSwitched(true));

/** Descriptors are put behind the last one, without telling the unit. */
export const put =
  (...descriptors: readonly Descriptor[]): Line =>
  (writer) => {
    for (const words of descriptors) {
      const address = frame(QUEUE) + BigInt(writer.queued % 256) * 16n;
      writer.add({ op: 'store', address, words });
      writer.queued += 1;
    }
  };

/** The unit is told of the descriptors so far; interrupt messages may come out meanwhile. */
export const tell =
  (...messages: readonly InterruptMessage[]): Line =>
  (writer) =>
    writer.add(
      { op: 'regWrite', ...unit, register: 'IQT', size: 8, value: BigInt(writer.queued % 256) * 16n },
      messages.length === 0 ? {} : { messages },
    );

/** Descriptors are put into the queue and handed over. */
export const submit = (...descriptors: readonly Descriptor[]): Line => all(put(...descriptors), tell());

/** Software reads the status words; interrupt messages may come out meanwhile. */
export const statusWords =
  (words: readonly number[], ...messages: readonly InterruptMessage[]): Line =>
  (writer) => {
    const data = new Uint8Array(16);
    const view = new DataView(data.buffer);
    words.forEach((word, at) => {
      view.setUint32(at * 4, word, true);
    });
    writer.add(
      { op: 'load', address: frame(STATUS), bytes: 16 },
      { data, ...(messages.length === 0 ? {} : { messages }) },
    );
  };

/** A register is read while interrupt messages come out. */
export const hears =
  (register: string, value: bigint, ...messages: readonly InterruptMessage[]): Line =>
  (writer) =>
    writer.add({ op: 'regRead', ...unit, register, size: 4 }, { value, messages });

/** A register is written while interrupt messages come out. */
export const writeHears =
  (register: string, value: bigint, ...messages: readonly InterruptMessage[]): Line =>
  (writer) =>
    writer.add({ op: 'regWrite', ...unit, register, size: 4, value }, { messages });

/** Everything comes to rest while interrupt messages come out. */
export const settleHears =
  (...messages: readonly InterruptMessage[]): Line =>
  (writer) =>
    writer.add({ op: 'settle' }, { messages });

/** Invalidations are queued with a wait behind them, and the wait is seen complete. */
export const queued = (...descriptors: readonly Descriptor[]): Line =>
  all(submit(...descriptors, wait({ data: 7 })), statusWords([7]));

/** The same, but nobody looks whether the wait is complete. */
export const queuedUnseen = (...descriptors: readonly Descriptor[]): Line => submit(...descriptors, wait({ data: 7 }));
