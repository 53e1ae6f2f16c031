import type { LineSink } from './pipeline.js';
import { ECAM, EDUS, ROOT_PORTS } from './platform.js';
import { hex, writeLine } from './qtest.js';

/** Offsets in configuration space. */
const COMMAND = 0x04;
const BAR0 = 0x10;
const BUS_NUMBERS = 0x18;
const MEMORY_WINDOW = 0x20;

/** Command register: decode memory, issue requests. */
const MEMORY_AND_MASTER = 6;

/** PCIEXBAR of the host bridge: its place in configuration space; 64 MiB is length code 2. */
const PCIEXBAR = 0x60;
const ECAM_64M_ENABLED = 0x5;

/** Vendor and device of `edu`. */
export const EDU_IDENTITY = 0x11e8_1234n;

/**
 * Host-physical address of a byte of configuration space.
 *
 * @param routingId bus[15:8], device[7:3], function[2:0]
 * @throws Error when the bus is outside the window or the offset outside 4 KiB
 */
export function configAddress(routingId: number, offset: number): number {
  const reachable = Number.isInteger(routingId) && routingId >= 0 && routingId < ECAM.buses * 256;
  if (!reachable) {
    throw new Error(`function ${routingId} is outside the ${ECAM.buses} buses that the QEMU target reaches`);
  }
  if (!Number.isInteger(offset) || offset < 0 || offset > 0xfff) {
    throw new Error(`offset ${offset} is outside configuration space (0 to 4095)`);
  }
  return ECAM.base + routingId * 4096 + offset;
}

/** Gives buses, windows and registers their places. A reset takes them away. */
export function setUpPci(pipeline: LineSink): void {
  pipeline.add(`outl 0xcf8 ${hex(0x8000_0000 + PCIEXBAR + 4)}`);
  pipeline.add('outl 0xcfc 0x0');
  pipeline.add(`outl 0xcf8 ${hex(0x8000_0000 + PCIEXBAR)}`);
  pipeline.add(`outl 0xcfc ${hex(ECAM.base + ECAM_64M_ENABLED)}`);
  for (const { device, bus, window } of ROOT_PORTS) {
    const port = device << 3;
    pipeline.add(writeLine(4, configAddress(port, BUS_NUMBERS), (bus << 16) | (bus << 8)));
    pipeline.add(writeLine(4, configAddress(port, MEMORY_WINDOW), windowRegister(window)));
    pipeline.add(writeLine(2, configAddress(port, COMMAND), MEMORY_AND_MASTER));
  }
  for (const { routingId, bar } of EDUS) {
    pipeline.add(writeLine(4, configAddress(routingId, BAR0), bar));
    pipeline.add(writeLine(2, configAddress(routingId, COMMAND), MEMORY_AND_MASTER));
  }
}

/** Memory limit in bits 31:20, memory base in bits 15:4, both in units of 1 MiB. */
function windowRegister({ first, last }: { readonly first: number; readonly last: number }): bigint {
  return (BigInt(last >>> 20) << 20n) | (BigInt(first >>> 20) << 4n);
}
