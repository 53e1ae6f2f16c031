import { MSI } from '../../../spec/layout/msi.js';
import { raiseInterrupt } from './edu.js';
import { configAddress } from './pci.js';
import type { LineSink } from './pipeline.js';
import { EDU_MSI_CAPABILITY, type EduPlace } from './platform.js';
import { writeLine } from './qtest.js';

/** What the writable fields of an MSI capability hold. */
export interface MsiFields {
  readonly control: number;
  readonly address: bigint;
  readonly data: number;
}

/** As after a reset. */
export const MSI_OFF: MsiFields = { control: 0, address: 0n, data: 0 };

/** Adds the lines that program a device's MSI capability; it sends nothing while they run. */
export function programMsi(pipeline: LineSink, edu: EduPlace, fields: MsiFields, owner?: number): void {
  const write = (size: 2 | 4, offset: number, value: number | bigint) =>
    pipeline.add(writeLine(size, configAddress(edu.routingId, EDU_MSI_CAPABILITY + offset), value), owner);
  write(2, MSI.control, 0);
  write(4, MSI.address, fields.address);
  write(4, MSI.upperAddress, fields.address >> 32n);
  write(2, MSI.data, fields.data);
  if (fields.control !== 0) {
    write(2, MSI.control, fields.control);
  }
}

/** Adds the lines that make the device send an MSI, and give its capability what it shall hold afterwards. */
export function sendMessage(
  pipeline: LineSink,
  edu: EduPlace,
  message: Pick<MsiFields, 'address' | 'data'>,
  afterwards: MsiFields,
  owner?: number,
): void {
  programMsi(pipeline, edu, { ...message, control: 1 << MSI.enable }, owner);
  raiseInterrupt(pipeline, edu, owner);
  programMsi(pipeline, edu, afterwards, owner);
}
