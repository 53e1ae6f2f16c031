/**
 * Paint and tokens: bytes that name where they belong, so that a stray byte
 * tells who put it there. Shared by everything; data, no rule of any architecture.
 */

/** Bytes of a frame. */
export const FRAME_BYTES = 4096;

/** Longest DMA write a token can fill, in bytes. */
export const TOKEN_BYTES = 64;

/**
 * Paint of the 64-bit word at a host-physical byte address (8-byte aligned):
 * A5h in the top byte, bits 47:3 of the address in the middle, 5Ah at the bottom.
 */
export function paintWord(address: bigint): bigint {
  return 0xa500_0000_0000_005an | (((address >> 3n) & 0xffff_ffff_ffffn) << 8n);
}

/**
 * Byte `index` (0 to TOKEN_BYTES-1) of a DMA write: each 32-bit piece holds Dh and the
 * requester's position in the profile (4 bits) at the top, then the token number, zero, and the piece's number plus 40h.
 * Any piece, taken as MSI data, is a fixed, edge-triggered interrupt with a vector of 40h or more.
 *
 * @param requester position in `Profile.requesters`, 0 to 15
 * @param token token number, 0 to 255
 */
export function tokenByte(requester: number, token: number, index: number): number {
  switch (index & 3) {
    case 0:
      return 0x40 + (index >> 2);
    case 1:
      return 0;
    case 2:
      return token;
    default:
      return 0xd0 | requester;
  }
}

/** The bytes of a DMA write: as many as the request is long, from the start of the token; long requests repeat it. */
export function tokenBytes(requester: number, token: number, bytes: number): Uint8Array {
  const filled = new Uint8Array(bytes);
  for (let index = 0; index < bytes; index++) filled[index] = tokenByte(requester, token, index % TOKEN_BYTES);
  return filled;
}
