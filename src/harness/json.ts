/** JSON on one line, with 64-bit values as "0x…": for people and for comparing; what is stored goes through the codecs. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `0x${part.toString(16)}`;
    if (part instanceof Uint8Array) return Buffer.from(part).toString('hex');
    return part;
  });
}
