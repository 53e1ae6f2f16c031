/** VT-d: register offsets, field positions and codes (data only). Bits count from 0 at the least significant. */

/** A field: its highest and lowest bit. */
export type Bits = readonly [high: number, low: number];

/** Registers at fixed offsets: offset and width in bytes. Section "Register Descriptions". */
export const VTD_REGISTERS = {
  VER: { offset: 0x000, bytes: 4 },
  CAP: { offset: 0x008, bytes: 8 },
  ECAP: { offset: 0x010, bytes: 8 },
  GCMD: { offset: 0x018, bytes: 4 },
  GSTS: { offset: 0x01c, bytes: 4 },
  RTADDR: { offset: 0x020, bytes: 8 },
  CCMD: { offset: 0x028, bytes: 8 },
  FSTS: { offset: 0x034, bytes: 4 },
  FECTL: { offset: 0x038, bytes: 4 },
  FEDATA: { offset: 0x03c, bytes: 4 },
  FEADDR: { offset: 0x040, bytes: 4 },
  FEUADDR: { offset: 0x044, bytes: 4 },
  PMEN: { offset: 0x064, bytes: 4 },
  PLMBASE: { offset: 0x068, bytes: 4 },
  PLMLIMIT: { offset: 0x06c, bytes: 4 },
  PHMBASE: { offset: 0x070, bytes: 8 },
  PHMLIMIT: { offset: 0x078, bytes: 8 },
  IQH: { offset: 0x080, bytes: 8 },
  IQT: { offset: 0x088, bytes: 8 },
  IQA: { offset: 0x090, bytes: 8 },
  ICS: { offset: 0x09c, bytes: 4 },
  IECTL: { offset: 0x0a0, bytes: 4 },
  IEDATA: { offset: 0x0a4, bytes: 4 },
  IEADDR: { offset: 0x0a8, bytes: 4 },
  IEUADDR: { offset: 0x0ac, bytes: 4 },
  IQERCD: { offset: 0x0b0, bytes: 8 },
  IRTA: { offset: 0x0b8, bytes: 8 },
} as const;

/**
 * Registers whose place the capability registers give, in units of 16 bytes:
 * IVA at ECAP.IRO, IOTLB 8 bytes behind it, FRCD[n] at CAP.FRO + n.
 */
export const VTD_PLACED_REGISTERS = {
  IVA: { base: 'ECAP.IRO', plus: 0, bytes: 8, count: 1 },
  IOTLB: { base: 'ECAP.IRO', plus: 8, bytes: 8, count: 1 },
  FRCD: { base: 'CAP.FRO', plus: 0, bytes: 16, count: 'CAP.NFR' },
} as const;

/** Fields of CAP (008h). */
export const CAP_FIELDS = {
  ND: [2, 0],
  AFL: [3, 3],
  RWBF: [4, 4],
  PLMR: [5, 5],
  PHMR: [6, 6],
  CM: [7, 7],
  SAGAW: [12, 8],
  MGAW: [21, 16],
  ZLR: [22, 22],
  FRO: [33, 24],
  SSLPS: [37, 34],
  PSI: [39, 39],
  NFR: [47, 40],
  MAMV: [53, 48],
  DWD: [54, 54],
  DRD: [55, 55],
  FS1GP: [56, 56],
  PI: [59, 59],
  FS5LP: [60, 60],
  ECMDS: [61, 61],
  ESIRTPS: [62, 62],
  ESRTPS: [63, 63],
} as const satisfies Record<string, Bits>;

/** Fields of ECAP (010h). */
export const ECAP_FIELDS = {
  C: [0, 0],
  QI: [1, 1],
  DT: [2, 2],
  IR: [3, 3],
  EIM: [4, 4],
  PT: [6, 6],
  SC: [7, 7],
  IRO: [17, 8],
  MHMV: [23, 20],
  PRS: [29, 29],
  PASID: [40, 40],
  SMTS: [43, 43],
  SSTS: [46, 46],
  FSTS: [47, 47],
  ADMS: [52, 52],
  SSIRWS: [57, 57],
} as const satisfies Record<string, Bits>;

