import type { Bits } from '../../spec/layout/vtd.js';
import {
  CONTEXT_DESCRIPTOR_GRANULARITY,
  DESCRIPTOR_TYPE,
  DESCRIPTORS,
  INTERRUPT_DESCRIPTOR_GRANULARITY,
  IOTLB_DESCRIPTOR_GRANULARITY,
  PASID_CACHE_DESCRIPTOR_GRANULARITY,
  PASID_IOTLB_DESCRIPTOR_GRANULARITY,
  QUEUE_ERROR,
} from '../../spec/layout/vtd-queue.js';
import { fieldMask, fieldShift, fieldsMask } from './bits.js';
import type { Capabilities } from './capabilities.js';

/** 32-bit pieces of a 256-bit descriptor. */
export const DESCRIPTOR_PIECES = 8;

const TYPE_LOW = fieldMask(DESCRIPTOR_TYPE.low, 0);
const TYPE_HIGH = fieldMask(DESCRIPTOR_TYPE.high, 0);

/** A size that a descriptor names in a field, and the largest there is. */
interface SizeLimit {
  readonly piece: number;
  readonly mask: number;
  readonly shift: number;
  readonly largest: number;
  /** Only this granularity has a size. */
  readonly granularity: number;
}

/** What makes a descriptor of one type valid. */
interface DescriptorRule {
  /** Whether it takes 256-bit descriptors and a mode other than legacy. */
  readonly wide: boolean;
  /** Reserved bits by 32-bit piece. */
  readonly reserved: Int32Array;
  readonly granularityMask: number;
  readonly granularityShift: number;
  /** One bit for each valid value of G, lowest value in bit 0. */
  readonly granularities: number;
  readonly size?: SizeLimit;
}

/** Tells valid descriptors from invalid ones, by what the capabilities allow. */
export class DescriptorCheck {
  private readonly rules: readonly (DescriptorRule | undefined)[];

  constructor(capabilities: Capabilities) {
    const rules: (DescriptorRule | undefined)[] = [];
    rules[DESCRIPTORS.cc_inv_dsc.type] = contextRule();
    rules[DESCRIPTORS.iotlb_inv_dsc.type] = iotlbRule(capabilities);
    if (capabilities.interruptRemapping) {
      rules[DESCRIPTORS.iec_inv_dsc.type] = interruptEntryRule(capabilities);
    }
    rules[DESCRIPTORS.inv_wait_dsc.type] = waitRule();
    rules[DESCRIPTORS.p_iotlb_inv_dsc.type] = pasidIotlbRule();
    rules[DESCRIPTORS.pc_inv_dsc.type] = pasidCacheRule();
    this.rules = rules;
  }

  /**
   * Checks a descriptor.
   *
   * @param words its 32-bit pieces; those behind a 128-bit descriptor are 0
   * @param wideTypes whether the types that exist only as 256-bit descriptors are accepted
   * @returns a code of {@link QUEUE_ERROR}, `none` for a valid one
   */
  errorOf(words: Int32Array, wideTypes: boolean): number {
    const first = words[0]!;
    const rule = (first & TYPE_HIGH) === 0 ? this.rules[first & TYPE_LOW] : undefined;
    if (rule === undefined || (rule.wide && !wideTypes)) {
      return QUEUE_ERROR.typeInvalid;
    }
    let set = 0;
    for (let piece = 0; piece < DESCRIPTOR_PIECES; piece++) {
      set |= words[piece]! & rule.reserved[piece]!;
    }
    const granularity = (first & rule.granularityMask) >>> rule.granularityShift;
    const valid = set === 0 && ((rule.granularities >> granularity) & 1) === 1 && fits(words, granularity, rule.size);
    return valid ? QUEUE_ERROR.none : QUEUE_ERROR.reservedField;
  }
}

function fits(words: Int32Array, granularity: number, size: SizeLimit | undefined): boolean {
  return (
    size === undefined ||
    granularity !== size.granularity ||
    (words[size.piece]! & size.mask) >>> size.shift <= size.largest
  );
}

function contextRule(): DescriptorRule {
  const { reserved, fields } = DESCRIPTORS.cc_inv_dsc;
  return { ...shortRule(reserved), ...granularityRule(fields.G, Object.values(CONTEXT_DESCRIPTOR_GRANULARITY)) };
}

function iotlbRule({ pageSelective, maximumAddressMask }: Capabilities): DescriptorRule {
  const { reserved, fields } = DESCRIPTORS.iotlb_inv_dsc;
  const { global, domain, page } = IOTLB_DESCRIPTOR_GRANULARITY;
  return {
    ...shortRule(reserved),
    ...granularityRule(fields.G, pageSelective ? [global, domain, page] : [global, domain]),
    size: sizeLimit(fields.AM, maximumAddressMask, page),
  };
}

function interruptEntryRule({ maximumIndexMask }: Capabilities): DescriptorRule {
  const { reserved, fields } = DESCRIPTORS.iec_inv_dsc;
  return {
    ...shortRule(reserved),
    ...granularityRule(fields.G, Object.values(INTERRUPT_DESCRIPTOR_GRANULARITY)),
    size: sizeLimit(fields.IM, maximumIndexMask, INTERRUPT_DESCRIPTOR_GRANULARITY.index),
  };
}

/** Page-request drain (PD) is reserved: no shape has page requests to drain. */
function waitRule(): DescriptorRule {
  const { reserved, fields } = DESCRIPTORS.inv_wait_dsc;
  return shortRule([...reserved, fields.PD]);
}

/** MAMV and PSI do not bound this one. */
function pasidIotlbRule(): DescriptorRule {
  const { reserved, fields } = DESCRIPTORS.p_iotlb_inv_dsc;
  return {
    ...wideRule(reserved),
    ...granularityRule(fields.G, Object.values(PASID_IOTLB_DESCRIPTOR_GRANULARITY)),
  };
}

function pasidCacheRule(): DescriptorRule {
  const { reserved, fields } = DESCRIPTORS.pc_inv_dsc;
  return { ...wideRule(reserved), ...granularityRule(fields.G, Object.values(PASID_CACHE_DESCRIPTOR_GRANULARITY)) };
}

/** A type without granularities: its G reads as 0, which is valid. */
const NO_GRANULARITY = { granularityMask: 0, granularityShift: 0, granularities: 1 } as const;

/** A 128-bit type; in a queue of 256-bit descriptors the other half is padding and must be 0. */
function shortRule(reserved: readonly Bits[]): DescriptorRule {
  return { wide: false, reserved: reservedPieces([...reserved, [255, 128]]), ...NO_GRANULARITY };
}

function wideRule(reserved: readonly Bits[]): DescriptorRule {
  return { wide: true, reserved: reservedPieces(reserved), ...NO_GRANULARITY };
}

function reservedPieces(reserved: readonly Bits[]): Int32Array {
  return Int32Array.from({ length: DESCRIPTOR_PIECES }, (_, piece) => fieldsMask(reserved, piece));
}

function granularityRule(bits: Bits, valid: readonly number[]) {
  return {
    granularityMask: fieldMask(bits, 0),
    granularityShift: fieldShift(bits),
    granularities: valid.reduce((set, value) => set | (1 << value), 0),
  };
}

function sizeLimit(bits: Bits, largest: number, granularity: number): SizeLimit {
  const piece = bits[1] >> 5;
  return { piece, mask: fieldMask(bits, piece), shift: fieldShift(bits), largest, granularity };
}
