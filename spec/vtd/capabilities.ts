import { field, isSet } from '../bits.js';
import type { Component, Profile } from '../interface/profile.js';
import { ADDRESS_WIDTHS, CAP_FIELDS, ECAP_FIELDS } from '../layout/vtd.js';

/** CAP, ECAP and VER in the terms of the rules. Facts 1.3, 1.4. */
export interface Capabilities {
  readonly raw: { readonly VER: bigint; readonly CAP: bigint; readonly ECAP: bigint };
  /** VER.MAX. */
  readonly majorVersion: number;
  /** HAW: bits of a host-physical address. */
  readonly hostAddressWidth: number;
  /** MGAW: bits of the widest second-stage input address. */
  readonly guestAddressWidth: number;
  /** Bit n: AW value n is supported (SAGAW bit n). */
  readonly supportedWidths: number;
  /** Bits of a domain-id. */
  readonly domainIdBits: number;
  readonly superpage2M: boolean;
  readonly superpage1G: boolean;
  readonly cachingMode: boolean;
  readonly zeroLengthRead: boolean;
  /** Number of fault recording registers. */
  readonly faultRecords: number;
  readonly pageSelective: boolean;
  readonly maximumAddressMask: number;
  readonly passThrough: boolean;
  readonly snoopControl: boolean;
  readonly deviceTlb: boolean;
  readonly pasid: boolean;
  readonly scalableMode: boolean;
  readonly abortMode: boolean;
  /** SSIRWS: second-stage I/O permission bits. */
  readonly ioPermissions: boolean;
  /** ESRTPS: SRTP flushes every DMA-remapping cache. */
  readonly setRootFlushes: boolean;
  /** RWBF: software flushes write buffers. */
  readonly writeBufferFlush: boolean;
  /** PLMR and PHMR. */
  readonly protectedLow: boolean;
  readonly protectedHigh: boolean;
  readonly queuedInvalidation: boolean;
  readonly interruptRemapping: boolean;
  /** EIM: 32-bit APIC ids. */
  readonly extendedInterrupts: boolean;
  /** MHMV: largest IM of an interrupt-entry-cache invalidation. */
  readonly maximumHandleMask: number;
  /** DIT, PRS, PDS and HPTS, for the descriptors that need them. */
  readonly deviceTlbThrottle: boolean;
  readonly pageRequests: boolean;
  readonly pageDrain: boolean;
  readonly hostPermissions: boolean;
  /** Older than revision 4 of the document or major version 4: IQERCD.IQEI may give no information. */
  readonly early: boolean;
}

/** Decodes the capability registers of a component. */
export function capabilitiesOf(component: Component): Capabilities {
  const VER = component.registers['VER'] ?? 0n;
  const CAP = component.registers['CAP'] ?? 0n;
  const ECAP = component.registers['ECAP'] ?? 0n;
  const sslps = field(CAP, CAP_FIELDS.SSLPS);
  return {
    raw: { VER, CAP, ECAP },
    majorVersion: Number(field(VER, [7, 4])),
    hostAddressWidth: component.parameters['hostAddressWidth'] ?? 0,
    guestAddressWidth: Number(field(CAP, CAP_FIELDS.MGAW)) + 1,
    supportedWidths: Number(field(CAP, CAP_FIELDS.SAGAW)),
    domainIdBits: 4 + 2 * Number(field(CAP, CAP_FIELDS.ND)),
    superpage2M: (sslps & 1n) !== 0n,
    superpage1G: (sslps & 2n) !== 0n,
    cachingMode: isSet(CAP, CAP_FIELDS.CM),
    zeroLengthRead: isSet(CAP, CAP_FIELDS.ZLR),
    faultRecords: Number(field(CAP, CAP_FIELDS.NFR)) + 1,
    pageSelective: isSet(CAP, CAP_FIELDS.PSI),
    maximumAddressMask: Number(field(CAP, CAP_FIELDS.MAMV)),
    passThrough: isSet(ECAP, ECAP_FIELDS.PT),
    snoopControl: isSet(ECAP, ECAP_FIELDS.SC),
    deviceTlb: isSet(ECAP, ECAP_FIELDS.DT),
    pasid: isSet(ECAP, ECAP_FIELDS.PASID),
    scalableMode: isSet(ECAP, ECAP_FIELDS.SMTS),
    abortMode: isSet(ECAP, ECAP_FIELDS.ADMS),
    ioPermissions: isSet(ECAP, ECAP_FIELDS.SSIRWS),
    setRootFlushes: isSet(CAP, CAP_FIELDS.ESRTPS),
    writeBufferFlush: isSet(CAP, CAP_FIELDS.RWBF),
    protectedLow: isSet(CAP, CAP_FIELDS.PLMR),
    protectedHigh: isSet(CAP, CAP_FIELDS.PHMR),
    queuedInvalidation: isSet(ECAP, ECAP_FIELDS.QI),
    interruptRemapping: isSet(ECAP, ECAP_FIELDS.IR),
    extendedInterrupts: isSet(ECAP, ECAP_FIELDS.EIM),
    maximumHandleMask: Number(field(ECAP, ECAP_FIELDS.MHMV)),
    deviceTlbThrottle: isSet(ECAP, [41, 41]),
    pageRequests: isSet(ECAP, ECAP_FIELDS.PRS),
    pageDrain: isSet(ECAP, [42, 42]),
    hostPermissions: isSet(ECAP, [55, 55]),
    early: Number.parseFloat(component.revision) < 4 || field(VER, [7, 4]) < 4n,
  };
}

/** Width and levels that an AW value selects, when the unit supports it. Facts 3.4: AW must be in SAGAW. */
export function addressWidth(
  aw: bigint,
  caps: Capabilities,
): { readonly bits: number; readonly levels: number } | undefined {
  if (aw !== 1n && aw !== 2n && aw !== 3n) return undefined;
  const width = ADDRESS_WIDTHS[Number(aw) as 1 | 2 | 3];
  return (caps.supportedWidths >> width.sagaw) & 1 ? width : undefined;
}

/** The largest AW value that the unit supports. */
export function largestWidth(caps: Capabilities): { readonly aw: bigint; readonly bits: number } {
  const aw = ([3n, 2n, 1n] as const).find((value) => addressWidth(value, caps) !== undefined) ?? 1n;
  return { aw, bits: ADDRESS_WIDTHS[Number(aw) as 1 | 2 | 3].bits };
}

/** What a VT-d component of a profile promises and cannot hold, in one line. Facts 1.3. */
export function checkCapabilities(component: Component, profile: Profile): string | undefined {
  for (const name of ['VER', 'CAP', 'ECAP']) {
    if (component.registers[name] === undefined) return `register ${name} is missing`;
  }
  const caps = capabilitiesOf(component);
  const haw = caps.hostAddressWidth;
  if (haw < 32 || haw > 52) return `hostAddressWidth is ${haw}; expected 32 to 52`;
  if (caps.guestAddressWidth < haw) return `CAP.MGAW+1 is ${caps.guestAddressWidth}, below hostAddressWidth ${haw}`;
  if ((caps.supportedWidths & 0b01110) === 0) return 'CAP.SAGAW names no supported width (bits 1 to 3)';
  if (caps.domainIdBits > 16) return 'CAP.ND is 7; expected 0 to 6';
  if (caps.superpage1G && !caps.superpage2M) return 'CAP.SSLPS is 2; expected 0, 1 or 3';
  if (profile.arena.base + BigInt(profile.arena.bytes) > 1n << BigInt(haw))
    return 'the arena lies above the host address width';
  return undefined;
}
