import { ADDRESS_WIDTHS, CAP_FIELDS, ECAP_FIELDS } from '../../spec/layout/vtd.js';
import { extractField } from './bits.js';
import type { Shape } from './shapes.js';

/** The capability registers taken apart once, as plain numbers. */
export interface Capabilities {
  readonly ver: number;
  readonly major: number;
  readonly cap: bigint;
  readonly ecap: bigint;
  /** Width of host-physical addresses in bits. */
  readonly hostAddressWidth: number;
  /** Width of a domain-id in bits. */
  readonly domainIdBits: number;
  /** Widest second-stage input address in bits (CAP.MGAW + 1). */
  readonly guestAddressWidth: number;
  /** By value of a context entry's AW: number of levels, 0 when not supported. */
  readonly levelsOfWidth: readonly number[];
  readonly pages2M: boolean;
  readonly pages1G: boolean;
  readonly zeroLengthReads: boolean;
  readonly passThrough: boolean;
  readonly snoopControl: boolean;
  readonly deviceTlb: boolean;
  readonly abortMode: boolean;
  readonly queuedInvalidation: boolean;
  readonly interruptRemapping: boolean;
  /** 32-bit APIC ids (ECAP.EIM). */
  readonly extendedInterrupts: boolean;
  /** Largest index mask of an interrupt-entry invalidation. */
  readonly maximumIndexMask: number;
  readonly scalableMode: boolean;
  readonly protectedLow: boolean;
  readonly protectedHigh: boolean;
  /** Lowest bit that a base and limit of the protected memory regions hold (N + 1). */
  readonly protectedLowBits: number;
  readonly protectedHighBits: number;
  readonly secondStageReadWrite: boolean;
  /** Whether setting the root table pointer drops all that is cached (CAP.ESRTPS). */
  readonly setRootFlushes: boolean;
  readonly pageSelective: boolean;
  /** Largest address mask of a page-selective invalidation. */
  readonly maximumAddressMask: number;
  /** Number of fault records (CAP.NFR + 1). */
  readonly faultRecords: number;
  /** Byte offset of FRCD[0]. */
  readonly faultRecordOffset: number;
  /** Byte offset of IVA; IOTLB lies 8 bytes behind it. */
  readonly invalidateOffset: number;
}

/** Protected memory comes in units of 64 KiB and of 128 KiB. */
const PROTECTED_LOW_BITS = 16;
const PROTECTED_HIGH_BITS = 17;

/** Values of AW in a context entry. */
const WIDTH_VALUES = 8;

function levelsByWidth(sagaw: number): readonly number[] {
  const levels = new Array<number>(WIDTH_VALUES).fill(0);
  for (const [value, width] of Object.entries(ADDRESS_WIDTHS)) {
    levels[Number(value)] = (sagaw >> width.sagaw) & 1 ? width.levels : 0;
  }
  return levels;
}

/** Takes a shape's capability registers apart. */
export function capabilitiesOf(shape: Shape): Capabilities {
  const cap = (name: keyof typeof CAP_FIELDS) => extractField(shape.cap, CAP_FIELDS[name]);
  const ecap = (name: keyof typeof ECAP_FIELDS) => extractField(shape.ecap, ECAP_FIELDS[name]);
  return {
    ver: shape.ver,
    major: (shape.ver >> 4) & 15,
    cap: shape.cap,
    ecap: shape.ecap,
    hostAddressWidth: shape.hostAddressWidth,
    domainIdBits: 4 + 2 * cap('ND'),
    guestAddressWidth: cap('MGAW') + 1,
    levelsOfWidth: levelsByWidth(cap('SAGAW')),
    pages2M: (cap('SSLPS') & 1) !== 0,
    pages1G: (cap('SSLPS') & 2) !== 0,
    zeroLengthReads: cap('ZLR') === 1,
    passThrough: ecap('PT') === 1,
    snoopControl: ecap('SC') === 1,
    deviceTlb: ecap('DT') === 1,
    abortMode: ecap('ADMS') === 1,
    queuedInvalidation: ecap('QI') === 1,
    interruptRemapping: ecap('IR') === 1,
    extendedInterrupts: ecap('EIM') === 1,
    maximumIndexMask: ecap('MHMV'),
    scalableMode: ecap('SMTS') === 1,
    protectedLow: cap('PLMR') === 1,
    protectedHigh: cap('PHMR') === 1,
    protectedLowBits: PROTECTED_LOW_BITS,
    protectedHighBits: PROTECTED_HIGH_BITS,
    secondStageReadWrite: ecap('SSIRWS') === 1,
    setRootFlushes: cap('ESRTPS') === 1,
    pageSelective: cap('PSI') === 1,
    maximumAddressMask: cap('MAMV'),
    faultRecords: cap('NFR') + 1,
    faultRecordOffset: 16 * cap('FRO'),
    invalidateOffset: 16 * ecap('IRO'),
  };
}
