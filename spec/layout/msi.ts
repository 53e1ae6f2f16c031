/** The MSI capability of a function with a 64-bit address and one message: byte offsets inside it, and fields. */
export const MSI = {
  /** Message Control, 16 bits. */
  control: 2,
  /** Message Address, bits 31:0. */
  address: 4,
  /** Message Upper Address, bits 63:32. */
  upperAddress: 8,
  /** Message Data, 16 bits. */
  data: 12,
  /** Bytes of the whole capability. */
  bytes: 14,
  /** Bit of Message Control: MSI Enable. */
  enable: 0,
} as const;

/** Message address in compatibility format: bits 31:20, and the low bit of the destination ID (bits 19:12). */
export const MESSAGE_ADDRESS = { base: 0xfee0_0000n, destination: 12 } as const;
