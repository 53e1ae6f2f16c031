import type { Operand, Operation, RegisterAddress } from '../../spec/interface/operations.js';
import {
  CCMD_FIELDS,
  CONTEXT_GRANULARITY,
  FRCD_FIELDS,
  FSTS_FIELDS,
  GLOBAL_COMMAND,
  IOTLB_FIELDS,
  IOTLB_GRANULARITY,
  IRTA_FIELDS,
  RTADDR_FIELDS,
} from '../../spec/layout/vtd.js';
import { FRAME, type Platform, withField } from './capabilities.js';

/** Most reads of a poll. */
const POLL_LIMIT = 1000;

/** Up to this many fault records, all of them are read; beyond, the one that FRI names. */
const MOST_RECORDS_READ = 8;

const TES = 1n << BigInt(GLOBAL_COMMAND.TE);
const RTPS = 1n << BigInt(GLOBAL_COMMAND.SRTP);
const QIES = 1n << BigInt(GLOBAL_COMMAND.QIE);
const IRES = 1n << BigInt(GLOBAL_COMMAND.IRE);
const IRTPS = 1n << BigInt(GLOBAL_COMMAND.SIRTP);
const WBFS = 1n << BigInt(GLOBAL_COMMAND.WBF);
const ICC = 1n << BigInt(CCMD_FIELDS.ICC[1]);
const IVT = 1n << BigInt(IOTLB_FIELDS.IVT[1]);
const CONTEXT_GLOBAL = withField(ICC, CCMD_FIELDS.CIRG, BigInt(CONTEXT_GRANULARITY.global));
const IOTLB_GLOBAL = withField(IVT, IOTLB_FIELDS.IIRG, BigInt(IOTLB_GRANULARITY.global));
const DRAIN = withField(withField(0n, IOTLB_FIELDS.DR, 1n), IOTLB_FIELDS.DW, 1n);
/** F inside the highest 32 bits of a record. */
const RECORD_F = 1n << BigInt(FRCD_FIELDS.F[1] - 96);
const OVERFLOW = 1n << BigInt(FSTS_FIELDS.PFO[1]);

/** A DMA request before it has a token. */
export interface Request {
  readonly requester: string;
  readonly address: bigint;
  readonly direction: 'read' | 'write';
  readonly bytes: number;
  readonly noSnoop?: boolean;
}

/** How a collection of faults ends. */
export interface CollectOptions {
  /** Write 1 to FSTS.PFO afterwards. */
  readonly clearOverflow?: boolean;
  /** Read and clear every record, not only the one that FRI shows. */
  readonly all?: boolean;
}

/** The operations of a scenario as they are written, with the register sequences that drivers use. */
export class Script {
  readonly operations: Operation[] = [];
  /** What software last asked of TE, QIE and IRE. */
  translating = true;
  queueEnabled = false;
  remappingInterrupts = false;
  readonly #platform: Platform;
  readonly #tokens = new Map<string, number>();

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  store(address: bigint, words: readonly bigint[], repeat?: number): void {
    this.operations.push(
      repeat === undefined ? { op: 'store', address, words } : { op: 'store', address, words, repeat },
    );
  }

  load(address: bigint, bytes: number): void {
    this.operations.push({ op: 'load', address, bytes });
  }

