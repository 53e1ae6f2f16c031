import { GLOBAL_COMMAND } from '../../spec/layout/vtd.js';
import {
  CONTEXT_DESCRIPTOR_GRANULARITY,
  DESCRIPTOR_TYPE,
  DESCRIPTORS,
  IOTLB_DESCRIPTOR_GRANULARITY,
} from '../../spec/layout/vtd-queue.js';
import { compose } from './fields.js';
import { clear } from './frames.js';
import type { Forgotten, Invalidator } from './invalidation.js';
import { issue, Lock, type Task, waitUntil } from './task.js';
import { type Capabilities, PAGE, PATIENCE, type UnitRegisters, UnitStuck } from './unit.js';

/** Descriptors of 16 bytes that a queue of one frame holds. */
const ENTRIES = 256;

/** Most descriptors handed over and not seen complete, so that the tail never meets the head. */
const MOST_OPEN = 128;

/** The invalidation queue. Several tasks may have descriptors in it; each waits for a status word of its own. */
export class QueueInvalidator implements Invalidator {
  private readonly registers: UnitRegisters;
  private readonly capabilities: Capabilities;
  private readonly queue: bigint;
  private readonly status: bigint;
  private readonly lock = new Lock('the tail of the invalidation queue');
  private tail = 0;
  private open = 0;
  private waits = 0;

  /** @param queue frame of the queue; @param status frame of the status words */
  constructor(registers: UnitRegisters, capabilities: Capabilities, queue: bigint, status: bigint) {
    this.registers = registers;
    this.capabilities = capabilities;
    this.queue = queue;
    this.status = status;
  }

  /** Switches the queue on. */
  *enable(): Task<void> {
    yield* clear(this.queue);
    yield* clear(this.status);
    yield* this.registers.write('IQT', 8, 0n);
    yield* this.registers.write('IQA', 8, this.queue);
    yield* this.registers.command(GLOBAL_COMMAND.QIE);
  }

  *forget(what: readonly Forgotten[]): Task<void> {
    const descriptors = what.flatMap((each) => this.descriptorsFor(each));
    yield* this.lock.acquire();
    yield* waitUntil('room in the invalidation queue', () => this.open + descriptors.length + 1 <= MOST_OPEN);
    const number = this.waits;
    this.waits += 1;
    const slot = this.status + BigInt((number * 8) % Number(PAGE));
    const token = BigInt(1 + (number & 0xffff));
    this.open += descriptors.length + 1;
    yield* this.submit([...descriptors, waitFor(slot, token)]);
    this.lock.release();
    yield* this.completion(slot, token);
    this.open -= descriptors.length + 1;
  }

  private *submit(descriptors: readonly bigint[]): Task<void> {
    for (const descriptor of descriptors) {
      const words = [BigInt.asUintN(64, descriptor), descriptor >> 64n];
      yield* issue({ op: 'store', address: this.queue + BigInt(this.tail * 16), words });
      this.tail = (this.tail + 1) % ENTRIES;
    }
    yield* this.registers.write('IQT', 8, BigInt(this.tail * 16));
  }

  private *completion(slot: bigint, token: bigint): Task<void> {
    for (let n = 0; n < PATIENCE; n++) {
      const seen = yield* issue({ op: 'load', address: slot, bytes: 8 });
      if (seen.of === 'load' && seen.data !== undefined && word(seen.data) === token) return;
    }
    throw new UnitStuck('an invalidation wait is never complete');
  }

  private descriptorsFor(forgotten: Forgotten): readonly bigint[] {
    switch (forgotten.what) {
      case 'everything':
        return [this.context('global', 0, 0), this.iotlb('global', 0)];
      case 'context':
        return [this.context('device', forgotten.domain, forgotten.requester)];
      case 'domain':
        return [this.iotlb('domain', forgotten.domain)];
      case 'leaf': {
        if (!this.capabilities.pageSelective) return [this.iotlb('domain', forgotten.domain)];
        const { fields } = DESCRIPTORS.iotlb_inv_dsc;
        const hint = compose([fields.IH, 1]);
        return [this.iotlb('page', forgotten.domain) | (forgotten.address << 64n) | hint];
      }
    }
  }

  private context(granularity: keyof typeof CONTEXT_DESCRIPTOR_GRANULARITY, domain: number, requester: number): bigint {
    const { type, fields } = DESCRIPTORS.cc_inv_dsc;
    const code = CONTEXT_DESCRIPTOR_GRANULARITY[granularity];
    return compose([DESCRIPTOR_TYPE.low, type], [fields.G, code], [fields.DID, domain], [fields.SID, requester]);
  }

  private iotlb(granularity: keyof typeof IOTLB_DESCRIPTOR_GRANULARITY, domain: number): bigint {
    const { type, fields } = DESCRIPTORS.iotlb_inv_dsc;
    const { drainReads, drainWrites } = this.capabilities;
    return compose(
      [DESCRIPTOR_TYPE.low, type],
      [fields.G, IOTLB_DESCRIPTOR_GRANULARITY[granularity]],
      [fields.DID, domain],
      [fields.DR, drainReads ? 1 : 0],
      [fields.DW, drainWrites ? 1 : 0],
    );
  }
}

/** A wait that stores `token` (32 bits) at `slot`. */
function waitFor(slot: bigint, token: bigint): bigint {
  const { type, fields } = DESCRIPTORS.inv_wait_dsc;
  return compose([DESCRIPTOR_TYPE.low, type], [fields.SW, 1], [fields.STATUS_DATA, token]) | (slot << 64n);
}

function word(data: Uint8Array): bigint {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getBigUint64(0, true);
}
