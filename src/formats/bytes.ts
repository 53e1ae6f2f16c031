import { z } from 'zod';
import { paintWord } from '../../spec/layout/tokens.js';
import { hexText } from './scalars.js';

/**
 * Bytes in JSON: a hexadecimal string, or segments one after the other.
 *
 * - `["paint", "0x4000000", n]`: n bytes of paint, as it is at that host-physical address
 * - `["repeat", "00…", n]`: the bytes, n times
 * - `["hex", "…"]`
 */
export type BytesJson = string | SegmentJson[];
export type SegmentJson = ['paint', string, number] | ['repeat', string, number] | ['hex', string];

/** Most bytes that a file may describe in one place, so that a short file cannot ask for all memory. */
const MOST_BYTES = 1 << 30;

/** Runs shorter than this, in 64-bit words, are not worth a segment. */
const SHORTEST_RUN = 4;

const hexBytes = z
  .string({ error: 'expected bytes as hexadecimal digits' })
  .regex(/^([0-9a-f]{2})*$/, { error: 'expected bytes: an even number of lower-case hexadecimal digits' });
const address = z.string().regex(/^0x[0-9a-f]{1,16}$/, { error: 'expected an address like "0x4000000"' });
const count = z.int({ error: 'expected a number of bytes' }).min(1).max(MOST_BYTES);

const segment = z.union(
  [
    z.tuple([z.literal('paint'), address, count]),
    z.tuple([z.literal('repeat'), hexBytes, count]),
    z.tuple([z.literal('hex'), hexBytes]),
  ],
  { error: 'expected ["paint", "0xADDRESS", BYTES], ["repeat", "HEX", TIMES] or ["hex", "HEX"]' },
);

const bytesJson: z.ZodType<BytesJson, BytesJson> = z
  .union([hexBytes, z.array(segment)], { error: 'expected bytes: hexadecimal digits, or a list of segments' })
  .refine((json) => jsonLength(json) <= MOST_BYTES, { error: `expected at most ${MOST_BYTES} bytes` });

/** Bytes ↔ {@link BytesJson}. Decoding and encoding are inverse for every length. */
export const bytesSchema: z.ZodType<Uint8Array, BytesJson> = z.codec(bytesJson, z.instanceof(Uint8Array), {
  decode: bytesOf,
  encode: jsonOf,
});

function segmentLength(piece: SegmentJson): number {
  switch (piece[0]) {
    case 'paint':
      return piece[2];
    case 'repeat':
      return (piece[1].length / 2) * piece[2];
    case 'hex':
      return piece[1].length / 2;
  }
}

function jsonLength(json: BytesJson): number {
  if (typeof json === 'string') return json.length / 2;
  return json.reduce((sum, piece) => sum + segmentLength(piece), 0);
}

function bytesOf(json: BytesJson): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(jsonLength(json));
  const pieces: SegmentJson[] = typeof json === 'string' ? [['hex', json]] : json;
  let at = 0;
  for (const piece of pieces) {
    const end = at + segmentLength(piece);
    if (piece[0] === 'paint') fillPaint(bytes, at, end, BigInt(piece[1]));
    else fillPattern(bytes, at, end, Buffer.from(piece[1], 'hex'));
    at = end;
  }
  return bytes;
}

function fillPaint(bytes: Uint8Array, from: number, to: number, start: bigint): void {
  const word = new DataView(new ArrayBuffer(8));
  for (let at = from; at < to; at += 1) {
    const offset = at - from;
    if ((offset & 7) === 0) word.setBigUint64(0, paintWord(start + BigInt(offset)), true);
    bytes[at] = word.getUint8(offset & 7);
  }
}

function fillPattern(bytes: Uint8Array, from: number, to: number, pattern: Uint8Array): void {
  for (let at = from; at < to; at += pattern.length) bytes.set(pattern, at);
}

function jsonOf(bytes: Uint8Array): BytesJson {
  const words = bytes.length >>> 3;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const segments: SegmentJson[] = [];
  let plainFrom = 0;
  const flush = (to: number): void => {
    if (to > plainFrom) segments.push(['hex', hexOf(bytes, plainFrom, to)]);
  };
  for (let word = 0; word < words; ) {
    const run = runAt(view, word, words);
    if (run === undefined) {
      word += 1;
      continue;
    }
    flush(word * 8);
    segments.push(run.segment);
    word += run.words;
    plainFrom = word * 8;
  }
  if (segments.length === 0) return hexOf(bytes, 0, bytes.length);
  flush(bytes.length);
  return segments;
}

/** The run of paint or of equal words that begins at a word, when it is long enough. */
function runAt(view: DataView, word: number, end: number): { segment: SegmentJson; words: number } | undefined {
  const first = view.getBigUint64(word * 8, true);
  const start = ((first >> 8n) & 0xffff_ffff_ffffn) << 3n;
  const length = (expected: (offset: bigint) => bigint): number => {
    let next = word;
    while (next < end && view.getBigUint64(next * 8, true) === expected(BigInt(next - word) * 8n)) next += 1;
    return next - word;
  };
  const painted = length((offset) => paintWord(start + offset));
  if (painted >= SHORTEST_RUN) return { segment: ['paint', hexText(start), painted * 8], words: painted };
  const repeated = length(() => first);
  if (repeated < SHORTEST_RUN) return undefined;
  const pattern = hexOf(new Uint8Array(view.buffer, view.byteOffset), word * 8, word * 8 + 8);
  return { segment: ['repeat', pattern, repeated], words: repeated };
}

function hexOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('hex');
}
