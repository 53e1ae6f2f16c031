import type { MemoryRegion, Profile } from '../../spec/interface/profile.js';
import { ADDRESS_WIDTHS, type Bits, CAP_FIELDS, ECAP_FIELDS, INTERRUPT_RANGE } from '../../spec/layout/vtd.js';

/** Architecture name of the components that these generators know. */
export const ARCHITECTURE = 'vtd';

/** Bytes of a frame, as a bigint. */
export const FRAME = 4096n;

/** Fewest frames an arena needs for tables and data. */
const FEWEST_FRAMES = 32;

/** Fewest tokens per requester and direction that leave room for a scenario. */
const FEWEST_TOKENS = 8;

/** Bits `high..low` of a value. */
export function field(value: bigint, [high, low]: Bits): bigint {
  return (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
}

/** `value` with bits `high..low` replaced. */
export function withField(value: bigint, [high, low]: Bits, part: bigint): bigint {
  const mask = (1n << BigInt(high - low + 1)) - 1n;
  return (value & ~(mask << BigInt(low))) | ((part & mask) << BigInt(low));
}

/** A supported adjusted guest address width. */
export interface Width {
  /** Value of the AW field. */
  readonly aw: number;
  readonly levels: number;
  /** Bits of an input address that the width and MGAW allow. */
  readonly inputBits: number;
}

/** A requester that can send DMA through the component. */
export interface PlatformRequester {
  readonly id: string;
  readonly routingId: number;
  readonly zeroLengthReads?: boolean;
  readonly noSnoop?: boolean;
}

/** Where an address lies. `interrupt` is FEExxxxxh, whatever the memory map says of it. */
export type Place = 'arena' | 'ram' | 'forbidden' | 'interrupt' | 'hole';

/** Pages, first and last, of a region of the memory map. */
interface PageRange {
  readonly first: number;
  readonly last: number;
  readonly forbidden: boolean;
}

const INTERRUPT_PAGES = { first: Number(INTERRUPT_RANGE.first >> 12n), last: Number(INTERRUPT_RANGE.last >> 12n) };

/** What generators need to know of a profile: capabilities by name, the memory map, who can do DMA. */
export interface Platform {
  readonly profile: Profile;
  readonly component: string;
  readonly requesters: readonly PlatformRequester[];
  readonly widths: readonly Width[];
  /** Levels at which a leaf can be: 1 (4 KiB), 2 (2 MiB), 3 (1 GiB). */
  readonly leafLevels: readonly number[];
  readonly hostBits: number;
  readonly domainBits: number;
  readonly cachingMode: boolean;
  readonly passThrough: boolean;
  readonly deviceTlb: boolean;
  /** The unit has a leaf bit 11 (SNP). */
  readonly snoopControl: boolean;
  /** A zero-length read needs no read permission. */
  readonly zeroLengthRead: boolean;
  /** TTM may be changed while translation is on. */
  readonly modeSwitch: boolean;
  readonly scalable: boolean;
  readonly abortMode: boolean;
  readonly drain: boolean;
  /** The unit has an invalidation queue. */
  readonly queue: boolean;
  readonly interruptRemapping: boolean;
  readonly pageRequests: boolean;
  /** Page-selective IOTLB invalidation, and the largest AM it takes. */
  readonly pageSelective: boolean;
  readonly largestMask: number;
  /** Largest IM of an interrupt-entry invalidation. */
  readonly largestIndexMask: number;
  readonly protectedLow: boolean;
  readonly protectedHigh: boolean;
  /** Software must flush write buffers. */
  readonly writeBuffer: boolean;
  readonly faultRecords: number;
  readonly base: bigint;
  /** Number of the arena's first page. */
  readonly basePage: number;
  readonly frames: number;
  readonly regions: readonly PageRange[];
  /** A 1 GiB aligned page in which nothing answers, or `undefined` when there is none. */
  readonly hole: bigint | undefined;
}

function componentOf(profile: Profile): string | undefined {
  return Object.keys(profile.components).find((name) => profile.components[name]?.architecture === ARCHITECTURE);
}

function overlaps(region: MemoryRegion, first: bigint, last: bigint): boolean {
  return region.base <= last && region.base + region.bytes > first;
}

function findHole(profile: Profile, hostBits: number): bigint | undefined {
  const gigabyte = 1n << 30n;
  const end = hostBits > 37 ? 1n << 37n : 1n << BigInt(hostBits);
  for (let base = gigabyte; base < end; base += gigabyte) {
    const last = base + gigabyte - 1n;
    const interrupts = base <= INTERRUPT_RANGE.last && last >= INTERRUPT_RANGE.first;
    if (!interrupts && !profile.memory.some((region) => overlaps(region, base, last))) return base;
  }
  return undefined;
}

function widthsOf(cap: bigint): Width[] {
  const supported = field(cap, CAP_FIELDS.SAGAW);
  const mgaw = Number(field(cap, CAP_FIELDS.MGAW)) + 1;
  return Object.entries(ADDRESS_WIDTHS)
    .filter(([, width]) => (supported >> BigInt(width.sagaw)) & 1n)
    .map(([aw, width]) => ({ aw: Number(aw), levels: width.levels, inputBits: Math.min(mgaw, width.bits) }));
}

function leafLevelsOf(cap: bigint): number[] {
  const sizes = field(cap, CAP_FIELDS.SSLPS);
  return [1, ...(sizes & 1n ? [2] : []), ...(sizes & 2n ? [3] : [])];
}

/** Reads a profile. The profile must have passed {@link unsuitable}. */
export function platformOf(profile: Profile): Platform {
  const component = componentOf(profile) ?? '';
  const unit = profile.components[component];
  const cap = unit?.registers['CAP'] ?? 0n;
  const ecap = unit?.registers['ECAP'] ?? 0n;
  const hostBits = unit?.parameters['hostAddressWidth'] ?? Number(field(cap, CAP_FIELDS.MGAW)) + 1;
  return {
    profile,
    component,
    requesters: profile.requesters.filter((requester) => requester.dma && requester.component === component),
    widths: widthsOf(cap),
    leafLevels: leafLevelsOf(cap),
    hostBits,
    domainBits: 4 + 2 * Number(field(cap, CAP_FIELDS.ND)),
    cachingMode: field(cap, CAP_FIELDS.CM) === 1n,
    passThrough: field(ecap, ECAP_FIELDS.PT) === 1n,
    deviceTlb: field(ecap, ECAP_FIELDS.DT) === 1n,
    snoopControl: field(ecap, ECAP_FIELDS.SC) === 1n,
    zeroLengthRead: field(cap, CAP_FIELDS.ZLR) === 1n,
    modeSwitch: field(cap, CAP_FIELDS.ESRTPS) === 1n,
    scalable: field(ecap, ECAP_FIELDS.SMTS) === 1n,
    abortMode: field(ecap, ECAP_FIELDS.ADMS) === 1n,
    drain: field(cap, CAP_FIELDS.DRD) === 1n && field(cap, CAP_FIELDS.DWD) === 1n,
    queue: field(ecap, ECAP_FIELDS.QI) === 1n,
    interruptRemapping: field(ecap, ECAP_FIELDS.IR) === 1n,
    pageRequests: field(ecap, ECAP_FIELDS.PRS) === 1n,
    pageSelective: field(cap, CAP_FIELDS.PSI) === 1n,
    largestMask: Number(field(cap, CAP_FIELDS.MAMV)),
    largestIndexMask: Number(field(ecap, ECAP_FIELDS.MHMV)),
    protectedLow: field(cap, CAP_FIELDS.PLMR) === 1n,
    protectedHigh: field(cap, CAP_FIELDS.PHMR) === 1n,
    writeBuffer: field(cap, CAP_FIELDS.RWBF) === 1n,
    faultRecords: Number(field(cap, CAP_FIELDS.NFR)) + 1,
    base: profile.arena.base,
    basePage: pageOf(profile.arena.base),
    regions: profile.memory.map(({ kind, base, bytes }) => ({
      first: pageOf(base),
      last: pageOf(base + bytes - 1n),
      forbidden: kind !== 'ram',
    })),
    frames: Math.floor(profile.arena.bytes / Number(FRAME)),
    hole: findHole(profile, hostBits),
  };
}

/** Number of the 4 KiB page of an address below 2^64; exact. */
export function pageOf(address: bigint): number {
  return Number(address >> 12n);
}

/** Where a page of host-physical memory lies. A page that is partly RAM counts as RAM. */
export function placeOfPage(platform: Platform, page: number): Place {
  const frame = page - platform.basePage;
  if (frame >= 0 && frame < platform.frames) return 'arena';
  if (page >= INTERRUPT_PAGES.first && page <= INTERRUPT_PAGES.last) return 'interrupt';
  let place: Place = 'hole';
  for (const region of platform.regions) {
    if (page < region.first || page > region.last) continue;
    if (region.forbidden) return 'forbidden';
    place = 'ram';
  }
  return place;
}

/** Where a host-physical address lies. */
export function placeOf(platform: Platform, address: bigint): Place {
  return placeOfPage(platform, pageOf(address));
}

/** Why no scenario of legacy-mode DMA remapping can be made for a profile, or `undefined`. */
export function unsuitable(profile: Profile): string | undefined {
  const name = componentOf(profile);
  const unit = name === undefined ? undefined : profile.components[name];
  if (unit === undefined) return 'no VT-d remapping unit';
  if ((((unit.registers['VER'] ?? 0n) >> 4n) & 0xfn) > 5n) return 'no register-based invalidation (VER major above 5)';
  const platform = platformOf(profile);
  if (platform.widths.length === 0) return 'no second-stage translation (CAP.SAGAW is 0)';
  if (platform.requesters.length === 0) return 'no requester that can do DMA';
  if (platform.frames < FEWEST_FRAMES) return `an arena of fewer than ${FEWEST_FRAMES} frames`;
  if (profile.limits.tokens < FEWEST_TOKENS) return `fewer than ${FEWEST_TOKENS} tokens for each requester`;
  return undefined;
}

/** Why no scenario of the invalidation queue can be made for a profile, or `undefined`. */
export function withoutQueue(profile: Profile): string | undefined {
  return unsuitable(profile) ?? (platformOf(profile).queue ? undefined : 'no invalidation queue (ECAP.QI is 0)');
}

/** Why no zero-length read can be sent through a profile's unit, or `undefined`. */
export function withoutZeroLengthReads(profile: Profile): string | undefined {
  const able = platformOf(profile).requesters.some(({ zeroLengthReads }) => zeroLengthReads === true);
  return unsuitable(profile) ?? (able ? undefined : 'no requester can send zero-length reads');
}

/** Why no scenario of snooping can be made for a profile, or `undefined`. */
export function withoutNoSnoop(profile: Profile): string | undefined {
  const able = platformOf(profile).requesters.some(({ noSnoop }) => noSnoop === true);
  return unsuitable(profile) ?? (able ? undefined : 'no requester can set the no-snoop attribute');
}

/** Why no scenario of protected memory can be made for a profile, or `undefined`. */
export function withoutProtection(profile: Profile): string | undefined {
  const { protectedLow, protectedHigh } = platformOf(profile);
  return (
    unsuitable(profile) ??
    (protectedLow || protectedHigh ? undefined : 'no protected memory regions (CAP.PLMR and CAP.PHMR are 0)')
  );
}

/** Why no scenario of pass-through can be made for a profile, or `undefined`. */
export function withoutPassThrough(profile: Profile): string | undefined {
  return unsuitable(profile) ?? (platformOf(profile).passThrough ? undefined : 'no pass-through (ECAP.PT is 0)');
}
