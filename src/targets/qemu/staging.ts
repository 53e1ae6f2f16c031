import { tokenBytes } from '../../../spec/layout/tokens.js';
import { type DmaRequest, READ_AREA, READ_AREA_BYTES } from './edu.js';
import { EDUS, RESERVED, SLOT_BYTES, SLOTS } from './platform.js';

/**
 * The memory that the target keeps for itself, frame by frame: a root table without a present entry ("quarantine"),
 * and tables that map one staging frame per requester to itself, through which devices' buffers are filled and read.
 */
const FRAME = 4096;
const frame = (number: number) => RESERVED.base + number * FRAME;

/** A root table without a present entry; it is what scenarios that start `ready` find latched. */
export const QUARANTINE_ROOT = frame(0);

/** Root table under which requesters reach their staging frames. */
export const STAGING_ROOT = frame(1);

/** First byte of the tables above. */
export const TABLES_BASE = frame(0);

/** Free for structures of the firmware interface. */
export const FIRMWARE_BASE = frame(64);

const CONTEXT_TABLES = frame(2);
const PAGING_TABLES = frame(4);
const FIRST_STAGING_FRAME = 16;

/** Bytes from {@link TABLES_BASE} to the end of the last staging frame. */
export const STAGING_BYTES = (FIRST_STAGING_FRAME + EDUS.length) * FRAME;

/** A domain that scenarios hardly use. */
const DOMAIN = 0xfffen;

/** Context entry: three levels (39 bits), which every intel-iommu of QEMU offers. */
const THREE_LEVELS = 1n;
const READ_WRITE = 3n;

/** Staging frame of a requester, by its position. */
export function stagingFrame(requester: number): number {
  return frame(FIRST_STAGING_FRAME + requester);
}

/** What a read slot holds when nothing arrived: bytes that neither paint nor tokens nor zeros are. */
export const FILLER = 0xee;

/** Contents of all staging tables, from {@link TABLES_BASE}. */
export function stagingTables(): Uint8Array {
  const words = new BigUint64Array((7 * FRAME) / 8);
  const set = (address: number, value: bigint) => {
    words[(address - TABLES_BASE) / 8] = value;
  };
  for (const { routingId } of EDUS) {
    const bus = routingId >> 8;
    const contexts = CONTEXT_TABLES + (bus - 1) * FRAME;
    set(STAGING_ROOT + bus * 16, BigInt(contexts) | 1n);
    set(contexts + (routingId & 0xff) * 16, BigInt(PAGING_TABLES) | 1n);
    set(contexts + (routingId & 0xff) * 16 + 8, (DOMAIN << 8n) | THREE_LEVELS);
  }
  const index = (level: number) => Math.floor(RESERVED.base / 2 ** (12 + 9 * (level - 1))) % 512;
  set(PAGING_TABLES + index(3) * 8, BigInt(PAGING_TABLES + FRAME) | READ_WRITE);
  set(PAGING_TABLES + FRAME + index(2) * 8, BigInt(PAGING_TABLES + 2 * FRAME) | READ_WRITE);
  for (let requester = 0; requester < EDUS.length; requester += 1) {
    const number = FIRST_STAGING_FRAME + requester;
    set(PAGING_TABLES + 2 * FRAME + (index(1) + number) * 8, BigInt(frame(number)) | READ_WRITE);
  }
  return new Uint8Array(words.buffer);
}

/** What a requester's buffer holds: all tokens, then filler. One byte short, see READ_AREA_BYTES. */
export function bufferContents(requester: number): Uint8Array {
  const contents = new Uint8Array(READ_AREA + READ_AREA_BYTES).fill(FILLER);
  for (let token = 0; token < SLOTS; token += 1) {
    contents.set(tokenBytes(requester, token, SLOT_BYTES), token * SLOT_BYTES);
  }
  return contents;
}

/** Request that fills a requester's whole buffer from its staging frame. */
export function fillRequest(requester: number): DmaRequest {
  return {
    direction: 'read',
    address: BigInt(stagingFrame(requester)),
    offset: 0,
    bytes: READ_AREA + READ_AREA_BYTES,
  };
}

/** Request that writes a requester's read area to the same offset of its staging frame. */
export function emptyRequest(requester: number): DmaRequest {
  return {
    direction: 'write',
    address: BigInt(stagingFrame(requester) + READ_AREA),
    offset: READ_AREA,
    bytes: READ_AREA_BYTES,
  };
}
