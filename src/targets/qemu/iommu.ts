import {
  type Bits,
  CAP_FIELDS,
  CCMD_FIELDS,
  CONTEXT_GRANULARITY,
  ECAP_FIELDS,
  FECTL_FIELDS,
  FRCD_FIELDS,
  FSTS_FIELDS,
  GLOBAL_COMMAND,
  ICS_FIELDS,
  IECTL_FIELDS,
  IOTLB_FIELDS,
  IOTLB_GRANULARITY,
  VTD_PLACED_REGISTERS,
  VTD_REGISTERS,
} from '../../../spec/layout/vtd.js';
import type { LineSink } from './pipeline.js';
import { VTD_REGISTERS_BASE } from './platform.js';
import { readLine, writeLine } from './qtest.js';

/** Says after the pipeline was flushed what is wrong, if something is. */
export type Check = () => string | undefined;

const TRANSLATING = bit(GLOBAL_COMMAND.TE) | bit(GLOBAL_COMMAND.SRTP);

const PLACEMENT_UNIT = 16;

/** Registers of the invalidation queue and its events, with their state after a reset. */
const QUEUE_STATE = {
  IQT: 0n,
  IQA: 0n,
  IECTL: bit(IECTL_FIELDS.IM[0]),
  IEDATA: 0n,
  IEADDR: 0n,
  IEUADDR: 0n,
} as const;

/** Registers that only {@link IommuControl.restoreQueue} brings back. */
export const QUEUE_REGISTERS: ReadonlySet<string> = new Set([...Object.keys(QUEUE_STATE), 'ICS']);

/** Registers whose state {@link IommuControl} brings back without a reset of the machine. */
export const RESTORED_REGISTERS: ReadonlySet<string> = new Set([
  ...['RTADDR', 'GCMD', 'CCMD', 'IOTLB', 'IVA', 'FSTS', 'FRCD'],
  ...['FECTL', 'FEDATA', 'FEADDR', 'FEUADDR'],
  ...QUEUE_REGISTERS,
]);

/** Brings the IOMMU into the states that scenarios begin and end with. */
export class IommuControl {
  readonly #pipeline: LineSink;
  readonly #iotlb: number;
  readonly #iva: number;
  readonly #faultRecords: readonly number[];

  /** @param registers capability registers by name; CAP and ECAP tell where other registers are */
  constructor(pipeline: LineSink, registers: Readonly<Record<string, bigint>>) {
    const { CAP = 0n, ECAP = 0n } = registers;
    this.#pipeline = pipeline;
    const invalidation = take(ECAP, ECAP_FIELDS.IRO) * PLACEMENT_UNIT;
    this.#iva = invalidation + VTD_PLACED_REGISTERS.IVA.plus;
    this.#iotlb = invalidation + VTD_PLACED_REGISTERS.IOTLB.plus;
    const first = take(CAP, CAP_FIELDS.FRO) * PLACEMENT_UNIT;
    const count = take(CAP, CAP_FIELDS.NFR) + 1;
    this.#faultRecords = Array.from({ length: count }, (_, index) => first + index * VTD_PLACED_REGISTERS.FRCD.bytes);
  }

  /** Adds the lines that make a legacy-mode root table the current one, translation on and every cache empty. */
  enter(root: number): Check {
    this.#write(8, VTD_REGISTERS.RTADDR.offset, BigInt(root));
    this.#write(4, VTD_REGISTERS.GCMD.offset, TRANSLATING);
    const contexts = bit(CCMD_FIELDS.ICC[0]) | place(CONTEXT_GRANULARITY.global, CCMD_FIELDS.CIRG);
    this.#write(8, VTD_REGISTERS.CCMD.offset, contexts);
    const drain = bit(IOTLB_FIELDS.DR[0]) | bit(IOTLB_FIELDS.DW[0]);
    const all = bit(IOTLB_FIELDS.IVT[0]) | place(IOTLB_GRANULARITY.global, IOTLB_FIELDS.IIRG);
    this.#write(8, this.#iotlb, all | drain);
    return this.#expect(4, VTD_REGISTERS.GSTS.offset, ~0n, TRANSLATING, 'GSTS after enabling translation');
  }

  /** Adds the lines that clear every fault. */
  clearFaults(): Check {
    for (const offset of this.#faultRecords) {
      const word = FRCD_FIELDS.F[0] >> 5;
      this.#write(4, offset + word * 4, bit(FRCD_FIELDS.F[0] & 31));
    }
    const { PFO, IQE, ICE, ITE, PPF } = FSTS_FIELDS;
    const clearable = [PFO, IQE, ICE, ITE].reduce((mask, [high]) => mask | bit(high), 0n);
    this.#write(4, VTD_REGISTERS.FSTS.offset, clearable);
    return this.#expect(4, VTD_REGISTERS.FSTS.offset, clearable | bit(PPF[0]), 0n, 'FSTS after clearing all faults');
  }

  /** Adds the lines that give the fault event registers and IVA their reset values. */
  restoreOthers(): void {
    this.#write(4, VTD_REGISTERS.FECTL.offset, bit(FECTL_FIELDS.IM[0]));
    this.#write(4, VTD_REGISTERS.FEDATA.offset, 0n);
    this.#write(4, VTD_REGISTERS.FEADDR.offset, 0n);
    this.#write(4, VTD_REGISTERS.FEUADDR.offset, 0n);
    this.#write(8, this.#iva, 0n);
  }

  /**
   * Adds the lines that give the registers of the invalidation queue their reset values; the queue is off. QEMU goes on
   * showing the queue's last base until it is switched on with another.
   */
  restoreQueue(): readonly Check[] {
    this.#write(4, VTD_REGISTERS.ICS.offset, bit(ICS_FIELDS.IWC[0]));
    for (const [name, value] of Object.entries(QUEUE_STATE)) {
      const { offset, bytes } = VTD_REGISTERS[name as keyof typeof QUEUE_STATE];
      this.#write(bytes, offset, value);
    }
    this.#write(4, VTD_REGISTERS.GCMD.offset, bit(GLOBAL_COMMAND.TE) | bit(GLOBAL_COMMAND.QIE));
    this.#write(4, VTD_REGISTERS.GCMD.offset, bit(GLOBAL_COMMAND.TE));
    const expected = { ...QUEUE_STATE, ICS: 0n, IQH: 0n, GSTS: TRANSLATING } as const;
    return Object.entries(expected).map(([name, value]) => {
      const { offset, bytes } = VTD_REGISTERS[name as keyof typeof expected];
      return this.#expect(bytes, offset, ~0n, value, `${name} after the queue was used`);
    });
  }

  #write(size: 4 | 8, offset: number, value: bigint): void {
    this.#pipeline.add(writeLine(size, VTD_REGISTERS_BASE + offset, value));
  }

  #expect(size: 4 | 8, offset: number, mask: bigint, expected: bigint, what: string): Check {
    let seen: bigint | undefined;
    this.#pipeline.read(readLine(size, VTD_REGISTERS_BASE + offset), (value) => {
      seen = value & mask;
    });
    return () => (seen === expected ? undefined : `${what} is 0x${(seen ?? 0n).toString(16)}`);
  }
}

function bit(position: number): bigint {
  return 1n << BigInt(position);
}

function place(value: number, [, low]: Bits): bigint {
  return BigInt(value) << BigInt(low);
}

function take(value: bigint, [high, low]: Bits): number {
  return Number(BigInt.asUintN(high - low + 1, value >> BigInt(low)));
}