  loadArena(): void {
    this.load(this.#platform.base, this.#platform.frames * Number(FRAME));
  }

  write(register: string, size: 4 | 8, value: Operand, more: Partial<RegisterAddress> = {}): void {
    this.operations.push({ op: 'regWrite', component: this.#platform.component, register, size, value, ...more });
  }

  /** Returns the index of the operation, for references. */
  read(register: string, size: 4 | 8, more: Partial<RegisterAddress> = {}): number {
    this.operations.push({ op: 'regRead', component: this.#platform.component, register, size, ...more });
    return this.operations.length - 1;
  }

  settle(): void {
    this.operations.push({ op: 'settle' });
  }

  poll(register: string, size: 4 | 8, mask: bigint, expect: bigint): void {
    const component = this.#platform.component;
    this.operations.push({ op: 'poll', component, register, size, mask, expect, limit: POLL_LIMIT });
  }

  /** Global context-cache, then global IOTLB invalidation, each observed complete. */
  flush(drain = false): void {
    this.write('CCMD', 8, CONTEXT_GLOBAL);
    this.poll('CCMD', 8, ICC, 0n);
    this.write('IOTLB', 8, drain && this.#platform.drain ? IOTLB_GLOBAL | DRAIN : IOTLB_GLOBAL);
    this.poll('IOTLB', 8, IVT, 0n);
  }

  /** Writes GCMD: the functions that are on stay on, and `once` is started. */
  command(once = 0n): void {
    const { translating, queueEnabled, remappingInterrupts } = this;
    const on = (translating ? TES : 0n) | (queueEnabled ? QIES : 0n) | (remappingInterrupts ? IRES : 0n);
    this.write('GCMD', 4, on | once);
  }

  /** Latches what RTADDR holds. */
  latch(): void {
    this.command(RTPS);
    this.poll('GSTS', 4, RTPS, RTPS);
  }

  /** Latches a root table; nothing is flushed. */
  latchRoot(address: bigint, mode: number): void {
    this.write('RTADDR', 8, withField(address, RTADDR_FIELDS.TTM, BigInt(mode)));
    this.latch();
  }

  /** Turns translation on, after a root was latched. */
  enable(): void {
    this.setTranslation(true);
  }

  /** `meanwhile`: done before the status shows that it took effect. */
  setTranslation(on: boolean, meanwhile?: () => void): void {
    this.translating = on;
    this.command();
    meanwhile?.();
    this.poll('GSTS', 4, TES, on ? TES : 0n);
  }

  setQueue(on: boolean): void {
    this.queueEnabled = on;
    this.command();
    this.poll('GSTS', 4, QIES, on ? QIES : 0n);
  }

  /** Latches an interrupt remapping table of 256 entries. */
  latchInterruptTable(address: bigint): void {
    this.write('IRTA', 8, withField(address, IRTA_FIELDS.S, 7n));
    this.command(IRTPS);
    this.poll('GSTS', 4, IRTPS, IRTPS);
  }

  /** With interrupts remapped no message may be sent by a device: what becomes of it is not followed. */
  setInterruptRemapping(on: boolean): void {
    this.remappingInterrupts = on;
    this.command();
    this.poll('GSTS', 4, IRES, on ? IRES : 0n);
  }

  flushWriteBuffer(): void {
    this.command(WBFS);
    this.poll('GSTS', 4, WBFS, 0n);
  }

  #record(index: Operand): void {
    this.read('FRCD', 8, { index, offset: 0 });
    this.read('FRCD', 8, { index, offset: 8 });
    this.clearRecord(index);
  }

  /** Writes 1 to F of a record. */
  clearRecord(index: Operand): void {
    this.write('FRCD', 4, RECORD_F, { index, offset: 12 });
  }

  clearOverflow(): void {
    this.write('FSTS', 4, OVERFLOW);
  }

  /** Reads FSTS, then the record that FRI shows, and clears it. */
  collect(options: CollectOptions = {}): void {
    const status = this.read('FSTS', 4);
    const records = this.#platform.faultRecords;
    if (options.all === true && records <= MOST_RECORDS_READ) {
      for (let index = 0; index < records; index++) this.#record(BigInt(index));
    } else {
      const [high, low] = FSTS_FIELDS.FRI;
      this.#record(records === 1 ? 0n : { ref: status, field: [high, low] });
    }
    if (options.clearOverflow === true) this.clearOverflow();
  }

  /** Whether the requester has a token left in that direction. */
  hasToken(requester: string, direction: 'read' | 'write'): boolean {
    return (this.#tokens.get(`${requester}/${direction}`) ?? 0) < this.#platform.profile.limits.tokens;
  }

  /** Appends a request with the next token; returns its index, or -1 when the tokens are used up. */
  dma(request: Request): number {
    const { requester, address, direction } = request;
    if (!this.hasToken(requester, direction)) return -1;
    const key = `${requester}/${direction}`;
    const token = this.#tokens.get(key) ?? 0;
    this.#tokens.set(key, token + 1);
    const bytes = Math.min(request.bytes, this.#platform.profile.limits.dmaBytes);
    const snoop = request.noSnoop === true ? { noSnoop: true } : {};
    this.operations.push({ op: 'dma', requester, address, direction, bytes, token, ...snoop });
    return this.operations.length - 1;
  }
}
