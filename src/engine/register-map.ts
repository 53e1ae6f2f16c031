import {
  type Bits,
  CCMD_FIELDS,
  EVENT_ADDRESS_FIELDS,
  EVENT_DATA_FIELDS,
  EVENT_UPPER_ADDRESS_FIELDS,
  FECTL_FIELDS,
  FRCD_FIELDS,
  FSTS_FIELDS,
  ICS_FIELDS,
  IECTL_FIELDS,
  IOTLB_FIELDS,
  IQA_FIELDS,
  IQT_FIELDS,
  IRTA_FIELDS,
  IVA_FIELDS,
  PMEN_FIELDS,
  RTADDR_FIELDS,
  VTD_REGISTERS,
} from '../../spec/layout/vtd.js';
import type { Capabilities } from './capabilities.js';

/** Byte offset of IOTLB behind IVA. */
export const IOTLB_AFTER_IVA = 8;

/** Bytes of a fault record. */
export const FAULT_RECORD_BYTES = 16;

/** Where a register is and how its bits behave. What no list names is read-only, or reserved and 0. */
export interface RegisterDescription {
  readonly offset: number;
  readonly bytes: number;
  /** Bits that take the value written. */
  readonly writable?: readonly Bits[];
  /** Bits that a written 1 clears. */
  readonly clearable?: readonly Bits[];
  /** Value after a reset, 0 when absent. */
  readonly reset?: bigint;
  /** Whether only a power-good reset resets it. */
  readonly sticky?: boolean;
}

type Name = keyof typeof VTD_REGISTERS;
type Rules = Omit<RegisterDescription, 'offset' | 'bytes'>;

function register(name: Name, rules: Rules = {}): RegisterDescription {
  return { ...VTD_REGISTERS[name], ...rules };
}

/** Every register that these capabilities give the unit, with its access rules. */
export function registerMap(capabilities: Capabilities): readonly RegisterDescription[] {
  return [
    ...capabilityRegisters(capabilities),
    ...commandRegisters(capabilities),
    ...faultRegisters(capabilities),
    ...(capabilities.queuedInvalidation ? queueRegisters() : []),
    ...protectedMemoryRegisters(capabilities),
    ...(capabilities.interruptRemapping ? interruptRegisters(capabilities) : []),
  ];
}

function capabilityRegisters({ ver, cap, ecap }: Capabilities): readonly RegisterDescription[] {
  return [register('VER', { reset: BigInt(ver) }), register('CAP', { reset: cap }), register('ECAP', { reset: ecap })];
}

function commandRegisters({ secondStageReadWrite, invalidateOffset }: Capabilities): readonly RegisterDescription[] {
  const { RTA, TTM, SSIRWE } = RTADDR_FIELDS;
  const { ICC, CIRG, FM, SID, DID } = CCMD_FIELDS;
  return [
    register('GSTS'),
    register('RTADDR', { writable: secondStageReadWrite ? [RTA, TTM, SSIRWE] : [RTA, TTM] }),
    register('CCMD', { writable: [ICC, CIRG, FM, SID, DID] }),
    { offset: invalidateOffset, bytes: 8, writable: [IVA_FIELDS.ADDR, IVA_FIELDS.IH, IVA_FIELDS.AM] },
    {
      offset: invalidateOffset + IOTLB_AFTER_IVA,
      bytes: 8,
      writable: [IOTLB_FIELDS.IVT, IOTLB_FIELDS.IIRG, IOTLB_FIELDS.DR, IOTLB_FIELDS.DW, IOTLB_FIELDS.DID],
    },
  ];
}

/** The four registers of an event, whose message is masked after a reset. */
function eventRegisters(
  mask: Bits,
  control: Name,
  data: Name,
  address: Name,
  upperAddress: Name,
): readonly RegisterDescription[] {
  return [
    register(control, { writable: [mask], reset: 1n << BigInt(mask[1]) }),
    register(data, { writable: [EVENT_DATA_FIELDS.DATA] }),
    register(address, { writable: [EVENT_ADDRESS_FIELDS.MA] }),
    register(upperAddress, { writable: [EVENT_UPPER_ADDRESS_FIELDS.MUA] }),
  ];
}

function faultRegisters(capabilities: Capabilities): readonly RegisterDescription[] {
  const { PFO, IQE, ICE, ITE } = FSTS_FIELDS;
  const clearable = [
    PFO,
    ...(capabilities.queuedInvalidation ? [IQE] : []),
    ...(capabilities.deviceTlb ? [ICE, ITE] : []),
  ];
  const records = Array.from({ length: capabilities.faultRecords }, (_, n) => ({
    offset: capabilities.faultRecordOffset + FAULT_RECORD_BYTES * n,
    bytes: FAULT_RECORD_BYTES,
    clearable: [FRCD_FIELDS.F],
    sticky: true,
  }));
  return [
    register('FSTS', { clearable, sticky: true }),
    ...eventRegisters(FECTL_FIELDS.IM, 'FECTL', 'FEDATA', 'FEADDR', 'FEUADDR'),
    ...records,
  ];
}

function queueRegisters(): readonly RegisterDescription[] {
  return [
    register('IQH'),
    register('IQT', { writable: [IQT_FIELDS.QT] }),
    register('IQA', { writable: [IQA_FIELDS.IQA, IQA_FIELDS.DW, IQA_FIELDS.QS] }),
    register('ICS', { clearable: [ICS_FIELDS.IWC], sticky: true }),
    ...eventRegisters(IECTL_FIELDS.IM, 'IECTL', 'IEDATA', 'IEADDR', 'IEUADDR'),
    register('IQERCD', { sticky: true }),
  ];
}

/** Base and limit keep the bits from their granularity up to the host address width. */
function protectedMemoryRegisters(capabilities: Capabilities): readonly RegisterDescription[] {
  const { protectedLow, protectedHigh, protectedLowBits, protectedHighBits, hostAddressWidth } = capabilities;
  const low: Bits = [31, protectedLowBits];
  const high: Bits = [hostAddressWidth - 1, protectedHighBits];
  return [
    ...(protectedLow || protectedHigh ? [register('PMEN', { writable: [PMEN_FIELDS.EPM] })] : []),
    ...(protectedLow ? [register('PLMBASE', { writable: [low] }), register('PLMLIMIT', { writable: [low] })] : []),
    ...(protectedHigh ? [register('PHMBASE', { writable: [high] }), register('PHMLIMIT', { writable: [high] })] : []),
  ];
}

function interruptRegisters({ extendedInterrupts }: Capabilities): readonly RegisterDescription[] {
  const { IRTA, EIME, S } = IRTA_FIELDS;
  return [register('IRTA', { writable: extendedInterrupts ? [IRTA, EIME, S] : [IRTA, S] })];
}
