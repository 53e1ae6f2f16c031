import type { Profile } from '../../../spec/interface/profile.js';
import { FRAME_BYTES } from '../../../spec/layout/tokens.js';
import { type Bits, CAP_FIELDS, ECAP_FIELDS } from '../../../spec/layout/vtd.js';
import type { Index, TinyWorld } from './world.js';

/** The platform that tiny worlds run on, and where their words and pages lie. */

/** Host-physical byte address of the arena, 2 MiB aligned, so that it is what the 2 MiB page maps. */
const ARENA = 0x0400_0000n;
const ARENA_FRAMES = 24;

/** Frames of the arena, by number. Frames 20 and 21 are what pages 0 and 1 find in the 2 MiB page. */
export const TABLES = {
  root: 0,
  context: 1,
  level3: 3,
  level2: 5,
  level1: 8,
  queue: 11,
  status: 12,
  data: 16,
} as const;
const PAGE_INDEX = [20n, 21n] as const;

export const UNIT = 'iommu0';
export const REQUESTERS = ['edu0', 'edu1'] as const;
/** Two functions of one device, so that a function mask can cover both. */
export const ROUTING_IDS = [0x0100, 0x0101] as const;

/** Host-physical byte address of an arena frame. */
export function frameAddress(number: number): bigint {
  return ARENA + BigInt(number * FRAME_BYTES);
}

/** Host-physical byte address of the frame behind an outcome, for a page. */
export function dataAddress(frame: number, page: number): bigint {
  return frame < 4 ? frameAddress(TABLES.data + frame) : frameAddress(Number(PAGE_INDEX[page as Index]));
}

/** I/O virtual byte address of a page. */
export function pageAddress(world: TinyWorld, page: Index): bigint {
  const region = world.sameRegion ? 0n : BigInt(page);
  return (region << 21n) | (PAGE_INDEX[page] << 12n);
}

export function withField(value: bigint, [, low]: Bits, part: bigint | number): bigint {
  return value | (BigInt(part) << BigInt(low));
}

/** A register value or descriptor from its fields. */
export function compose(
  layout: Readonly<Record<string, Bits>>,
  parts: Readonly<Record<string, bigint | number>>,
): bigint {
  return Object.entries(parts).reduce((value, [name, part]) => withField(value, layout[name]!, part), 0n);
}

/** A unit with 39-bit tables, 2 MiB pages and a queue, CM=0 and RWBF=0, with every page mask that the worlds use. */
export function tinyProfile(): Profile {
  const CAP = compose(CAP_FIELDS, { ND: 2, SAGAW: 0b10, MGAW: 38, SSLPS: 1, FRO: 0x22, PSI: 1, MAMV: 9 });
  const ECAP = compose(ECAP_FIELDS, { C: 1, QI: 1, IRO: 0x50 });
  return {
    name: 'tiny',
    implementation: 'tiny worlds',
    components: {
      [UNIT]: {
        architecture: 'vtd',
        revision: '5.10',
        registers: { VER: 0x50n, CAP, ECAP },
        parameters: { hostAddressWidth: 36 },
      },
    },
    requesters: REQUESTERS.map((id, position) => ({
      id,
      routingId: ROUTING_IDS[position]!,
      component: UNIT,
      dma: true,
      msi: true,
      pasidBits: 0,
    })),
    memory: [{ kind: 'ram', base: 0n, bytes: 0x1000_0000n }],
    arena: { base: ARENA, bytes: ARENA_FRAMES * FRAME_BYTES },
    limits: { tokens: 32, dmaBytes: 64 },
  };
}
