import { CAP_FIELDS, ECAP_FIELDS } from '../../spec/layout/vtd.js';
import { composeRegister } from './bits.js';

/** Numbers of entries of the caches, each a power of two, or 0 where there is none. */
export interface CacheSizes {
  /** Root entries. */
  readonly root: number;
  /** Context entries. */
  readonly context: number;
  /** Entries that point to tables, at each level. */
  readonly structure: number;
  /** Translations, for each page size. */
  readonly iotlb: number;
}

/** A variant of the remapping unit: its capability registers, the width of host addresses, and its caches. */
export interface Shape {
  readonly name: string;
  /** One line for people. */
  readonly description: string;
  /** Version register, 32 bits. */
  readonly ver: number;
  /** Capability register, 64 bits. */
  readonly cap: bigint;
  /** Extended capability register, 64 bits. */
  readonly ecap: bigint;
  /** Width of host-physical addresses in bits, 39 to 52, at most CAP.MGAW + 1. */
  readonly hostAddressWidth: number;
  readonly caches: CacheSizes;
  /** Whether it does at random what the architecture allows and ordinary units do not do. */
  readonly chaos: boolean;
}

interface ShapeFields {
  readonly description: string;
  /** Version register; {@link VERSION} unless given. */
  readonly ver?: number;
  readonly cap: Readonly<Partial<Record<keyof typeof CAP_FIELDS, number>>>;
  readonly ecap: Readonly<Partial<Record<keyof typeof ECAP_FIELDS, number>>>;
  readonly hostAddressWidth: number;
  readonly caches: CacheSizes;
  readonly chaos?: boolean;
}

/** VER: major 1; up to 5, invalidation through registers exists. */
const VERSION = 0x10;
/** Major 2: from there on, protected memory is out of reach of remapped requests, too. */
const VERSION_2 = 0x20;

/** CAP.SAGAW: bit 1 stands for 39 bits, bit 2 for 48, bit 3 for 57. */
const WIDTHS_39 = 0b00010;
const WIDTHS_39_48 = 0b00110;
const WIDTHS_39_48_57 = 0b01110;

/** CAP.SSLPS. */
const NO_SUPERPAGES = 0b00;
const SUPERPAGES_2M = 0b01;
const SUPERPAGES_2M_1G = 0b11;

/** CAP.ND: domain-ids of 4 + 2 * ND bits. */
const DOMAINS_4_BITS = 0;
const DOMAINS_8_BITS = 2;
const DOMAINS_16_BITS = 6;

/** Fields that every shape has unless it says otherwise. */
const COMMON_CAP = { ND: DOMAINS_16_BITS, PSI: 1, DWD: 1, DRD: 1, FRO: 0x22 } as const;
const COMMON_ECAP = { C: 1, IRO: 0x0f } as const;

/** Nothing is remembered. */
export const NO_CACHES: CacheSizes = { root: 0, context: 0, structure: 0, iotlb: 0 };

