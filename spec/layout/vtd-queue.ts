import type { Bits } from './vtd.js';

/** VT-d: invalidation queue descriptors and error codes (data only). Section "Queued Invalidation Interface". */

/** Bytes of a descriptor by IQA.DW: 128 bits, and 256 bits. */
export const DESCRIPTOR_BYTES = { 0: 16, 1: 32 } as const;

/** A descriptor type's code and layout: `bytes` of it are defined. */
export interface DescriptorLayout {
  readonly type: number;
  readonly bytes: 16 | 32;
  readonly fields: Readonly<Record<string, Bits>>;
  readonly reserved: readonly Bits[];
}

/** The type, 7 bits in two pieces, at the same place in every descriptor. */
export const DESCRIPTOR_TYPE = { low: [3, 0], high: [11, 9] } as const satisfies Record<string, Bits>;

/**
 * Descriptors by name, types 1 to 7. Fields that are reserved where a capability is absent are in `fields`; bits that belong to no
 * field are in `reserved`.
 */
export const DESCRIPTORS = {
  cc_inv_dsc: {
    type: 0x1,
    bytes: 16,
    fields: { G: [5, 4], DID: [31, 16], SID: [47, 32], FM: [49, 48] },
    reserved: [
      [8, 6],
      [15, 12],
      [63, 50],
      [127, 64],
    ],
  },
  iotlb_inv_dsc: {
    type: 0x2,
    bytes: 16,
    fields: { G: [5, 4], DW: [6, 6], DR: [7, 7], DID: [31, 16], AM: [69, 64], IH: [70, 70], ADDR: [127, 76] },
    reserved: [
      [8, 8],
      [15, 12],
      [63, 32],
      [75, 71],
    ],
  },
  dev_tlb_inv_dsc: {
    type: 0x3,
    bytes: 16,
    fields: {
      PFSID_LOW: [15, 12],
      MIP: [20, 16],
      SID: [47, 32],
      PFSID_HIGH: [63, 52],
      S: [64, 64],
      ADDR: [127, 76],
    },
    reserved: [
      [8, 4],
      [31, 21],
      [51, 48],
      [75, 65],
    ],
  },
  iec_inv_dsc: {
    type: 0x4,
    bytes: 16,
    fields: { G: [4, 4], IM: [31, 27], IIDX: [47, 32] },
    reserved: [
      [8, 5],
      [26, 12],
      [63, 48],
      [127, 64],
    ],
  },
  inv_wait_dsc: {
    type: 0x5,
    bytes: 16,
    fields: { IF: [4, 4], SW: [5, 5], FN: [6, 6], PD: [7, 7], STATUS_DATA: [63, 32], STATUS_ADDRESS: [127, 66] },
    reserved: [
      [8, 8],
      [31, 12],
      [65, 64],
    ],
  },
  p_iotlb_inv_dsc: {
    type: 0x6,
    bytes: 32,
    fields: { G: [5, 4], DID: [31, 16], PASID: [51, 32], AM: [69, 64], IH: [70, 70], ADDR: [127, 76] },
    reserved: [
      [8, 6],
      [15, 12],
      [63, 52],
      [75, 71],
      [255, 128],
    ],
  },
  pc_inv_dsc: {
    type: 0x7,
    bytes: 32,
    fields: { G: [5, 4], DID: [31, 16], PASID: [51, 32] },
    reserved: [
      [8, 6],
      [15, 12],
      [63, 52],
      [255, 64],
    ],
  },
} as const satisfies Record<string, DescriptorLayout>;

/** Granularities of the G field, by descriptor. */
export const CONTEXT_DESCRIPTOR_GRANULARITY = { global: 1, domain: 2, device: 3 } as const;
export const IOTLB_DESCRIPTOR_GRANULARITY = { global: 1, domain: 2, page: 3 } as const;
export const INTERRUPT_DESCRIPTOR_GRANULARITY = { global: 0, index: 1 } as const;
export const PASID_IOTLB_DESCRIPTOR_GRANULARITY = { pasid: 2, page: 3 } as const;
export const PASID_CACHE_DESCRIPTOR_GRANULARITY = { domain: 0, pasid: 1, global: 3 } as const;

/** IQERCD.IQEI: why the queue stopped. */
export const QUEUE_ERROR = {
  none: 0,
  tailInvalid: 1,
  fetchFailed: 2,
  typeInvalid: 3,
  reservedField: 4,
  widthInvalid: 5,
  tailMisaligned: 6,
  tableModeInvalid: 7,
} as const;
