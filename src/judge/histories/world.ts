import type { Profile } from '../../../spec/interface/profile.js';
import { type Bits, CAP_FIELDS, ECAP_FIELDS } from '../../../spec/layout/vtd.js';

/**
 * The machine of the hand-written histories: an arena at 64 MiB, seven functions, one remapping unit.
 * Tables and data lie at fixed frames of the arena; a data frame that nobody wrote holds its own paint.
 */

const BASE = 0x0400_0000n;

/** Host-physical address of an arena frame. */
export const frame = (number: number): bigint => BASE + BigInt(number) * 4096n;

/** Frames that hold tables. Domain 7 is PML4 to PT, domain 8 is PML4_8 to PT_8. */
export const ROOT = 0;
export const CONTEXTS = 1;
export const PML4 = 2;
export const PDPT = 3;
export const PD = 4;
export const PT = 5;
export const ROOT_B = 6;
export const CONTEXTS_B = 7;
export const SPARE_PT = 8;
export const PML4_8 = 10;
export const PDPT_8 = 11;
export const PD_8 = 12;
export const PT_8 = 13;
/** The queue, and where waits write. */
export const QUEUE = 16;
export const STATUS = 17;

/** Data frames. Domain 7 maps page 0 to OLD and page 1 to NEXT, domain 8 maps page 0 to OTHER. */
export const OLD = 20;
export const NEXT = 21;
export const NEW = 22;
export const NEWER = 23;
export const OTHER = 24;
export const NOBODYS = 25;

/** Functions and their routing IDs: bus 1, device 0, functions 0 to 7, and one of device 1. */
export const FUNCTIONS = { A: 0x100, B: 0x101, C: 0x102, E: 0x104, G: 0x106, H: 0x107, X: 0x108 } as const;
export type Requester = keyof typeof FUNCTIONS;

export type CapabilityFields = Readonly<Record<string, number>>;

const place = (fields: Readonly<Record<string, Bits>>, values: CapabilityFields): bigint =>
  Object.entries(values).reduce((sum, [name, value]) => sum | (BigInt(value) << BigInt(fields[name]![1])), 0n);

const CAP = { ND: 6, SAGAW: 0b1110, MGAW: 56, SSLPS: 3, FRO: 0x22, NFR: 3, PSI: 1, MAMV: 9 };
const ECAP = { QI: 1, PT: 1, IRO: 0xf0 };

/** The machine; fields of CAP and ECAP can be changed. Four fault records, page masks up to 9, CM=0, ESRTPS=0, SMTS=0. */
export function machine(cap: CapabilityFields = {}, ecap: CapabilityFields = {}): Profile {
  return {
    name: 'hand-written',
    implementation: 'hand-written',
    components: {
      iommu0: {
        architecture: 'vtd',
        revision: '5.10',
        registers: {
          VER: 0x50n,
          CAP: place(CAP_FIELDS, { ...CAP, ...cap }),
          ECAP: place(ECAP_FIELDS, { ...ECAP, ...ecap }),
        },
        parameters: { hostAddressWidth: 46 },
      },
    },
    requesters: Object.entries(FUNCTIONS).map(([id, routingId]) => ({
      id,
      routingId,
      component: 'iommu0',
      dma: true,
      msi: true,
      pasidBits: 0,
    })),
    memory: [{ kind: 'ram', base: 0n, bytes: 0x800_0000n }],
    arena: { base: BASE, bytes: 32 * 4096 },
    limits: { tokens: 32, dmaBytes: 64 },
  };
}
