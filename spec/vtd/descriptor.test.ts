import { describe, expect, it } from 'vitest';
import { type Decoded, decodeDescriptor } from './descriptor.js';
import { unit } from './fixtures.js';

const bit = (n: number): bigint => 1n << BigInt(n);
const caps = unit({ PSI: 1, MAMV: 18 }, { QI: 1, IR: 1, MHMV: 15 });
const decode = (bits: bigint, unitCaps = caps, wide = false, mode = 0): readonly Decoded[] =>
  decodeDescriptor(bits, { caps: unitCaps, wide, mode });
const codes = (decoded: readonly Decoded[]): readonly number[] =>
  decoded.flatMap((each) => (each.kind === 'error' ? each.error.codes : []));
const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

describe('reserved fields of descriptors (facts 7.5)', () => {
  const reservedBits = (base: bigint, unitCaps = caps): readonly number[] =>
    Array.from({ length: 128 }, (_, n) => n).filter(
      (n) => (base & bit(n)) === 0n && codes(decode(base | bit(n), unitCaps)).includes(4),
    );

  it.each([
    ['cc_inv_dsc', 0x11n, [...range(6, 8), ...range(12, 15), ...range(50, 127)]],
    ['iotlb_inv_dsc', 0x12n, [8, ...range(12, 15), ...range(32, 63), ...range(71, 75)]],
    ['iec_inv_dsc', 0x04n, [...range(5, 8), ...range(12, 26), ...range(48, 127)]],
    ['inv_wait_dsc', 0x05n, [7, 8, ...range(12, 31), 64, 65]],
  ] as const)('%s', (_name, base, expected) => {
    expect(reservedBits(base)).toEqual(expected);
  });

  it('are fields where the capability is there', () => {
    const drain = unit({}, { QI: 1 });
    expect(reservedBits(0x05n, { ...drain, pageDrain: true })).not.toContain(7);
  });
});

describe('descriptor types (facts 7.4)', () => {
  const accepted = (mode: number, wide: boolean, unitCaps = caps): readonly number[] =>
    range(0, 127).filter((type) => {
      const bits = BigInt(type & 15) | (BigInt(type >> 4) << 9n) | 0x10n;
      return !codes(decode(bits, unitCaps, wide, mode)).includes(3);
    });

  it('are 1, 2, 4 and 5 in legacy mode without Device-TLBs, whatever the width', () => {
    expect(accepted(0, false)).toEqual([1, 2, 4, 5]);
    expect(accepted(0, true)).toEqual([1, 2, 4, 5]);
    expect(accepted(0, false, { ...caps, deviceTlb: true })).toEqual([1, 2, 3, 4, 5]);
  });

  it('include 256-bit types in abort-DMA mode', () => {
    // G=01 is no granularity of p_iotlb_inv_dsc.
    expect(accepted(3, true)).toEqual([1, 2, 4, 5, 7]);
  });

  it('leave iec_inv_dsc open without interrupt remapping', () => {
    const decoded = decode(0x04n, { ...caps, interruptRemapping: false });
    expect(decoded.map((each) => each.kind)).toEqual(['other', 'error']);
  });
});

describe('granularities', () => {
  it('that do not exist stop the queue with 3 or 4', () => {
    expect([0x01n, 0x02n].map((bits) => codes(decode(bits)))).toEqual([
      [4, 3],
      [4, 3],
    ]);
    expect(codes(decode(0x32n, { ...caps, pageSelective: false }))).toEqual([4, 3]);
    expect(codes(decode(0x32n))).toEqual([]);
  });

  it('with a mask above MAMV may be performed coarser', () => {
    const beyond = decode(0x32n | (19n << 64n));
    expect(beyond.map((each) => each.kind)).toEqual(['invalidate', 'error']);
    expect(decode(0x32n | (18n << 64n)).map((each) => each.kind)).toEqual(['invalidate']);
    expect(decode(0x22n | (63n << 64n)).map((each) => each.kind)).toEqual(['invalidate']);
  });
});

describe('padding', () => {
  it('of a 128-bit descriptor in a wide queue must be zero', () => {
    for (const n of [128, 200, 255]) expect(codes(decode(0x12n | bit(n), caps, true))).toEqual([4, 3]);
    expect(codes(decode(0x12n, caps, true))).toEqual([]);
  });
});

describe('a wait', () => {
  it('carries its flags, data and address', () => {
    const [wait] = decode(0x35n | (0x1234n << 32n) | (0x1008n << 64n));
    expect(wait).toEqual({ kind: 'wait', status: { address: 0x1008n, data: 0x1234 }, interrupt: true, fence: false });
    const [fence] = decode(0x45n | (0x1234n << 32n) | (0x1008n << 64n));
    expect(fence).toEqual({ kind: 'wait', status: undefined, interrupt: false, fence: true });
  });

  it('ignores status address bits at and above HAW', () => {
    const [wait] = decode(0x25n | ((bit(46) | 0x1000n) << 64n));
    expect(wait).toMatchObject({ status: { address: 0x1000n } });
  });
});