/** Bits of GCMD and, at the same positions, of GSTS. */
export const GLOBAL_COMMAND = { TE: 31, SRTP: 30, WBF: 27, QIE: 26, IRE: 25, SIRTP: 24, CFI: 23 } as const;

/** Fields of RTADDR (020h). */
export const RTADDR_FIELDS = { RTA: [63, 12], TTM: [11, 10], SSIRWE: [7, 7] } as const satisfies Record<string, Bits>;

/** Fields of CCMD (028h). */
export const CCMD_FIELDS = {
  ICC: [63, 63],
  CIRG: [62, 61],
  CAIG: [60, 59],
  FM: [33, 32],
  SID: [31, 16],
  DID: [15, 0],
} as const satisfies Record<string, Bits>;

/** Fields of the IOTLB invalidate register. */
export const IOTLB_FIELDS = {
  IVT: [63, 63],
  IIRG: [61, 60],
  IAIG: [58, 57],
  DR: [49, 49],
  DW: [48, 48],
  DID: [47, 32],
} as const satisfies Record<string, Bits>;

/** Fields of IVA. */
export const IVA_FIELDS = { ADDR: [63, 12], IH: [6, 6], AM: [5, 0] } as const satisfies Record<string, Bits>;

/** Granularities of CIRG/CAIG and IIRG/IAIG. */
export const CONTEXT_GRANULARITY = { none: 0, global: 1, domain: 2, device: 3 } as const;
export const IOTLB_GRANULARITY = { none: 0, global: 1, domain: 2, page: 3 } as const;

/** Fields of FSTS (034h). */
export const FSTS_FIELDS = {
  PFO: [0, 0],
  PPF: [1, 1],
  IQE: [4, 4],
  ICE: [5, 5],
  ITE: [6, 6],
  FRI: [15, 8],
} as const satisfies Record<string, Bits>;

/** Fields of FECTL (038h). */
export const FECTL_FIELDS = { IM: [31, 31], IP: [30, 30] } as const satisfies Record<string, Bits>;

/** Fields of a 128-bit fault record; bit 64 is bit 0 of the high half. */
export const FRCD_FIELDS = {
  F: [127, 127],
  T1: [126, 126],
  AT: [125, 124],
  PV: [123, 104],
  FR: [103, 96],
  PP: [95, 95],
  EXE: [94, 94],
  PRIV: [93, 93],
  T2: [92, 92],
  SID: [79, 64],
  FI: [63, 12],
} as const satisfies Record<string, Bits>;

/** Legacy-mode root entry, 128 bits, one per bus. */
export const ROOT_ENTRY = {
  bytes: 16,
  fields: { P: [0, 0], CTP: [63, 12] },
  reserved: [
    [11, 1],
    [127, 64],
  ],
} as const satisfies { bytes: number; fields: Record<string, Bits>; reserved: readonly Bits[] };

/** Legacy-mode context entry, 128 bits, one per device and function. */
export const CONTEXT_ENTRY = {
  bytes: 16,
  fields: { P: [0, 0], FPD: [1, 1], TT: [3, 2], SSPTPTR: [63, 12], AW: [66, 64], AVAIL: [70, 67], DID: [87, 72] },
  reserved: [
    [11, 4],
    [71, 71],
    [127, 88],
  ],
} as const satisfies { bytes: number; fields: Record<string, Bits>; reserved: readonly Bits[] };

/** Translation types of a legacy-mode context entry. */
export const TRANSLATION_TYPE = { untranslatedOnly: 0, all: 1, passThrough: 2, reserved: 3 } as const;

/** AW values: adjusted guest address width in bits and number of levels. */
export const ADDRESS_WIDTHS = {
  1: { bits: 39, levels: 3, sagaw: 1 },
  2: { bits: 48, levels: 4, sagaw: 2 },
  3: { bits: 57, levels: 5, sagaw: 3 },
} as const;

