import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { paintWord } from '../../../spec/layout/tokens.js';
import { ARENA, RAM_BYTES } from './platform.js';

/** The machine's memory: a file that QEMU maps too. What is written here is visible to devices at once. */
export class Ram {
  readonly #file: number;
  #cleanBlocks: number | undefined;

  /** @param path file to create */
  constructor(path: string) {
    this.#file = openSync(path, 'wx+', 0o600);
    ftruncateSync(this.#file, RAM_BYTES);
  }

  /** @throws Error when the range is not plain memory */
  write(address: number, data: Uint8Array): void {
    checkRange(address, data.length);
    writeSync(this.#file, data, 0, data.length, address);
  }

  /** @throws Error when the range is not plain memory */
  read(address: number, bytes: number): Uint8Array {
    checkRange(address, bytes);
    const data = new Uint8Array(bytes);
    let done = 0;
    while (done < bytes) {
      const got = readSync(this.#file, data, done, bytes - done, address + done);
      if (got === 0) {
        throw new Error('the file that holds the memory of QEMU was cut short');
      }
      done += got;
    }
    return data;
  }

  /** Whether pages came into use since {@link markClean} was called: a device reached memory outside the arena. */
  get isSoiled(): boolean {
    return fstatSync(this.#file).blocks !== this.#cleanBlocks;
  }

  /** Makes all memory zero by giving every page back. Nothing may be using it. */
  clear(): void {
    ftruncateSync(this.#file, 0);
    ftruncateSync(this.#file, RAM_BYTES);
  }

  /** The pages now in use are all that are meant to be. */
  markClean(): void {
    this.#cleanBlocks = fstatSync(this.#file).blocks;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The paint of a range of memory. */
export function paint(address: number, bytes: number): Uint8Array {
  const words = new BigUint64Array(bytes / 8);
  for (let index = 0; index < words.length; index += 1) {
    words[index] = paintWord(BigInt(address + index * 8));
  }
  return new Uint8Array(words.buffer);
}

/** The paint of the whole arena. */
export function paintedArena(): Uint8Array {
  return paint(ARENA.base, ARENA.bytes);
}

/** Between 640 KiB and 1 MiB are devices, not the file. */
function checkRange(address: number, bytes: number): void {
  const end = address + bytes;
  const low = address >= 0 && end <= 0xa_0000;
  const high = address >= 0x10_0000 && end <= RAM_BYTES;
  if (!Number.isInteger(address) || !Number.isInteger(bytes) || bytes < 0 || !(low || high)) {
    throw new Error(`memory at 0x${address.toString(16)}, ${bytes} bytes, is not RAM of the QEMU target`);
  }
}
