import { ADDRESS_WIDTHS, GLOBAL_COMMAND, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { type CacheSizes, createUnit, PhysicalMemory, type RemappingUnit, type Shape } from '../engine/index.js';

/** Consecutive pages, or one in each 2 MiB, every one with a level-1 table of its own. */
export type Spread = 'dense' | 'sparse';

/** The addresses that are asked for, one in each page, as halves. */
export interface Requests {
  readonly highs: Int32Array;
  readonly lows: Int32Array;
}

/** Tables that map the pages asked for. */
export interface Tables {
  readonly memory: PhysicalMemory;
  readonly requests: Requests;
  /** Host frame of the top table. */
  readonly top: number;
  /** Sum of the low halves of all host addresses, modulo 2^32. */
  readonly sum: number;
}

export const ROUTING_ID = 0x0110;

const LEVELS = 4;
const FRAME = 4096;
const ENTRIES = 512;
const DENSE_BASE = 0x1000_0000;
/** Where the sparse pages begin, behind the interrupt range. */
const SPARSE_BASE = 2 ** 32;
const LARGE_PAGE = 2 ** 21;
const READ_WRITE = 3;
const PRESENT = 1;

/** Host frames of the root table, of the context table, and of the top table; then come the others. */
const ROOT = 0;
const CONTEXT = 1;
const TOP = 2;

/** Every page leads to the frame with its number behind this one; nothing is read or written there. */
const FIRST_TARGET = 0x20_0000;

/** Address of request `n`. Sparse pages are a little more than 2 MiB apart, so that direct-mapped caches hold them all. */
function addressOf(spread: Spread, n: number): number {
  const page = spread === 'dense' ? DENSE_BASE + n * FRAME : SPARSE_BASE + n * (LARGE_PAGE + FRAME);
  return page + ((n * 8) % FRAME);
}

/** Index of an address's entry in a table of a level, as the manual counts levels. */
function indexAt(address: number, level: number): number {
  return Math.floor(address / FRAME / ENTRIES ** (level - 1)) % ENTRIES;
}

/** Entries of the tables below `TOP`: by their place, what they hold. */
class Mapper {
  readonly entries: { readonly place: number; readonly value: number }[] = [];
  frames = TOP + 1;
  /** The tables on the way to the last address, by level, with the part of the address that leads to each. */
  private readonly way = new Map<number, { readonly prefix: number; readonly table: number }>();

  /** Maps the page of an address; addresses come in ascending order. */
  map(address: number, target: number): void {
    let table = TOP;
    for (let level = LEVELS; level > 1; level--) {
      const prefix = Math.floor(address / FRAME / ENTRIES ** (level - 1));
      const known = this.way.get(level);
      if (known?.prefix === prefix) {
        table = known.table;
        continue;
      }
      const next = this.frames;
      this.frames += 1;
      this.entries.push({ place: table * FRAME + 8 * indexAt(address, level), value: next * FRAME + READ_WRITE });
      this.way.set(level, { prefix, table: next });
      table = next;
    }
    this.entries.push({ place: table * FRAME + 8 * indexAt(address, 1), value: target * FRAME + READ_WRITE });
  }
}

function writeWord(memory: PhysicalMemory, address: number, value: number): void {
  memory.writeWord(address, value | 0, Math.floor(value / 2 ** 32));
}

/** Builds tables of 4 levels for that many pages; every table lies behind the one made before it. */
export function buildTables(pages: number, spread: Spread): Tables {
  const requests = { highs: new Int32Array(pages), lows: new Int32Array(pages) };
  const mapper = new Mapper();
  let sum = 0;
  for (let n = 0; n < pages; n++) {
    const address = addressOf(spread, n);
    requests.highs[n] = Math.floor(address / 2 ** 32);
    requests.lows[n] = address | 0;
    mapper.map(address, FIRST_TARGET + n);
    sum = (sum + ((FIRST_TARGET + n) * FRAME + (address % FRAME))) | 0;
  }
  const memory = new PhysicalMemory([{ base: 0, bytes: mapper.frames * FRAME }]);
  for (let frame = 0; frame < mapper.frames; frame++) writeWord(memory, frame * FRAME, 0);
  const width = Object.entries(ADDRESS_WIDTHS).find(([, { levels }]) => levels === LEVELS)!;
  const context = CONTEXT * FRAME + 16 * (ROUTING_ID & 0xff);
  writeWord(memory, ROOT * FRAME + 16 * (ROUTING_ID >> 8), CONTEXT * FRAME + PRESENT);
  writeWord(memory, context, TOP * FRAME + PRESENT);
  writeWord(memory, context + 8, Number(width[0]));
  for (const { place, value } of mapper.entries) writeWord(memory, place, value);
  return { memory, requests, top: TOP, sum };
}

/** A unit of that shape with other caches, which translates by the tables. */
export function unitOver(tables: Tables, shape: Shape, caches: Partial<CacheSizes>): RemappingUnit {
  const unit = createUnit({
    shape: { ...shape, caches: { ...shape.caches, ...caches } },
    memory: tables.memory,
    sendMessage: () => {},
  });
  unit.registers.write(VTD_REGISTERS.RTADDR.offset, ROOT * FRAME);
  unit.registers.write(VTD_REGISTERS.GCMD.offset, 1 << GLOBAL_COMMAND.SRTP);
  unit.registers.write(VTD_REGISTERS.GCMD.offset, 1 << GLOBAL_COMMAND.TE);
  unit.settle();
  return unit;
}
