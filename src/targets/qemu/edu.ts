import type { LineSink, Pipeline } from './pipeline.js';
import { type EduPlace, SLOT_BYTES, SLOTS } from './platform.js';
import { hex, readLine, writeLine } from './qtest.js';
import { Trouble } from './trouble.js';

/** Registers of an `edu` device, byte offsets in BAR 0. */
const REGISTER = { interruptRaise: 0x60, interruptAcknowledge: 0x64, dma: 0x80, command: 0x98 } as const;

/** What the DMA engine calls the first byte of its buffer. */
const BUFFER = 0x4_0000;

/** DMA command: start; the device writes to memory rather than reading it. */
const COMMAND = { start: 1, toMemory: 2 } as const;

/** Where read slots begin in the buffer; before it are the tokens. */
export const READ_AREA = SLOTS * SLOT_BYTES;

/** Bytes of the read area that can be used: QEMU before 10 refuses requests that touch the buffer's last byte. */
export const READ_AREA_BYTES = SLOTS * SLOT_BYTES - 1;

/** Virtual time after which a DMA has ended, in nanoseconds. */
const DMA_TIME = 100_000_000;

/** One request of a device. */
export interface DmaRequest {
  readonly direction: 'read' | 'write';
  /** I/O virtual address. */
  readonly address: bigint;
  /** Byte offset in the device's buffer. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Byte offset of a token in the device's buffer (write), or of the slot that receives a read. The last byte of the
 * buffer cannot be used, so that a full-length read into the last slot begins one byte early, see {@link overlaps}.
 */
export function slotOffset(direction: 'read' | 'write', slot: number, bytes: number): number {
  if (direction === 'write') {
    return slot * SLOT_BYTES;
  }
  return Math.min(READ_AREA + slot * SLOT_BYTES, READ_AREA + READ_AREA_BYTES - bytes);
}

/** How time passes: `qtest` needs the clock to be moved, `tcg` moves it by itself. */
export type Clock = 'qtest' | 'tcg';

/** What the four DMA registers take for a request: source, destination, count and command. */
export function dmaValues({ direction, address, offset, bytes }: DmaRequest): readonly bigint[] {
  const inBuffer = BigInt(BUFFER + offset);
  const [source, destination] = direction === 'write' ? [inBuffer, address] : [address, inBuffer];
  const command = direction === 'write' ? COMMAND.start | COMMAND.toMemory : COMMAND.start;
  return [source, destination, BigInt(bytes), BigInt(command)];
}

/** Adds the lines that start a request: the four registers lie side by side and are written by one line. */
export function startDma(pipeline: Pipeline, edu: EduPlace, request: DmaRequest, owner?: number): void {
  const data = dmaValues(request).map(littleEndian).join('');
  pipeline.add(`write ${hex(edu.bar + REGISTER.dma)} 32 0x${data}`, owner);
}

/**
 * Sends what waits and awaits the end of the requests of these devices.
 *
 * @param timeoutMs bound on the wait; reached, it is a hang
 * @throws Trouble
 */
export async function awaitDma(
  pipeline: Pipeline,
  edus: readonly EduPlace[],
  clock: Clock,
  timeoutMs: number,
  owner?: number,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let busy = edus;
  if (clock === 'tcg') {
    // Time passes by itself, but not before QEMU has nothing to answer: a device asked at once is busy still.
    await pipeline.flush();
  }
  while (busy.length > 0) {
    const running = new Set<EduPlace>();
    if (clock === 'qtest') {
      pipeline.read(`clock_step ${DMA_TIME}`, () => {}, owner);
    }
    for (const edu of busy) {
      const note = (value: bigint) => (value & 1n) === 1n && running.add(edu);
      pipeline.read(readLine(4, edu.bar + REGISTER.command), note, owner);
    }
    await pipeline.flush();
    if (running.size > 0 && performance.now() > deadline) {
      throw new Trouble('hang', `a DMA of ${[...running].map(({ id }) => id).join(', ')} does not end`, owner);
    }
    busy = [...running];
  }
}

/** Adds the lines that raise the device's interrupt and take it back; what it sends is up to its MSI capability. */
export function raiseInterrupt(pipeline: LineSink, edu: EduPlace, owner?: number): void {
  pipeline.add(writeLine(4, edu.bar + REGISTER.interruptRaise, 1), owner);
  pipeline.add(writeLine(4, edu.bar + REGISTER.interruptAcknowledge, 1), owner);
}

function littleEndian(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes.toString('hex');
}
