import type { ConfigReadOperation, ConfigWriteOperation } from '../../spec/interface/operations.js';
import type { Requester } from '../../spec/interface/profile.js';
import { type DmaPort, MsiFunction } from '../engine/index.js';
import { MSI_CAPABILITY } from './engine-profile.js';

type ConfigOperation = ConfigReadOperation | ConfigWriteOperation;

/** The requesters as PCI functions; all they have in configuration space is an MSI capability. */
export class EngineFunctions {
  private readonly functions: readonly MsiFunction[];
  private readonly byRoutingId: ReadonlyMap<number, MsiFunction>;

  constructor(requesters: readonly Requester[], port: DmaPort) {
    this.functions = requesters.map(({ routingId }) => new MsiFunction(routingId, port));
    this.byRoutingId = new Map(requesters.map(({ routingId }, position) => [routingId, this.functions[position]!]));
  }

  reset(): void {
    for (const each of this.functions) {
      each.reset();
    }
  }

  /** @param position the requester's in the profile */
  signal(position: number): void {
    this.functions[position]!.signal();
  }

  /** @throws Error for what is not inside a requester's MSI capability */
  read(operation: ConfigReadOperation): bigint {
    return BigInt(this.accessed(operation).read(operation.offset - MSI_CAPABILITY, operation.size));
  }

  /** @throws Error for what is not inside a requester's MSI capability */
  write(operation: ConfigWriteOperation, value: bigint): void {
    const number = Number(BigInt.asUintN(32, value));
    this.accessed(operation).write(operation.offset - MSI_CAPABILITY, operation.size, number);
  }

  private accessed({ op, function: routingId, offset, size }: ConfigOperation): MsiFunction {
    const found = this.byRoutingId.get(routingId);
    if (found?.holds(offset - MSI_CAPABILITY, size) !== true) {
      const place = `function 0x${routingId.toString(16)}, offset 0x${offset.toString(16)}, ${size} bytes`;
      throw new Error(`target engine: ${op} of ${place} is not inside the MSI capability of a requester`);
    }
    return found;
  }
}