const SHAPES = {
  '39-4k': {
    description: '39 bits, 4 KiB pages only, 8-bit domain-ids, no pass-through, one fault record, no caches',
    cap: { ND: DOMAINS_8_BITS, SAGAW: WIDTHS_39, MGAW: 38, SSLPS: NO_SUPERPAGES, MAMV: 9 },
    ecap: {},
    hostAddressWidth: 39,
    caches: NO_CACHES,
  },
  '39-2m': {
    description:
      '39 bits, 2 MiB pages, pass-through, invalidation queue, eight fault records, registers placed elsewhere',
    cap: { SAGAW: WIDTHS_39, MGAW: 38, SSLPS: SUPERPAGES_2M, MAMV: 9, NFR: 7, FRO: 0x40, ZLR: 1 },
    ecap: { PT: 1, QI: 1, IRO: 0x50 },
    hostAddressWidth: 39,
    caches: { root: 4, context: 4, structure: 4, iotlb: 16 },
  },
  '39-1g': {
    description: '39 bits, 2 MiB and 1 GiB pages, pass-through, one fault record',
    cap: { SAGAW: WIDTHS_39, MGAW: 38, SSLPS: SUPERPAGES_2M_1G, MAMV: 18, ZLR: 1 },
    ecap: { PT: 1 },
    hostAddressWidth: 39,
    caches: { root: 0, context: 0, structure: 0, iotlb: 64 },
  },
  '48-4k': {
    description: '42 of 48 bits, 4 KiB pages only, pass-through, eight fault records, protected low memory',
    cap: { SAGAW: WIDTHS_39_48, MGAW: 41, SSLPS: NO_SUPERPAGES, MAMV: 9, NFR: 7, ZLR: 1, PLMR: 1 },
    ecap: { PT: 1 },
    hostAddressWidth: 40,
    caches: { root: 8, context: 16, structure: 16, iotlb: 0 },
  },
  '48-2m': {
    description:
      '39 and 48 bits, 2 MiB pages, 4-bit domain-ids, no pass-through, invalidation queue, not page-selective',
    cap: { ND: DOMAINS_4_BITS, SAGAW: WIDTHS_39_48, MGAW: 47, SSLPS: SUPERPAGES_2M, PSI: 0, NFR: 7 },
    ecap: { QI: 1 },
    hostAddressWidth: 48,
    caches: { root: 0, context: 8, structure: 8, iotlb: 32 },
  },
  '48-1g': {
    description: '39 and 48 bits, 2 MiB and 1 GiB pages, pass-through, invalidation queue, one fault record',
    cap: { SAGAW: WIDTHS_39_48, MGAW: 47, SSLPS: SUPERPAGES_2M_1G, MAMV: 18, ZLR: 1 },
    ecap: { PT: 1, QI: 1 },
    hostAddressWidth: 39,
    caches: { root: 16, context: 16, structure: 16, iotlb: 256 },
  },
  '57-4k': {
    description:
      '39, 48 and 57 bits, 4 KiB pages only, pass-through, invalidation queue, interrupt remapping registers, one fault record, protected low and high memory, version 2',
    ver: VERSION_2,
    cap: { SAGAW: WIDTHS_39_48_57, MGAW: 56, SSLPS: NO_SUPERPAGES, MAMV: 9, ZLR: 1, PLMR: 1, PHMR: 1 },
    ecap: { PT: 1, QI: 1, IR: 1, EIM: 1, MHMV: 15 },
    hostAddressWidth: 46,
    caches: { root: 0, context: 16, structure: 32, iotlb: 64 },
  },
  '57-2m': {
    description: '39, 48 and 57 bits, 2 MiB pages, snoop control, pass-through, eight fault records, write buffer',
    cap: { SAGAW: WIDTHS_39_48_57, MGAW: 56, SSLPS: SUPERPAGES_2M, MAMV: 9, NFR: 7, RWBF: 1 },
    ecap: { PT: 1, SC: 1 },
    hostAddressWidth: 52,
    caches: { root: 16, context: 0, structure: 16, iotlb: 64 },
  },
  '57-1g': {
    description:
      '39, 48 and 57 bits, 2 MiB and 1 GiB pages, snoop control, pass-through, abort-DMA mode, queue up to 256 bits, ESRTPS',
    cap: { SAGAW: WIDTHS_39_48_57, MGAW: 56, SSLPS: SUPERPAGES_2M_1G, MAMV: 18, NFR: 7, ZLR: 1, ESRTPS: 1 },
    ecap: { PT: 1, SC: 1, QI: 1, ADMS: 1 },
    hostAddressWidth: 52,
    caches: { root: 256, context: 256, structure: 256, iotlb: 4096 },
  },
  chaos: {
    description:
      '39 and 48 bits, 2 MiB and 1 GiB pages, pass-through, invalidation queue, eight fault records, lawful misbehaviour at random',
    cap: { SAGAW: WIDTHS_39_48, MGAW: 47, SSLPS: SUPERPAGES_2M_1G, MAMV: 18, NFR: 7, ZLR: 1 },
    ecap: { PT: 1, QI: 1 },
    hostAddressWidth: 46,
    caches: { root: 8, context: 8, structure: 8, iotlb: 32 },
    chaos: true,
  },
} as const satisfies Record<string, ShapeFields>;

/** Name of a shape: `chaos`, or the widest second-stage address in bits and the largest page. */
export type ShapeName = keyof typeof SHAPES;

/** Every shape's name. */
export const SHAPE_NAMES: readonly ShapeName[] = Object.keys(SHAPES) as ShapeName[];

/** The shape used when none is named. */
export const DEFAULT_SHAPE: ShapeName = '48-1g';

/** Whether a shape of this name exists. */
export function isShapeName(name: string): name is ShapeName {
  return Object.hasOwn(SHAPES, name);
}

/** Builds the shape of that name. */
export function shapeOf(name: ShapeName): Shape {
  const { description, ver = VERSION, cap, ecap, hostAddressWidth, caches, chaos = false }: ShapeFields = SHAPES[name];
  return {
    name,
    description,
    ver,
    cap: composeRegister(CAP_FIELDS, { ...COMMON_CAP, ...cap }),
    ecap: composeRegister(ECAP_FIELDS, { ...COMMON_ECAP, ...ecap }),
    hostAddressWidth,
    caches,
    chaos,
  };
}
