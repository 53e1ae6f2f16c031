import { field, isSet } from '../../bits.js';
import { CCMD_FIELDS, CONTEXT_GRANULARITY, IOTLB_FIELDS, IOTLB_GRANULARITY, IVA_FIELDS } from '../../layout/vtd.js';
import { DESCRIPTORS } from '../../layout/vtd-queue.js';
import type { Capabilities } from '../capabilities.js';

/** What an invalidation is asked to cover. Fields that its granularity does not use are 0. Facts 7.5, 7.7. */
export interface InvalidationScope {
  readonly cache: 'context' | 'iotlb';
  /** CIRG or IIRG: 0 none, 1 global, 2 domain, 3 device or page. */
  readonly granularity: number;
  /** Domain-id, with the bits that the unit has. */
  readonly domain: number;
  /** Device: source-id, 16 bits, and FM, 2 bits. */
  readonly sourceId: number;
  readonly functionMask: number;
  /** Page: page number, and AM, the number of its low bits that do not count. */
  readonly page: bigint;
  readonly addressMask: number;
  /** IH: paging-structure caches may be kept. */
  readonly keepsTables: boolean;
  /** VTD-INV-018: bits of the domain-id above the width were set, and are ignored. */
  readonly surplusDomain: boolean;
}

/** Everything in a cache. */
export function globalScope(cache: 'context' | 'iotlb'): InvalidationScope {
  return scopeOf(cache, 1);
}

/** A scope with the fields that its granularity uses. */
function scopeOf(
  cache: 'context' | 'iotlb',
  granularity: number,
  used: Partial<Omit<InvalidationScope, 'cache' | 'granularity'>> = {},
): InvalidationScope {
  return {
    cache,
    granularity,
    domain: used.domain ?? 0,
    sourceId: used.sourceId ?? 0,
    functionMask: used.functionMask ?? 0,
    page: used.page ?? 0n,
    addressMask: used.addressMask ?? 0,
    keepsTables: used.keepsTables ?? false,
    surplusDomain: used.surplusDomain ?? false,
  };
}

/** VTD-INV-018: the bits of a domain-id that count. */
function domainFields(did: bigint, caps: Capabilities): Pick<InvalidationScope, 'domain' | 'surplusDomain'> {
  const above = did >> BigInt(caps.domainIdBits);
  return { domain: Number(did & ((1n << BigInt(caps.domainIdBits)) - 1n)), surplusDomain: above !== 0n };
}

/** The scope that a value of CCMD asks for. */
export function contextCommandScope(ccmd: bigint, caps: Capabilities): InvalidationScope {
  const { CIRG, DID, SID, FM } = CCMD_FIELDS;
  return contextScope(field(ccmd, CIRG), field(ccmd, DID), field(ccmd, SID), field(ccmd, FM), caps);
}

/** The scope of a cc_inv_dsc. */
export function contextDescriptorScope(bits: bigint, caps: Capabilities): InvalidationScope {
  const { G, DID, SID, FM } = DESCRIPTORS.cc_inv_dsc.fields;
  return contextScope(field(bits, G), field(bits, DID), field(bits, SID), field(bits, FM), caps);
}

function contextScope(
  granularity: bigint,
  did: bigint,
  sourceId: bigint,
  functionMask: bigint,
  caps: Capabilities,
): InvalidationScope {
  const chosen = Number(granularity);
  if (chosen < CONTEXT_GRANULARITY.domain) return scopeOf('context', chosen);
  const { domain, surplusDomain } = domainFields(did, caps);
  if (chosen === CONTEXT_GRANULARITY.domain) return scopeOf('context', chosen, { domain, surplusDomain });
  const device = { sourceId: Number(sourceId), functionMask: Number(functionMask) };
  return scopeOf('context', chosen, { domain, surplusDomain, ...device });
}

/** The scope that values of IOTLB and IVA ask for. */
export function iotlbCommandScope(iotlb: bigint, iva: bigint, caps: Capabilities): InvalidationScope {
  const { ADDR, AM, IH } = IVA_FIELDS;
  const page = { page: field(iva, ADDR), mask: field(iva, AM), hint: isSet(iva, IH) };
  return iotlbScope(field(iotlb, IOTLB_FIELDS.IIRG), field(iotlb, IOTLB_FIELDS.DID), page, caps);
}

