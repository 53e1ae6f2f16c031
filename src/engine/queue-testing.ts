import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import type { Shape, ShapeName } from './shapes.js';
import { ROOT, TestMachine } from './testing.js';

const { FSTS, IQH, IQT, IQA, IQERCD } = VTD_REGISTERS;

/** FSTS.IQE. */
export const IQE = 0x10;

/** IQA.DW: 256-bit descriptors. */
export const DW = 0x800n;

/** First words of descriptors. */
export const CONTEXT_GLOBAL = 0x11n;
export const IOTLB_GLOBAL = 0x12n;
export const BAD_TYPE = 0xfn;
export const WAIT = 5n;
/** Flags of a wait descriptor. */
export const IF = 0x10n;
export const SW = 0x20n;
export const FN = 0x40n;

/** Root table address with the mode that aborts all DMA. */
export const ABORT = ROOT | 0xc00n;

/** The messages of a {@link QueueMachine}'s events. */
export const FAULT_EVENT = { address: 0xfee0_1000n, data: 0x31, source: -1 };
export const COMPLETION = { address: 0x300_fee0_2000n, data: 0x41, source: -1 };

/** A machine whose queue of one page (or 2^QS pages) is enabled. */
export class QueueMachine extends TestMachine {
  readonly queue = 0x20_0000n;
  readonly status = 0x40_0000n;

  constructor(shape: ShapeName | Shape = '48-1g', attributes = 0n, seed?: number) {
    super(shape, seed);
    this.write(VTD_REGISTERS.FEDATA.offset, 0x31);
    this.write(VTD_REGISTERS.FEADDR.offset, 0xfee0_1000);
    this.write(VTD_REGISTERS.IEDATA.offset, 0x41);
    this.write(VTD_REGISTERS.IEADDR.offset, 0xfee0_2000);
    this.write(VTD_REGISTERS.IEUADDR.offset, 0x300);
    this.write64(IQA.offset, this.queue | attributes);
    this.command('QIE');
  }

  /** Stores 64-bit words from a byte offset of the queue on. */
  at(offset: number, ...words: bigint[]): void {
    this.store(this.queue + BigInt(offset), ...words);
  }

  tail(offset: number): void {
    this.write64(IQT.offset, BigInt(offset));
  }

  get head(): number {
    return this.read32(IQH.offset);
  }

  /** Whether the queue stands still, and why; undefined when it does not. */
  get error(): number | undefined {
    return (this.read32(FSTS.offset) & IQE) === 0 ? undefined : this.read32(IQERCD.offset) & 15;
  }

  /** A 128-bit wait that stores `data` into the status word number `n`. */
  wait(offset: number, flags: bigint, data = 0n, n = 0n): void {
    this.at(offset, WAIT | flags | (data << 32n), this.status + 8n * n);
  }

  statusOf(n = 0n): bigint {
    return this.word(this.status + 8n * n);
  }
}
