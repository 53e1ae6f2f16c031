import {
  CONTEXT_DESCRIPTOR_GRANULARITY,
  DESCRIPTORS,
  IOTLB_DESCRIPTOR_GRANULARITY,
} from '../../spec/layout/vtd-queue.js';
import { fieldMask, fieldShift } from './bits.js';
import type { CacheInvalidation, ContextCover, TranslationCover } from './cache-invalidation.js';

const CONTEXT = DESCRIPTORS.cc_inv_dsc.fields;
const CONTEXT_G = fieldMask(CONTEXT.G, 0);
const CONTEXT_G_SHIFT = fieldShift(CONTEXT.G);
const CONTEXT_DID_SHIFT = fieldShift(CONTEXT.DID);
const SID = fieldMask(CONTEXT.SID, 1);
const FM = fieldMask(CONTEXT.FM, 1);
const FM_SHIFT = fieldShift(CONTEXT.FM);

const IOTLB = DESCRIPTORS.iotlb_inv_dsc.fields;
const IOTLB_G = fieldMask(IOTLB.G, 0);
const IOTLB_G_SHIFT = fieldShift(IOTLB.G);
const IOTLB_DID_SHIFT = fieldShift(IOTLB.DID);
const AM = fieldMask(IOTLB.AM, 2);
const IH = fieldMask(IOTLB.IH, 2);
const ADDRESS_LOW = fieldMask(IOTLB.ADDR, 2);

/** What a valid context-cache invalidation descriptor covers. */
export function contextCoverOf(descriptor: Int32Array, invalidation: CacheInvalidation): ContextCover {
  const first = descriptor[0]!;
  const second = descriptor[1]!;
  const domain = first >>> CONTEXT_DID_SHIFT;
  switch ((first & CONTEXT_G) >>> CONTEXT_G_SHIFT) {
    case CONTEXT_DESCRIPTOR_GRANULARITY.domain:
      return invalidation.domainContexts(domain);
    case CONTEXT_DESCRIPTOR_GRANULARITY.device:
      return invalidation.deviceContexts(domain, second & SID, (second & FM) >>> FM_SHIFT);
    default:
      return { granularity: 'global' };
  }
}

/** What a valid IOTLB invalidation descriptor covers. */
export function translationCoverOf(descriptor: Int32Array, invalidation: CacheInvalidation): TranslationCover {
  const domain = descriptor[0]! >>> IOTLB_DID_SHIFT;
  const page = descriptor[2]!;
  switch ((descriptor[0]! & IOTLB_G) >>> IOTLB_G_SHIFT) {
    case IOTLB_DESCRIPTOR_GRANULARITY.domain:
      return invalidation.domainTranslations(domain);
    case IOTLB_DESCRIPTOR_GRANULARITY.page:
      return invalidation.pageTranslations(domain, descriptor[3]!, page & ADDRESS_LOW, page & AM, (page & IH) !== 0);
    default:
      return { granularity: 'global' };
  }
}
