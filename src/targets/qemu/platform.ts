import type { MemoryRegion, Requester } from '../../../spec/interface/profile.js';

/**
 * Where things are in the machine that QEMU is asked to be. All numbers are host-physical byte addresses or byte
 * counts. Device addresses are kept many bit flips away from the arena, so that a corrupted table entry of a scenario
 * points to plain memory or to nothing, not to a device.
 */

/** Bytes of RAM. */
export const RAM_BYTES = 0x2000_0000;

/** Memory that scenarios may use. */
export const ARENA = { base: 0x0400_0000, bytes: 96 * 4096 } as const;

/** Memory that the target keeps for itself. Seven bits away from the arena; 2 MiB aligned. */
export const RESERVED = { base: 0x1ae0_0000, bytes: 0x20_0000 } as const;

/** Start of the VT-d register block, and its size. */
export const VTD_REGISTERS_BASE = 0xfed9_0000;
export const VTD_REGISTERS_BYTES = 0x1000;

/** PCI configuration space (PCIEXBAR): 64 MiB are 64 buses. */
export const ECAM = { base: 0xb000_0000, bytes: 0x0400_0000, buses: 64 } as const;

/** Root ports on bus 0: device number, the bus behind it, and the memory window it passes on. */
export const ROOT_PORTS = [
  { id: 'rp0', device: 4, bus: 1, window: { first: 0xfe00_0000, last: 0xfe2f_ffff } },
  { id: 'rp1', device: 5, bus: 2, window: { first: 0xfe40_0000, last: 0xfe4f_ffff } },
] as const;

/** An `edu` device: its place behind a root port and the address of its registers (BAR 0, 1 MiB). */
export interface EduPlace {
  readonly id: string;
  readonly port: string;
  readonly routingId: number;
  readonly bar: number;
}

/** The requesters, in the order of the profile. */
export const EDUS: readonly EduPlace[] = [
  { id: 'edu0', port: 'rp0', routingId: 0x100, bar: 0xfe00_0000 },
  { id: 'edu1', port: 'rp0', routingId: 0x101, bar: 0xfe10_0000 },
  { id: 'edu2', port: 'rp0', routingId: 0x104, bar: 0xfe20_0000 },
  { id: 'edu3', port: 'rp1', routingId: 0x200, bar: 0xfe40_0000 },
];

/** Where the MSI capability of an `edu` device is; it is the device's only capability. */
export const EDU_MSI_CAPABILITY = 0x40;

/** Key of the VT-d unit in the profile. */
export const IOMMU = 'iommu0';

/** Tokens and read slots of each requester, and bytes of each. */
export const SLOTS = 32;
export const SLOT_BYTES = 64;

/** The physical address map of the profile. */
export const MEMORY: readonly MemoryRegion[] = [
  region('ram', 0, 0xa_0000),
  region('device', 0xa_0000, 0x10_0000),
  region('ram', 0x10_0000, RESERVED.base),
  region('reserved', RESERVED.base, RESERVED.base + RESERVED.bytes),
  region('ram', RESERVED.base + RESERVED.bytes, RAM_BYTES),
  region('device', ECAM.base, ECAM.base + ECAM.bytes),
  region('device', 0xfe00_0000, 0xfe60_0000),
  region('device', 0xfec0_0000, 0xfec0_1000),
  region('device', VTD_REGISTERS_BASE, VTD_REGISTERS_BASE + VTD_REGISTERS_BYTES),
  region('device', 0xfee0_0000, 0xfef0_0000),
  region('device', 0xffff_0000, 0x1_0000_0000),
];

/** The requesters of the profile. */
export const REQUESTERS: readonly Requester[] = EDUS.map(({ id, routingId }) => ({
  id,
  routingId,
  component: IOMMU,
  dma: true,
  msi: true,
  pasidBits: 0,
  msiCapability: EDU_MSI_CAPABILITY,
}));

function region(kind: MemoryRegion['kind'], first: number, end: number): MemoryRegion {
  return { kind, base: BigInt(first), bytes: BigInt(end - first) };
}