/** Second-stage paging entry, 64 bits. Levels count from 1 (4 KiB page table) to 5. */
export const SECOND_STAGE_ENTRY = {
  bytes: 8,
  fields: { R: [0, 0], W: [1, 1], PS: [7, 7], SNP: [11, 11], ADDR: [51, 12], IR: [61, 61], IW: [62, 62] },
  indexBits: 9,
  /** Lowest input address bit of the index, by level. */
  indexLow: { 1: 12, 2: 21, 3: 30, 4: 39, 5: 48 },
} as const;

/** Host and I/O addresses of the interrupt range. */
export const INTERRUPT_RANGE = { first: 0xfee0_0000n, last: 0xfeef_ffffn } as const;

/** Fault reasons of legacy-mode requests and of the latched pointer. */
export const FAULT = {
  ROOT_NOT_PRESENT: 0x01,
  CONTEXT_NOT_PRESENT: 0x02,
  CONTEXT_INVALID: 0x03,
  ADDRESS_BEYOND_WIDTH: 0x04,
  NO_WRITE_PERMISSION: 0x05,
  NO_READ_PERMISSION: 0x06,
  PAGING_ENTRY_UNREADABLE: 0x07,
  ROOT_UNREADABLE: 0x08,
  CONTEXT_UNREADABLE: 0x09,
  ROOT_RESERVED: 0x0a,
  CONTEXT_RESERVED: 0x0b,
  PAGING_ENTRY_RESERVED: 0x0c,
  REQUEST_TYPE_BLOCKED: 0x0d,
  OUTPUT_IN_INTERRUPT_RANGE: 0x0e,
  INTERRUPT_RANGE_REQUEST: 0x29,
  ROOT_POINTER_INVALID: 0x30,
  PASID_IN_LEGACY_MODE: 0x31,
  PAGE_REQUEST_IN_LEGACY_MODE: 0x32,
  ABORT_MODE: 0x33,
} as const;

/** Fields of PMEN (064h). */
export const PMEN_FIELDS = { EPM: [31, 31], PRS: [0, 0] } as const satisfies Record<string, Bits>;

/** Fields of IQH (080h) and IQT (088h): byte offset in the queue, in units of 16 bytes. */
export const IQH_FIELDS = { QH: [18, 4] } as const satisfies Record<string, Bits>;
export const IQT_FIELDS = { QT: [18, 4] } as const satisfies Record<string, Bits>;

/** Fields of IQA (090h). DW=1: descriptors of 256 bits; the queue is 2^QS pages of 4 KiB. */
export const IQA_FIELDS = { IQA: [63, 12], DW: [11, 11], QS: [2, 0] } as const satisfies Record<string, Bits>;

/** Fields of ICS (09Ch). */
export const ICS_FIELDS = { IWC: [0, 0] } as const satisfies Record<string, Bits>;

/** Fields of IECTL (0A0h). */
export const IECTL_FIELDS = { IM: [31, 31], IP: [30, 30] } as const satisfies Record<string, Bits>;

/** Fields of IQERCD (0B0h). */
export const IQERCD_FIELDS = {
  ICESID: [63, 48],
  ITESID: [47, 32],
  IQEI: [3, 0],
} as const satisfies Record<string, Bits>;

/** Fields of IRTA (0B8h). */
export const IRTA_FIELDS = { IRTA: [63, 12], EIME: [11, 11], S: [3, 0] } as const satisfies Record<string, Bits>;

/** Fields of the registers that hold an event's message: FEDATA and IEDATA, FEADDR and IEADDR, FEUADDR and IEUADDR. */
export const EVENT_DATA_FIELDS = { DATA: [15, 0] } as const satisfies Record<string, Bits>;
export const EVENT_ADDRESS_FIELDS = { MA: [31, 2] } as const satisfies Record<string, Bits>;
export const EVENT_UPPER_ADDRESS_FIELDS = { MUA: [31, 0] } as const satisfies Record<string, Bits>;

/** TTM values of RTADDR. */
export const TABLE_MODE = { legacy: 0, scalable: 1, reserved: 2, abort: 3 } as const;
