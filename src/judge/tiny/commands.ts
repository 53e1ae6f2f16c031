import {
  CCMD_FIELDS,
  CONTEXT_GRANULARITY,
  GLOBAL_COMMAND,
  IOTLB_FIELDS,
  IOTLB_GRANULARITY,
  IVA_FIELDS,
} from '../../../spec/layout/vtd.js';
import { DESCRIPTORS } from '../../../spec/layout/vtd-queue.js';
import { compose, frameAddress, pageAddress, ROUTING_IDS, TABLES } from './platform.js';
import { HALF, type Pair, polled, stored, written } from './steps.js';
import { tableStores } from './tables.js';
import type { Invalidation, TinyWorld } from './world.js';

/** What software does to the unit: set it up, and invalidate through registers or through the queue. */

/** Stores the tables, latches the root table, drops everything, and switches the queue on if the world uses it. */
export function setUp(world: TinyWorld): readonly Pair[] {
  const rtps = 1n << BigInt(GLOBAL_COMMAND.SRTP);
  const enabled = 1n << BigInt(GLOBAL_COMMAND.TE);
  const start: readonly Pair[] = [
    ...tableStores(world),
    stored(
      frameAddress(TABLES.status),
      Array.from({ length: 16 }, () => 0n),
    ),
    written('RTADDR', frameAddress(TABLES.root)),
    written('GCMD', enabled | rtps, 4),
    polled('GSTS', rtps, rtps, enabled | rtps, 4),
    ...byRegisters(world, { cache: 'context', scope: 'global', domain: 0, requester: 0, functionMask: 0 }),
    ...seenInRegister({ cache: 'context', scope: 'global', domain: 0 }),
    ...byRegisters(world, { cache: 'iotlb', scope: 'global', domain: 0, page: 0, wide: false, keepUpper: false }),
    ...seenInRegister({ cache: 'iotlb', scope: 'global', domain: 0 }),
  ];
  if (world.through === 'registers') return start;
  const qies = 1n << BigInt(GLOBAL_COMMAND.QIE);
  return [
    ...start,
    written('IQT', 0n),
    written('IQA', frameAddress(TABLES.queue)),
    written('GCMD', enabled | qies, 4),
    polled('GSTS', qies, qies, enabled | rtps | qies, 4),
  ];
}

/** CCMD, or IVA and IOTLB. Facts 1.5. */
export function byRegisters(world: TinyWorld, asked: Invalidation): readonly Pair[] {
  if (asked.cache === 'context') {
    const named = { SID: ROUTING_IDS[asked.requester], FM: asked.functionMask, DID: asked.domain + 1 };
    return [written('CCMD', compose(CCMD_FIELDS, { ICC: 1, CIRG: CONTEXT_GRANULARITY[asked.scope], ...named }))];
  }
  const command = compose(IOTLB_FIELDS, { IVT: 1, IIRG: IOTLB_GRANULARITY[asked.scope], DID: asked.domain + 1 });
  if (asked.scope !== 'page') return [written('IOTLB', command)];
  const page = pageAddress(world, asked.page) >> 12n;
  const place = { ADDR: page, IH: asked.keepUpper ? 1 : 0, AM: asked.wide ? 9 : 0 };
  return [written('IVA', compose(IVA_FIELDS, place)), written('IOTLB', command)];
}

/** The command reads as done, exactly as asked. */
export function seenInRegister({
  cache,
  scope,
  domain,
}: Pick<Invalidation, 'cache' | 'scope' | 'domain'>): readonly Pair[] {
  const busy = 1n << 63n;
  const named = { DID: domain + 1 };
  if (cache === 'context') {
    const granularity = scope === 'page' ? CONTEXT_GRANULARITY.none : CONTEXT_GRANULARITY[scope];
    return [polled('CCMD', busy, 0n, compose(CCMD_FIELDS, { CIRG: granularity, CAIG: granularity, ...named }))];
  }
  const granularity = scope === 'device' ? IOTLB_GRANULARITY.none : IOTLB_GRANULARITY[scope];
  return [polled('IOTLB', busy, 0n, compose(IOTLB_FIELDS, { IIRG: granularity, IAIG: granularity, ...named }))];
}

export function descriptorOf(world: TinyWorld, asked: Invalidation): bigint {
  if (asked.cache === 'context') {
    const { type, fields } = DESCRIPTORS.cc_inv_dsc;
    const named = { SID: ROUTING_IDS[asked.requester], FM: asked.functionMask, DID: asked.domain + 1 };
    return BigInt(type) | compose(fields, { G: CONTEXT_GRANULARITY[asked.scope], ...named });
  }
  const { type, fields } = DESCRIPTORS.iotlb_inv_dsc;
  const page = { ADDR: pageAddress(world, asked.page) >> 12n, IH: asked.keepUpper ? 1 : 0, AM: asked.wide ? 9 : 0 };
  const place = asked.scope === 'page' ? page : {};
  return BigInt(type) | compose(fields, { G: IOTLB_GRANULARITY[asked.scope], DID: asked.domain + 1, ...place });
}

/** Puts a descriptor in the queue, behind `before` others. */
export function queued(descriptor: bigint, before: number): readonly Pair[] {
  const address = frameAddress(TABLES.queue) + BigInt(16 * before);
  return [stored(address, [descriptor & HALF, descriptor >> 64n]), written('IQT', BigInt(16 * (before + 1)))];
}
