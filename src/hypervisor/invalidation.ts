import {
  CCMD_FIELDS,
  CONTEXT_GRANULARITY,
  IOTLB_FIELDS,
  IOTLB_GRANULARITY,
  IVA_FIELDS,
} from '../../spec/layout/vtd.js';
import { compose, type Part } from './fields.js';
import { Lock, type Task } from './task.js';
import type { Capabilities, UnitRegisters } from './unit.js';

/** What is to be forgotten. */
export type Forgotten =
  | { readonly what: 'everything' }
  /** The context entry of one requester, as it was with that domain-id. */
  | { readonly what: 'context'; readonly domain: number; readonly requester: number }
  | { readonly what: 'domain'; readonly domain: number }
  /** The leaf of one 4 KiB page: no entry above it changed. */
  | { readonly what: 'leaf'; readonly domain: number; readonly address: bigint };

/** Has the unit forget what it may remember; a call ends when the unit has said that it is done. */
export interface Invalidator {
  forget(what: readonly Forgotten[]): Task<void>;
}

/** The command registers: one command at a time. */
export class RegisterInvalidator implements Invalidator {
  private readonly registers: UnitRegisters;
  private readonly capabilities: Capabilities;
  private readonly lock = new Lock('the invalidation registers');

  constructor(registers: UnitRegisters, capabilities: Capabilities) {
    this.registers = registers;
    this.capabilities = capabilities;
  }

  *forget(what: readonly Forgotten[]): Task<void> {
    yield* this.lock.acquire();
    for (const each of what) yield* this.one(each);
    this.lock.release();
  }

  private *one(forgotten: Forgotten): Task<void> {
    switch (forgotten.what) {
      case 'everything':
        yield* this.context([CCMD_FIELDS.CIRG, CONTEXT_GRANULARITY.global]);
        return yield* this.iotlb([IOTLB_FIELDS.IIRG, IOTLB_GRANULARITY.global]);
      case 'context':
        return yield* this.context(
          [CCMD_FIELDS.CIRG, CONTEXT_GRANULARITY.device],
          [CCMD_FIELDS.SID, forgotten.requester],
          [CCMD_FIELDS.DID, forgotten.domain],
        );
      case 'domain':
        return yield* this.domain(forgotten.domain);
      case 'leaf':
        return yield* this.page(forgotten);
    }
  }

  private *context(...fields: readonly Part[]): Task<void> {
    const busy = compose([CCMD_FIELDS.ICC, 1]);
    yield* this.registers.write('CCMD', 8, compose(...fields) | busy);
    yield* this.registers.await('CCMD', 8, busy, 0n);
  }

  private domain(domain: number): Task<void> {
    return this.iotlb([IOTLB_FIELDS.IIRG, IOTLB_GRANULARITY.domain], [IOTLB_FIELDS.DID, domain]);
  }

  private *page({ domain, address }: Extract<Forgotten, { what: 'leaf' }>): Task<void> {
    if (!this.capabilities.pageSelective) return yield* this.domain(domain);
    yield* this.registers.write('IVA', 8, address | compose([IVA_FIELDS.IH, 1]));
    return yield* this.iotlb([IOTLB_FIELDS.IIRG, IOTLB_GRANULARITY.page], [IOTLB_FIELDS.DID, domain]);
  }

  private *iotlb(...fields: readonly Part[]): Task<void> {
    const { drainReads, drainWrites } = this.capabilities;
    const busy = compose([IOTLB_FIELDS.IVT, 1]);
    const drain = compose([IOTLB_FIELDS.DR, drainReads ? 1 : 0], [IOTLB_FIELDS.DW, drainWrites ? 1 : 0]);
    yield* this.registers.write('IOTLB', 8, compose(...fields) | drain | busy);
    yield* this.registers.await('IOTLB', 8, busy, 0n);
  }
}
