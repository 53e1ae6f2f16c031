import { CONTEXT_ENTRY, ROOT_ENTRY } from '../../spec/layout/vtd.js';
import { compose } from './fields.js';
import { clear, type FramePool } from './frames.js';
import type { Invalidator } from './invalidation.js';
import { issue, type Task } from './task.js';

/** Where a function's DMA is to go. */
export interface Domain {
  readonly id: number;
  /** Frame of the topmost second-stage table, and the AW that fits it. */
  readonly root: bigint;
  readonly addressWidth: number;
}

/** An entry of a function that reaches nothing. Whatever a VM's function tries, it cannot flood the host's fault records. */
const NOTHING = compose([CONTEXT_ENTRY.fields.FPD, 1]);

/** The root table and the context tables: which domain each function is in. */
export class ContextTables {
  readonly root: bigint;
  private readonly routingIds: readonly number[];
  private readonly buses: ReadonlyMap<number, bigint>;
  private readonly invalidator: Invalidator;

  constructor(routingIds: readonly number[], pool: FramePool, invalidator: Invalidator) {
    this.routingIds = routingIds;
    this.root = pool.take();
    this.buses = new Map([...new Set(routingIds.map((id) => id >> 8))].map((bus) => [bus, pool.take()]));
    this.invalidator = invalidator;
  }

  /** Every bus has a context table in which no function reaches anything; no other bus has one. Before the root is used. */
  *prepare(): Task<void> {
    yield* clear(this.root);
    for (const [bus, table] of this.buses) {
      yield* clear(table);
      const address = this.root + BigInt(bus * ROOT_ENTRY.bytes);
      yield* issue({ op: 'store', address, words: [table | compose([ROOT_ENTRY.fields.P, 1])] });
    }
    for (const routingId of this.routingIds) {
      yield* issue({ op: 'store', address: this.addressOf(routingId), words: [NOTHING] });
    }
  }

  /** Lets a function into a domain; it is in none. The half that makes the entry present is stored last. */
  *enter(routingId: number, { id, root, addressWidth }: Domain): Task<void> {
    const address = this.addressOf(routingId);
    const { fields } = CONTEXT_ENTRY;
    const whole = compose([fields.P, 1], [fields.AW, addressWidth], [fields.DID, id]) | NOTHING | root;
    yield* issue({ op: 'store', address: address + 8n, words: [whole >> 64n] });
    yield* issue({ op: 'store', address, words: [BigInt.asUintN(64, whole)] });
  }

  /** Takes a function out of its domain; when it ends, the function reaches nothing. */
  *leave(routingId: number, domain: number): Task<void> {
    yield* issue({ op: 'store', address: this.addressOf(routingId), words: [NOTHING] });
    yield* this.invalidator.forget([
      { what: 'context', domain, requester: routingId },
      { what: 'domain', domain },
    ]);
  }

  private addressOf(routingId: number): bigint {
    return this.buses.get(routingId >> 8)! + BigInt((routingId & 0xff) * CONTEXT_ENTRY.bytes);
  }
}
