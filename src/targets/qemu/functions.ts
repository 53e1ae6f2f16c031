import type { InterruptMessage } from '../../../spec/interface/observations.js';
import type { ConfigWriteOperation, MessageOperation, SignalOperation } from '../../../spec/interface/operations.js';
import { MSI } from '../../../spec/layout/msi.js';
import { raiseInterrupt } from './edu.js';
import type { Machine } from './machine.js';
import { MSI_OFF, type MsiFields, sendMessage } from './msi.js';
import { configAddress } from './pci.js';
import { EDU_MSI_CAPABILITY, EDUS, type EduPlace } from './platform.js';
import { writeLine } from './qtest.js';
import { requesterPosition } from './requests.js';

/**
 * The `edu` devices as PCI functions that interrupt. What a scenario writes into their MSI capabilities is followed, so
 * that it can be put back.
 */
export class Functions {
  readonly #machine: Machine;
  /** Bytes last written, from the start of the capability; what is not writable is ignored by the device. */
  readonly #written = new Map<EduPlace, DataView>();

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** Devices whose MSI capability was written. */
  get programmed(): readonly EduPlace[] {
    return [...this.#written.keys()];
  }

  /** The machine was reset, and the capabilities with it. */
  reset(): void {
    this.#written.clear();
  }

  /** Whether a write lies inside the MSI capability of a device, and so can be put back. */
  follows(operation: ConfigWriteOperation): boolean {
    const first = operation.offset - EDU_MSI_CAPABILITY;
    return eduOf(operation) !== undefined && first >= 0 && first + operation.size <= MSI.bytes;
  }

  /** The line of a write to configuration space. */
  write(operation: ConfigWriteOperation, value: bigint): string {
    const { offset, size } = operation;
    if (this.follows(operation)) {
      this.#note(eduOf(operation)!, offset - EDU_MSI_CAPABILITY, size, value);
    }
    return writeLine(size, configAddress(operation.function, offset), value);
  }

  /** Adds the lines of a message; they use the MSI capability and leave in it what the scenario programmed. */
  message({ requester, address, data }: MessageOperation, at: number): void {
    if (data < 0n || data > 0xffffn) {
      throw new Error(`operation ${at}: the QEMU target sends messages of 16 bits, not 0x${data.toString(16)}`);
    }
    const edu = EDUS[requesterPosition(requester, at)]!;
    sendMessage(this.#machine.pipeline, edu, { address, data: Number(data) }, this.#fieldsOf(edu), at);
  }

  /** Has a device interrupt; gives the messages that came of it where they are shown. */
  signal({ requester }: SignalOperation, at: number): Promise<readonly InterruptMessage[] | undefined> {
    const edu = EDUS[requesterPosition(requester, at)]!;
    return this.#machine.messagesDuring(() => raiseInterrupt(this.#machine.pipeline, edu, at));
  }

  #note(edu: EduPlace, first: number, size: number, value: bigint): void {
    const written = this.#written.get(edu) ?? new DataView(new ArrayBuffer(MSI.bytes));
    this.#written.set(edu, written);
    for (let byte = 0; byte < size; byte += 1) {
      written.setUint8(first + byte, Number((value >> BigInt(8 * byte)) & 0xffn));
    }
  }

  #fieldsOf(edu: EduPlace): MsiFields {
    const written = this.#written.get(edu);
    if (written === undefined) {
      return MSI_OFF;
    }
    return {
      control: written.getUint16(MSI.control, true),
      address: written.getBigUint64(MSI.address, true),
      data: written.getUint16(MSI.data, true),
    };
  }
}

function eduOf(operation: ConfigWriteOperation): EduPlace | undefined {
  return EDUS.find(({ routingId }) => routingId === operation.function);
}
