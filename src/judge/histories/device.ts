import type { InterruptMessage } from '../../../spec/interface/observations.js';
import { paintWord, tokenBytes } from '../../../spec/layout/tokens.js';
import { unit } from './software.js';
import { FUNCTIONS, frame, type Requester } from './world.js';
import type { Line } from './writer.js';

/** What devices do and see, and what the unit reports of it. */

const BYTES = 16;
const PPF = 1n << 1n;

const pageAddress = (page: number): bigint => BigInt(page) << 12n;

function paintOf(number: number): Uint8Array {
  const data = new Uint8Array(BYTES);
  const view = new DataView(data.buffer);
  for (let at = 0; at < BYTES; at += 8) view.setBigUint64(at, paintWord(frame(number) + BigInt(at)), true);
  return data;
}

/** A device reads a page and gets what is in a frame. */
export const reads =
  (who: Requester, page: number, from: number): Line =>
  (writer) => {
    const token = writer.token(who, 'read');
    writer.add(
      { op: 'dma', requester: who, address: pageAddress(page), direction: 'read', bytes: BYTES, token },
      { status: 'ok', data: paintOf(from) },
    );
  };

/** A device writes to a page, and software finds the bytes in a frame. */
export const writes =
  (who: Requester, page: number, into: number): Line =>
  (writer) => {
    const token = writer.token(who, 'write');
    writer.add(
      { op: 'dma', requester: who, address: pageAddress(page), direction: 'write', bytes: BYTES, token },
      { status: 'ok' },
    );
    const data = tokenBytes(Object.keys(FUNCTIONS).indexOf(who), token, BYTES);
    writer.add({ op: 'load', address: frame(into), bytes: BYTES }, { data });
  };

/** A device is refused a page; interrupt messages may come out meanwhile. */
export const refused =
  (who: Requester, direction: 'read' | 'write', page: number, ...messages: readonly InterruptMessage[]): Line =>
  (writer) => {
    const token = writer.token(who, direction);
    writer.add(
      { op: 'dma', requester: who, address: pageAddress(page), direction, bytes: BYTES, token },
      { status: 'unsupported-request', ...(messages.length === 0 ? {} : { messages }) },
    );
  };

/** Software finds a frame as it was painted. */
export const untouched =
  (number: number): Line =>
  (writer) =>
    writer.add({ op: 'load', address: frame(number), bytes: BYTES }, { data: paintOf(number) });

/** Fields of FSTS. */
interface Status {
  /** FRI, while PPF=1. */
  readonly first?: number;
  readonly overflow?: boolean;
  readonly queueError?: boolean;
}

/** The value of FSTS; a `first` means PPF=1. */
export const statusOf = ({ first, overflow = false, queueError = false }: Status): bigint =>
  (first === undefined ? 0n : PPF | (BigInt(first) << 8n)) | (overflow ? 1n : 0n) | (queueError ? 1n << 4n : 0n);

/** Software reads FSTS; interrupt messages may come out meanwhile. */
export const status =
  (fields: Status, ...messages: readonly InterruptMessage[]): Line =>
  (writer) =>
    writer.add(
      { op: 'regRead', ...unit, register: 'FSTS', size: 4 },
      { value: statusOf(fields), ...(messages.length === 0 ? {} : { messages }) },
    );

/** Fields of a fault record. */
interface Record {
  readonly reason: number;
  readonly who: Requester;
  readonly access: 'read' | 'write';
  readonly page: number;
  /** Bits 11:0, which are reserved. */
  readonly low?: bigint;
}

/** Software reads fault record `index`: both halves. */
export const record =
  (index: number, { reason, who, access, page, low = 0n }: Record): Line =>
  (writer) => {
    const common = { op: 'regRead', ...unit, register: 'FRCD', index: BigInt(index), size: 8 } as const;
    const type = access === 'read' ? 1n << 62n : 0n;
    const high = (1n << 63n) | type | (BigInt(reason) << 32n) | BigInt(FUNCTIONS[who]);
    writer.add({ ...common, offset: 0 }, { value: pageAddress(page) | low });
    writer.add({ ...common, offset: 8 }, { value: high });
  };

/** Software sees F=0 in fault record `index`. */
export const noRecord =
  (index: number): Line =>
  (writer) =>
    writer.add({ op: 'regRead', ...unit, register: 'FRCD', index: BigInt(index), offset: 12, size: 4 }, { value: 0n });

/** Software clears F of a fault record. */
export const clearRecord =
  (index: number): Line =>
  (writer) =>
    writer.add({
      op: 'regWrite',
      ...unit,
      register: 'FRCD',
      index: BigInt(index),
      offset: 12,
      size: 4,
      value: 1n << 31n,
    });

/** A device is refused, and the only record says why. */
export const refusedWith = (
  who: Requester,
  access: 'read' | 'write',
  page: number,
  reason: number,
): readonly Line[] => [refused(who, access, page), status({ first: 0 }), record(0, { reason, who, access, page })];
