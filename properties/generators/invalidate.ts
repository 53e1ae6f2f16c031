import { CCMD_FIELDS, IOTLB_FIELDS, IVA_FIELDS } from '../../spec/layout/vtd.js';
import { withField } from './capabilities.js';
import { contextDescriptor, type Descriptor, interruptDescriptor, iotlbDescriptor } from './descriptors.js';
import type { InvalidationIntent } from './intents.js';
import type { Script } from './script.js';
import type { Stage } from './stage.js';

const ICC = 1n << BigInt(CCMD_FIELDS.ICC[1]);
const IVT = 1n << BigInt(IOTLB_FIELDS.IVT[1]);

/** Domain numbers from here on name ids that may have bits above the implemented width. */
const FIRST_ODD_DOMAIN = 12;

/** An invalidation in the terms of a unit. */
export interface InvalidationRequest {
  readonly cache: InvalidationIntent['cache'];
  readonly granularity: number;
  readonly domain: bigint;
  readonly source: number;
  readonly functionMask: number;
  readonly address: bigint;
  readonly mask: number;
  readonly keepUpper: boolean;
  readonly drain: boolean;
}

function resolve(stage: Stage, intent: InvalidationIntent): InvalidationRequest {
  const { plan } = stage;
  const { platform } = plan;
  const domain = plan.domains[intent.domain % Math.max(1, plan.domains.length)];
  const own = domain?.id ?? 1n;
  const odd = intent.domain >= FIRST_ODD_DOMAIN ? (1n << BigInt(platform.domainBits)) | own : own;
  const cache = intent.cache === 'interrupt' && !platform.interruptRemapping ? 'context' : intent.cache;
  const pages = intent.granularity === 3 && cache === 'iotlb' && !platform.pageSelective;
  const mapping = domain === undefined ? undefined : stage.mapping(domain, intent.pick);
  return {
    cache,
    granularity: pages ? 2 : intent.granularity,
    domain: odd & 0xffffn,
    source: plan.seat(intent.who).requester.routingId,
    functionMask: intent.functionMask,
    address: mapping?.iova ?? 0n,
    mask: intent.mask % (platform.largestMask + 1),
    keepUpper: (intent.flags & 1) === 1,
    drain: platform.drain && (intent.flags & 2) === 2,
  };
}

/** The descriptor of an invalidation. @param largestIndexMask largest IM that the unit takes */
export function descriptorOf(request: InvalidationRequest, largestIndexMask: number): Descriptor {
  const { cache, granularity, domain, source, functionMask } = request;
  switch (cache) {
    case 'context':
      return contextDescriptor(granularity, domain, source, functionMask);
    case 'iotlb':
      return iotlbDescriptor(granularity, granularity === 3 ? request : { domain, drain: request.drain });
    case 'interrupt': {
      const index = granularity === 1 ? undefined : Number(domain);
      return interruptDescriptor(index, request.mask % (largestIndexMask + 1));
    }
  }
}

/** Asks for an invalidation through registers, and does not wait for it. */
export function submitByRegister(script: Script, request: InvalidationRequest): void {
  const { granularity, domain, source, functionMask, address, mask, keepUpper, drain } = request;
  if (request.cache !== 'iotlb') {
    const who = withField(withField(0n, CCMD_FIELDS.SID, BigInt(source)), CCMD_FIELDS.FM, BigInt(functionMask));
    const value = withField(withField(who, CCMD_FIELDS.DID, domain), CCMD_FIELDS.CIRG, BigInt(granularity));
    script.write('CCMD', 8, value | ICC);
    return;
  }
  if (granularity === 3) {
    const place = withField(address, IVA_FIELDS.AM, BigInt(mask));
    script.write('IVA', 8, withField(place, IVA_FIELDS.IH, keepUpper ? 1n : 0n));
  }
  const flag = drain ? 1n : 0n;
  const value = withField(withField(0n, IOTLB_FIELDS.DR, flag), IOTLB_FIELDS.DW, flag);
  const which = withField(withField(value, IOTLB_FIELDS.DID, domain), IOTLB_FIELDS.IIRG, BigInt(granularity));
  script.write('IOTLB', 8, which | IVT);
}

/** Waits until an invalidation that was asked for through registers is seen complete. */
export function completeByRegister(script: Script, { cache }: Pick<InvalidationRequest, 'cache'>): void {
  if (cache === 'iotlb') script.poll('IOTLB', 8, IVT, 0n);
  else script.poll('CCMD', 8, ICC, 0n);
}

/** One lawful invalidation, seen complete. It counts for nothing: a request after a change still waits for a flush. */
export function invalidate(stage: Stage, intent: InvalidationIntent): void {
  const request = resolve(stage, intent);
  stage.plan.memory.commit(stage.script);
  if (stage.queue === undefined || !stage.script.queueEnabled) {
    submitByRegister(stage.script, request);
    completeByRegister(stage.script, request);
    return;
  }
  stage.queue.put(descriptorOf(request, stage.plan.platform.largestIndexMask));
  stage.queue.awaitAll((intent.flags & 1) === 1 || !stage.storesStatus ? 'event' : 'status');
}
