import { MSI } from '../../spec/layout/msi.js';
import type { DmaPort } from './dma.js';

/** Capability ID of MSI, in the capability's first byte. */
const MSI_CAPABILITY_ID = 0x05;

/** In the low byte of Message Control: the address has 64 bits. */
const ADDRESS_IS_64_BITS = 0x80;

/** Bytes of a message: the data, and above it zeros. */
const MESSAGE_BYTES = 4;
const DATA_BYTES = MSI.bytes - MSI.data;

/**
 * What a PCI function signals interrupts with: its MSI capability, with a 64-bit address and one message. The last
 * capability of its function.
 */
export class MsiFunction {
  private readonly routingId: number;
  private readonly port: DmaPort;
  private readonly bytes = new Uint8Array(MSI.bytes);
  private readonly view = new DataView(this.bytes.buffer);
  /** Which bits software can change. */
  private readonly writable = writableBits();

  /** @param port the way of its messages, which are requests like others */
  constructor(routingId: number, port: DmaPort) {
    this.routingId = routingId;
    this.port = port;
    this.reset();
  }

  /** Disables MSI and forgets what was programmed. */
  reset(): void {
    this.bytes.fill(0);
    this.bytes[0] = MSI_CAPABILITY_ID;
    this.bytes[MSI.control] = ADDRESS_IS_64_BITS;
  }

  /** Whether an access of `size` bytes at a byte offset from the start of the capability lies inside it. */
  holds(offset: number, size: number): boolean {
    return offset >= 0 && offset + size <= MSI.bytes;
  }

  /** Software reads an access that the capability {@link holds}. */
  read(offset: number, size: 1 | 2 | 4): number {
    if (size === 1) {
      return this.view.getUint8(offset);
    }
    return size === 2 ? this.view.getUint16(offset, true) : this.view.getUint32(offset, true);
  }

  /** Software writes an access that the capability {@link holds}; the value is cut to `size` bytes. */
  write(offset: number, size: 1 | 2 | 4, value: number): void {
    for (let n = 0; n < size; n++) {
      const mask = this.writable[offset + n]!;
      this.bytes[offset + n] = (this.bytes[offset + n]! & ~mask) | ((value >>> (8 * n)) & mask);
    }
  }

  /** The function has an interrupt: one message where MSI is enabled, nothing otherwise. */
  signal(): void {
    if (((this.bytes[MSI.control]! >>> MSI.enable) & 1) === 0) {
      return;
    }
    const message = new Uint8Array(MESSAGE_BYTES);
    message.set(this.bytes.subarray(MSI.data, MSI.data + DATA_BYTES));
    const high = this.view.getInt32(MSI.upperAddress, true);
    const low = this.view.getInt32(MSI.address, true);
    this.port.write(this.routingId, high, low, message);
  }
}

/** MSI Enable, the address without bits 1:0, and the data. */
function writableBits(): Uint8Array {
  const bits = new Uint8Array(MSI.bytes).fill(0xff, MSI.address);
  bits[MSI.control] = 1 << MSI.enable;
  bits[MSI.address] = 0xfc;
  return bits;
}
