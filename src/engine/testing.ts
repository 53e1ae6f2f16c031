import { CAP_FIELDS, ECAP_FIELDS, GLOBAL_COMMAND, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { ACCESS, type Access } from './access.js';
import { composeRegister } from './bits.js';
import { createUnit } from './create.js';
import { DmaPort } from './dma.js';
import { PhysicalMemory } from './memory.js';
import { NO_CACHES, type Shape, type ShapeName, shapeOf } from './shapes.js';
import type { RemappingUnit } from './unit.js';

/** Where the test machine keeps its tables, one frame each; RAM is 0 to 16 MiB without a hole at 0xa0000. */
export const ROOT = 0x10_0000n;
export const CONTEXT = 0x10_1000n;
const FIRST_TABLE = 0x10_2000n;
/** First byte address without RAM. */
export const NO_RAM = 0x100_0000n;
export const ROUTING_ID = 0x0110;

export interface SentMessage {
  readonly address: bigint;
  readonly data: number;
  readonly source: number;
}

/** GCMD without its one-shot bits. */
const PERSISTENT = 0x96ff_ffff;

/** A shape with other capabilities than the named one has. */
export function shapeWith(
  name: ShapeName,
  ecap: Readonly<Partial<Record<keyof typeof ECAP_FIELDS, number>>>,
  cap: Readonly<Partial<Record<keyof typeof CAP_FIELDS, number>>> = {},
): Shape {
  const shape = shapeOf(name);
  return {
    ...shape,
    cap: shape.cap | composeRegister(CAP_FIELDS, cap),
    ecap: shape.ecap | composeRegister(ECAP_FIELDS, ecap),
  };
}

/** Widest page by level, in address bits. */
export const PAGE_BITS = [0, 12, 21, 30] as const;

/**
 * A unit over a little memory, for tests: tables are written by hand, requests are made by bigint address. A shape
 * given by its name has no caches, as most tests change tables at will.
 */
export class TestMachine {
  readonly memory = new PhysicalMemory([
    { base: 0, bytes: 0xa_0000 },
    { base: 0x10_0000, bytes: Number(NO_RAM) - 0x10_0000 },
  ]);
  readonly messages: SentMessage[] = [];
  readonly unit: RemappingUnit;
  readonly port: DmaPort;
  private nextTable = FIRST_TABLE;

  constructor(shape: ShapeName | Shape, seed = 1) {
    const sendMessage = (high: number, low: number, data: number, source: number) => {
      this.messages.push({ address: join(high, low), data, source });
    };
    this.unit = createUnit({
      shape: typeof shape === 'string' ? { ...shapeOf(shape), caches: NO_CACHES, chaos: false } : shape,
      seed,
      memory: this.memory,
      sendMessage,
    });
    this.port = new DmaPort(this.unit, this.memory, sendMessage);
  }

  /** A fresh frame of zeros. */
  table(): bigint {
    const table = this.nextTable;
    this.nextTable += 0x1000n;
    return table;
  }

  store(address: bigint, ...words: bigint[]): void {
    this.memory.writeWords(Number(address), words);
  }

  word(address: bigint): bigint {
    return new BigUint64Array(this.memory.copy(Number(address), 8).buffer)[0]!;
  }

  /** Root and context entry of {@link ROUTING_ID} that lead to a table. */
  assign(table: bigint, width: number, more = { low: 0n, high: 0n }): void {
    this.store(ROOT + 0x10n, CONTEXT | 1n);
    this.store(CONTEXT + 0x100n, table | 1n | more.low, BigInt(width) | more.high);
  }

  /** Maps a page by tables below `top`; returns the addresses of the entries by level. Entry 0 of the list is unused. */
  map(top: bigint, levels: number, leafLevel: number, input: bigint, leaf: bigint): bigint[] {
    const places: bigint[] = new Array<bigint>(levels + 1).fill(0n);
    let table = top;
    for (let level = levels; level >= leafLevel; level--) {
      const index = (input >> BigInt(12 + 9 * (level - 1))) & 511n;
      const place = table + index * 8n;
      places[level] = place;
      if (level === leafLevel) {
        this.store(place, leaf);
      } else {
        const next = this.word(place) === 0n ? this.table() : this.word(place) & ~0xfffn;
        this.store(place, next | 3n);
        table = next;
      }
    }
    return places;
  }

  /** Latches a root table and enables translation. */
  enable(rootAddress = ROOT): void {
    this.write64(VTD_REGISTERS.RTADDR.offset, rootAddress);
    this.command('SRTP');
    this.command('TE');
  }

  /** Gives a global command, the other functions staying on or off as they are. */
  command(name: keyof typeof GLOBAL_COMMAND, on = true): void {
    const bit = (1 << GLOBAL_COMMAND[name]) >>> 0;
    const persistent = this.read32(VTD_REGISTERS.GSTS.offset) & PERSISTENT;
    this.write(VTD_REGISTERS.GCMD.offset, on ? persistent | bit : persistent & ~bit);
  }

  translate(input: bigint, access: Access = ACCESS.read, routingId = ROUTING_ID): number {
    return this.unit.translate(routingId, high(input), low(input), access);
  }

  get output(): bigint {
    return join(this.unit.outHigh, this.unit.outLow);
  }

  write(offset: number, value: number): void {
    this.unit.registers.write(offset, value | 0);
  }

  read32(offset: number): number {
    return this.unit.registers.read(offset) >>> 0;
  }

  read64(offset: number): bigint {
    return join(this.unit.registers.read(offset + 4), this.unit.registers.read(offset));
  }

  write64(offset: number, value: bigint): void {
    this.unit.registers.write(offset, low(value));
    this.unit.registers.write(offset + 4, high(value));
  }

  /** Halves of fault record `n`. */
  faultRecord(n = 0): { readonly low: bigint; readonly high: bigint } {
    const at = this.unit.capabilities.faultRecordOffset + 16 * n;
    return { low: this.read64(at), high: this.read64(at + 8) };
  }

  /** Reason in fault record 0, or undefined when nothing was recorded; clears the record. */
  takeFault(): number | undefined {
    const { high: record } = this.faultRecord();
    this.clearFault(0);
    return record >> 63n === 0n ? undefined : Number((record >> 32n) & 0xffn);
  }

  clearFault(n: number): void {
    this.unit.registers.write(this.unit.capabilities.faultRecordOffset + 16 * n + 12, 0x8000_0000 | 0);
  }
}

function join(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** High half as int32. */
export function high(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}

/** Low half as int32. */
export function low(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}