/** The scope of an iotlb_inv_dsc. */
export function iotlbDescriptorScope(bits: bigint, caps: Capabilities): InvalidationScope {
  const { G, DID, ADDR, AM, IH } = DESCRIPTORS.iotlb_inv_dsc.fields;
  const page = { page: field(bits, ADDR), mask: field(bits, AM), hint: isSet(bits, IH) };
  return iotlbScope(field(bits, G), field(bits, DID), page, caps);
}

function iotlbScope(
  granularity: bigint,
  did: bigint,
  { page, mask, hint }: { readonly page: bigint; readonly mask: bigint; readonly hint: boolean },
  caps: Capabilities,
): InvalidationScope {
  const chosen = Number(granularity);
  if (chosen < IOTLB_GRANULARITY.domain) return scopeOf('iotlb', chosen);
  const { domain, surplusDomain } = domainFields(did, caps);
  if (chosen === IOTLB_GRANULARITY.domain) return scopeOf('iotlb', chosen, { domain, surplusDomain });
  return scopeOf('iotlb', chosen, { domain, surplusDomain, page, addressMask: Number(mask), keepsTables: hint });
}

/** Bits of a source-id that FM leaves out: none, bit 2, bits 2:1, bits 2:0. Facts 7.5. */
const FUNCTION_BITS = [0, 0b100, 0b110, 0b111] as const;

/**
 * Whether a context-cache invalidation covers a requester's context entry. Facts 7.1, 7.5; VTD-INV-011.
 * Global: everything; domain: entries whose own domain-id it is; device: those among them of that source-id under FM.
 */
export function coversContext(scope: InvalidationScope, sourceId: number, domain: number): boolean {
  switch (scope.granularity) {
    case CONTEXT_GRANULARITY.global:
      return true;
    case CONTEXT_GRANULARITY.domain:
      return scope.domain === domain;
    case CONTEXT_GRANULARITY.device: {
      const ignored = FUNCTION_BITS[scope.functionMask as 0 | 1 | 2 | 3];
      return scope.domain === domain && ((scope.sourceId ^ sourceId) & ~ignored) === 0;
    }
    default:
      return false;
  }
}

/**
 * Whether an IOTLB invalidation covers a 4 KiB page of a domain. Facts 7.6; VTD-INV-001 to VTD-INV-005.
 * Page: VTD-INV-004: the block of 2^AM pages that holds ADDR; address bits at or above MGAW do not count (facts 7.5).
 *
 * @param page page number
 */
export function coversPage(scope: InvalidationScope, domain: number, page: bigint, caps: Capabilities): boolean {
  switch (scope.granularity) {
    case IOTLB_GRANULARITY.global:
      return true;
    case IOTLB_GRANULARITY.domain:
      return scope.domain === domain;
    case IOTLB_GRANULARITY.page: {
      if (scope.domain !== domain) return false;
      const counted = (1n << BigInt(caps.guestAddressWidth - 12)) - 1n;
      return ((scope.page ^ page) & counted) >> BigInt(scope.addressMask) === 0n;
    }
    default:
      return false;
  }
}

/** The clause by which what is covered goes. Facts 7.6, 11.7. */
export function clauseOf(scope: InvalidationScope): string {
  if (scope.surplusDomain) return 'VTD-INV-018';
  if (scope.cache === 'context') return scope.functionMask !== 0 ? 'VTD-INV-011' : 'VTD-CACHE-013';
  if (scope.granularity === IOTLB_GRANULARITY.global) return 'VTD-INV-001';
  if (scope.granularity === IOTLB_GRANULARITY.domain) return 'VTD-INV-002';
  return scope.addressMask > 0 ? 'VTD-INV-004' : 'VTD-INV-003';
}

/** The granularity in words, for identities. */
export function granularityName({ cache, granularity }: InvalidationScope): string {
  const last = cache === 'context' ? 'device' : 'page';
  return granularity === 1 ? 'global' : granularity === 2 ? 'domain' : last;
}
