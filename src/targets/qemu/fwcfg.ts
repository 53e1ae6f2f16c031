import type { Pipeline } from './pipeline.js';
import type { Ram } from './ram.js';
import { FIRMWARE_BASE } from './staging.js';

/** The firmware configuration interface of QEMU: selector of the file directory, and its file with the ACPI tables. */
const FILE_DIRECTORY = 0x19;
const TABLES_FILE = 'etc/acpi/tables';

const DIRECTORY_ENTRY_BYTES = 64;
const DIRECTORY_BYTES = 4 + 128 * DIRECTORY_ENTRY_BYTES;
const LARGEST_FILE = 0x10_0000;

/** DMA interface: control bits, and ports of the upper and lower half of the request's address (big-endian). */
const CONTROL = { error: 1, read: 2, select: 8 } as const;
const PORT_HIGH = 0x514;
const PORT_LOW = 0x518;

/** ACPI DMAR table: width of host-physical addresses minus one is the byte behind the common header. */
const HEADER_BYTES = 36;

/**
 * Reads the host address width from the machine's ACPI DMAR table.
 *
 * @returns the width in bits, or `undefined` when the machine has no such table
 */
export async function readHostAddressWidth(pipeline: Pipeline, ram: Ram): Promise<number | undefined> {
  const directory = await readItem(pipeline, ram, FILE_DIRECTORY, DIRECTORY_BYTES);
  const file = directory === undefined ? undefined : findFile(directory, TABLES_FILE);
  if (file === undefined) {
    return undefined;
  }
  const tables = await readItem(pipeline, ram, file.selector, Math.min(file.bytes, LARGEST_FILE));
  return tables === undefined ? undefined : hostAddressWidth(tables);
}

/** Width in bits from a blob of ACPI tables. */
export function hostAddressWidth(tables: Buffer): number | undefined {
  for (let at = tables.indexOf('DMAR'); at >= 0; at = tables.indexOf('DMAR', at + 1)) {
    const whole = at + HEADER_BYTES < tables.length && at + tables.readUInt32LE(at + 4) <= tables.length;
    const width = whole ? tables[at + HEADER_BYTES]! + 1 : 0;
    if (width >= 32 && width <= 64) {
      return width;
    }
  }
  return undefined;
}

function findFile(directory: Buffer, name: string): { readonly selector: number; readonly bytes: number } | undefined {
  const count = Math.min(directory.readUInt32BE(0), 128);
  for (let entry = 0; entry < count; entry += 1) {
    const at = 4 + entry * DIRECTORY_ENTRY_BYTES;
    const found = directory.toString('latin1', at + 8, at + DIRECTORY_ENTRY_BYTES).split('\0')[0];
    if (found === name) {
      return { selector: directory.readUInt16BE(at + 4), bytes: directory.readUInt32BE(at) };
    }
  }
  return undefined;
}

/** Selects an item and reads its first bytes; what lies behind its end reads as zeros. */
async function readItem(pipeline: Pipeline, ram: Ram, selector: number, bytes: number): Promise<Buffer | undefined> {
  const data = FIRMWARE_BASE + 64;
  const request = Buffer.alloc(16);
  request.writeUInt32BE(((selector << 16) | CONTROL.select | CONTROL.read) >>> 0, 0);
  request.writeUInt32BE(bytes, 4);
  request.writeBigUInt64BE(BigInt(data), 8);
  ram.write(FIRMWARE_BASE, request);
  pipeline.add(`outl 0x${PORT_HIGH.toString(16)} 0x0`);
  pipeline.add(`outl 0x${PORT_LOW.toString(16)} 0x${swapped(FIRMWARE_BASE)}`);
  await pipeline.flush();
  const control = readBuffer(ram, FIRMWARE_BASE, 4).readUInt32BE(0);
  return control === 0 ? readBuffer(ram, data, bytes) : undefined;
}

function swapped(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString('hex');
}

function readBuffer(ram: Ram, address: number, bytes: number): Buffer {
  return Buffer.from(ram.read(address, bytes).buffer);
}
