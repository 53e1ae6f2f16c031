import { fieldsMask } from './bits.js';
import type { Capabilities } from './capabilities.js';
import { FAULT_RECORD_BYTES, IOTLB_AFTER_IVA, type RegisterDescription, registerMap } from './register-map.js';

/** Granularity of the register block's size. */
const PAGE_BYTES = 4096;

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
  private readonly afterReset: Int32Array;
  /** Bits that a warm reset keeps. */
  private readonly sticky: Int32Array;
  private readonly effects: (((written: number) => void) | undefined)[];

  constructor(capabilities: Capabilities) {
    const { faultRecordOffset, faultRecords, invalidateOffset } = capabilities;
    const end = Math.max(
      faultRecordOffset + FAULT_RECORD_BYTES * faultRecords,
      invalidateOffset + IOTLB_AFTER_IVA + 8,
      PAGE_BYTES,
    );
    this.bytes = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
    const pieces = this.bytes / 4;
    this.values = new Int32Array(pieces);
    this.writable = new Int32Array(pieces);
    this.clearable = new Int32Array(pieces);
    this.afterReset = new Int32Array(pieces);
    this.sticky = new Int32Array(pieces);
    this.effects = new Array(pieces).fill(undefined);
    for (const register of registerMap(capabilities)) {
      this.describe(register);
    }
  }

  /**
   * Calls `effect` with the value written after each write of the 32-bit piece at a byte offset; several effects in
   * the order in which they were given.
   */
  onWrite(offset: number, effect: (written: number) => void): void {
    const before = this.effects[offset >> 2];
    this.effects[offset >> 2] =
      before === undefined
        ? effect
        : (written) => {
            before(written);
            effect(written);
          };
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

  /** Gives every register its reset value; a `warm` reset keeps the sticky ones. Nothing is set off. */
  reset(scope: 'warm' | 'cold'): void {
    if (scope === 'cold') {
      this.values.set(this.afterReset);
      return;
    }
    for (let at = 0; at < this.values.length; at++) {
      const kept = this.sticky[at]!;
      this.values[at] = (this.values[at]! & kept) | (this.afterReset[at]! & ~kept);
    }
  }

  private describe(register: RegisterDescription): void {
    const { offset, bytes, writable = [], clearable = [], reset = 0n, sticky = false } = register;
    for (let piece = 0; piece < bytes / 4; piece++) {
      const at = (offset >> 2) + piece;
      this.writable[at] = fieldsMask(writable, piece);
      this.clearable[at] = fieldsMask(clearable, piece);
      this.afterReset[at] = Number(BigInt.asIntN(32, reset >> BigInt(32 * piece)));
      this.sticky[at] = sticky ? -1 : 0;
    }
  }
}
