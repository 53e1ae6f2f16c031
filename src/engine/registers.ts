import {
  type Bits,
  CCMD_FIELDS,
  FECTL_FIELDS,
  FRCD_FIELDS,
  FSTS_FIELDS,
  IOTLB_FIELDS,
  IVA_FIELDS,
  RTADDR_FIELDS,
  VTD_REGISTERS,
} from '../../spec/layout/vtd.js';
import { fieldsMask } from './bits.js';
import type { Capabilities } from './capabilities.js';

/** Granularity of the register block's size. */
const PAGE_BYTES = 4096;

/** Byte offset of IOTLB behind IVA. */
const IOTLB_AFTER_IVA = 8;

/** Bytes of a fault record, and the offset of the 32-bit piece that holds F. */
const FAULT_RECORD_BYTES = 16;
const FAULT_FLAG_PIECE = 12;

/**
 * The register file: values and access rules of the 32-bit pieces. What a write sets off belongs to whoever asked
 * for it with `onWrite`. Places that no register of these capabilities covers read 0 and drop writes.
 */
export class RegisterFile {
  /** Length of the register block in bytes. */
  readonly bytes: number;
  private readonly values: Int32Array;
  /** Bits that take the value written. */
  private readonly writable: Int32Array;
  /** Bits that a written 1 clears. */
  private readonly clearable: Int32Array;
  private readonly effects: (((written: number) => void) | undefined)[];

  constructor(capabilities: Capabilities) {
    const { faultRecordOffset, faultRecords, invalidateOffset } = capabilities;
    const end = Math.max(
      faultRecordOffset + FAULT_RECORD_BYTES * faultRecords,
      invalidateOffset + IOTLB_AFTER_IVA + 8,
      PAGE_BYTES,
    );
    this.bytes = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
    this.values = new Int32Array(this.bytes / 4);
    this.writable = new Int32Array(this.bytes / 4);
    this.clearable = new Int32Array(this.bytes / 4);
    this.effects = new Array(this.bytes / 4).fill(undefined);
    this.describe(capabilities);
  }

  /** Calls `effect` with the value written after each write of the 32-bit piece at a byte offset. */
  onWrite(offset: number, effect: (written: number) => void): void {
    this.effects[offset >> 2] = effect;
  }

  /** Software reads 4 bytes at a 4-byte aligned offset, as an int32. Anything else reads 0. */
  read(offset: number): number {
    return (offset & 3) === 0 ? (this.values[offset >> 2] ?? 0) : 0;
  }

  /** Software writes 4 bytes at a 4-byte aligned offset. Anything else is dropped. */
  write(offset: number, value: number): void {
    if ((offset & 3) !== 0 || offset < 0 || offset >= this.bytes) {
      return;
    }
    const at = offset >> 2;
    const taken = this.writable[at]!;
    this.values[at] = ((this.values[at]! & ~taken) | (value & taken)) & ~(value & this.clearable[at]!);
    this.effects[at]?.(value);
  }

  /** Hardware's own view of the 32-bit piece at a byte offset. */
  get(offset: number): number {
    return this.values[offset >> 2]!;
  }

  /** Hardware changes a 32-bit piece; nothing is set off. */
  set(offset: number, value: number): void {
    this.values[offset >> 2] = value;
  }

  private describe(capabilities: Capabilities): void {
    this.allow(VTD_REGISTERS.RTADDR.offset, [
      RTADDR_FIELDS.RTA,
      RTADDR_FIELDS.TTM,
      ...(capabilities.secondStageReadWrite ? [RTADDR_FIELDS.SSIRWE] : []),
    ]);
    this.allow(VTD_REGISTERS.FECTL.offset, [FECTL_FIELDS.IM]);
    this.allow(VTD_REGISTERS.FEDATA.offset, [[15, 0]]);
    this.allow(VTD_REGISTERS.FEADDR.offset, [[31, 2]]);
    this.allow(VTD_REGISTERS.FEUADDR.offset, [[31, 0]]);
    this.clearable[VTD_REGISTERS.FSTS.offset >> 2] = fieldsMask([FSTS_FIELDS.PFO], 0);
    this.allow(VTD_REGISTERS.CCMD.offset, [
      CCMD_FIELDS.ICC,
      CCMD_FIELDS.CIRG,
      CCMD_FIELDS.FM,
      CCMD_FIELDS.SID,
      CCMD_FIELDS.DID,
    ]);
    this.allow(capabilities.invalidateOffset, [IVA_FIELDS.ADDR, IVA_FIELDS.IH, IVA_FIELDS.AM]);
    this.allow(capabilities.invalidateOffset + IOTLB_AFTER_IVA, [
      IOTLB_FIELDS.IVT,
      IOTLB_FIELDS.IIRG,
      IOTLB_FIELDS.DR,
      IOTLB_FIELDS.DW,
      IOTLB_FIELDS.DID,
    ]);
    for (let n = 0; n < capabilities.faultRecords; n++) {
      const piece = capabilities.faultRecordOffset + FAULT_RECORD_BYTES * n + FAULT_FLAG_PIECE;
      this.clearable[piece >> 2] = fieldsMask([FRCD_FIELDS.F], 3);
    }
  }

  private allow(offset: number, fields: readonly Bits[]): void {
    this.writable[offset >> 2] = fieldsMask(fields, 0);
    // Fields of 32-bit registers lie in the first piece; the next register is left alone.
    const high = fieldsMask(fields, 1);
    if (high !== 0) {
      this.writable[(offset >> 2) + 1] = high;
    }
  }
}
