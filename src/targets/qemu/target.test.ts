import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation, RegisterAddress } from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import { paintWord, tokenBytes } from '../../../spec/layout/tokens.js';
import { FAULT } from '../../../spec/layout/vtd.js';
import { createQemuTarget, type QemuTarget } from './target.js';

const ARENA = 0x0400_0000n;
const frame = (number: number): bigint => ARENA + BigInt(number) * 4096n;
const register = (name: string, size: 4 | 8, rest: Partial<RegisterAddress> = {}): RegisterAddress => ({
  component: 'iommu0',
  register: name,
  size,
  ...rest,
});
const zeros = (count: number): bigint[] => new Array<bigint>(count).fill(0n);
const bytes = (values: ArrayLike<number>): number[] => Array.from(values);

/** Four levels for edu0 (domain 5): page 0 read-write to frame 10, page 1 read-only to frame 11, page 2 write-only to 12. */
const TABLES: readonly Operation[] = [
  { op: 'store', address: frame(0), words: [0n, 0n, frame(1) | 1n, 0n, ...zeros(508)] },
  { op: 'store', address: frame(1), words: [frame(2) | 1n, (5n << 8n) | 2n, ...zeros(510)] },
  { op: 'store', address: frame(2), words: [frame(3) | 3n, ...zeros(511)] },
  { op: 'store', address: frame(3), words: [frame(4) | 3n, ...zeros(511)] },
  { op: 'store', address: frame(4), words: [frame(5) | 3n, ...zeros(511)] },
  { op: 'store', address: frame(5), words: [frame(10) | 3n, frame(11) | 1n, frame(12) | 2n, ...zeros(509)] },
  { op: 'regWrite', ...register('RTADDR', 8), value: frame(0) },
  { op: 'regWrite', ...register('GCMD', 4), value: 0xc000_0000n },
  { op: 'poll', ...register('GSTS', 4), mask: 1n << 30n, expect: 1n << 30n, limit: 100 },
  { op: 'regWrite', ...register('CCMD', 8), value: (1n << 63n) | (1n << 61n) },
  { op: 'poll', ...register('CCMD', 8), mask: 1n << 63n, expect: 0n, limit: 100 },
  { op: 'regWrite', ...register('IOTLB', 8), value: (1n << 63n) | (1n << 60n) },
  { op: 'poll', ...register('IOTLB', 8), mask: 1n << 63n, expect: 0n, limit: 100 },
];

/** Reads and clears the fault that the operations before may have left; `at` is the index of the first of these. */
const takeFault = (at: number): readonly Operation[] => [
  { op: 'regRead', ...register('FSTS', 4) },
  { op: 'regRead', ...register('FRCD', 8, { index: { ref: at, field: [15, 8] } }) },
  { op: 'regRead', ...register('FRCD', 8, { index: { ref: at, field: [15, 8] }, offset: 8 }) },
  { op: 'regWrite', ...register('FRCD', 4, { index: { ref: at, field: [15, 8] }, offset: 12 }), value: 1n << 31n },
];

function dma(direction: 'read' | 'write', address: bigint, token: number, length = 8, requester = 'edu0'): Operation {
  return { op: 'dma', requester, address, direction, bytes: length, token };
}

describe('QEMU target', () => {
  let target: QemuTarget;
  let profile: Profile;
  beforeAll(async () => {
    target = createQemuTarget();
    profile = await target.describe();
  });
  afterAll(() => target.close());

  const ready = async (): Promise<void> => {
    expect(await target.begin('ready')).toBeUndefined();
  };
  const run = async (operations: readonly Operation[], oneByOne = false) => {
    const { observations, failure } = await target.run(operations, { oneByOne });
    expect(failure).toBeUndefined();
    expect(observations.map(({ of }) => of)).toEqual(operations.map(({ op }) => op));
    return observations;
  };
  const values = async (operations: readonly Operation[]): Promise<(bigint | undefined)[]> =>
    (await run(operations)).map((observation) => ('value' in observation ? observation.value : undefined));
  const lastData = async (operations: readonly Operation[]): Promise<number[]> => {
    const last = (await run(operations)).at(-1);
    return bytes((last !== undefined && 'data' in last ? last.data : undefined) ?? []);
  };

  it('tells what it is, from the device', () => {
    expect(profile.implementation).toMatch(/^QEMU \d+\.\d+\.\d+ intel-iommu aw-bits=48$/);
    const unit = profile.components['iommu0']!;
    expect(unit.parameters).toEqual({ hostAddressWidth: 48 });
    expect(unit.registers['VER']).toBe(0x10n);
    expect((unit.registers['CAP']! >> 8n) & 0x1fn, 'SAGAW: 39 and 48 bits').toBe(6n);
    expect(((unit.registers['CAP']! >> 16n) & 0x3fn) + 1n, 'MGAW').toBe(48n);
    expect(unit.registers['ECAP']! & 8n, 'interrupt remapping').toBe(8n);
    expect(profile.requesters.map(({ id, routingId }) => [id, routingId])).toEqual([
      ['edu0', 0x100],
      ['edu1', 0x101],
      ['edu2', 0x104],
      ['edu3', 0x200],
    ]);
    const ends = profile.memory.map(({ base, bytes: size }) => base + size);
    expect(profile.memory.every(({ base }, index) => index === 0 || base >= ends[index - 1]!)).toBe(true);
  });

  it('begins ready: translating, no fault, an empty root, a painted arena', async () => {
    await ready();
    const seen = await values([
      { op: 'regRead', ...register('GSTS', 4) },
      { op: 'regRead', ...register('FSTS', 4) },
      { op: 'regRead', ...register('FECTL', 4) },
      dma('write', ARENA, 0),
      ...takeFault(4),
    ]);
    expect(seen.slice(0, 3)).toEqual([0xc000_0000n, 0n, 0x8000_0000n]);
    expect(seen[4]! & 2n, 'PPF').toBe(2n);
    expect((seen[6]! >> 32n) & 0xffn).toBe(BigInt(FAULT.ROOT_NOT_PRESENT));
    const arena = await lastData([{ op: 'load', address: ARENA, bytes: profile.arena.bytes }]);
    const paintAt = (offset: number) => new DataView(Uint8Array.from(arena).buffer).getBigUint64(offset, true);
    for (const offset of [0, 8, 4096, profile.arena.bytes - 8]) {
      expect(paintAt(offset)).toBe(paintWord(ARENA + BigInt(offset)));
    }
  });

  it('writes where the tables say', async () => {
    await ready();
    await run(TABLES);
    const data = await lastData([dma('write', 0x43n, 7, 12), { op: 'load', address: frame(10) + 0x40n, bytes: 16 }]);
    const paint = bytes(
      new Uint8Array(BigUint64Array.of(paintWord(frame(10) + 0x40n), paintWord(frame(10) + 0x48n)).buffer),
    );
    expect(data).toEqual([...paint.slice(0, 3), ...bytes(tokenBytes(0, 7, 12)), ...paint.slice(15)]);
  });

  it('gives what devices read at the end', async () => {
    await ready();
    await run([
      ...TABLES,
      dma('write', 0x0n, 31, 64),
      dma('read', 0x0n, 30, 64),
      dma('read', 0x1ffcn, 0, 4),
      dma('read', 0x10n, 31, 8),
    ]);
    const { late, failure } = await target.finish();
    expect(failure).toBeUndefined();
    const token = tokenBytes(0, 31, 64);
    const lastWord = new Uint8Array(BigUint64Array.of(paintWord(frame(11) + 0xff8n)).buffer);
    expect(late.map(({ at, data }) => [at, bytes(data)])).toEqual([
      [14, bytes(token)],
      [15, bytes(lastWord.slice(4))],
      [16, bytes(token.slice(16, 24))],
    ]);
  });

  it('does not claim data that a later read overwrote in the device', async () => {
    await ready();
    await run([...TABLES, dma('read', 0x0n, 30, 64), dma('read', 0x40n, 31, 64)]);
    const { late } = await target.finish();
    expect(late.map(({ at }) => at)).toEqual([14]);
  });

  it('keeps requesters and their tokens apart', async () => {
    await ready();
    const others: readonly Operation[] = ['edu1', 'edu2', 'edu3'].flatMap((requester, index) => [
      {
        op: 'store',
        address: requester === 'edu3' ? frame(6) : frame(1) + (requester === 'edu1' ? 16n : 64n),
        words: [frame(2) | 1n, (5n << 8n) | 2n],
      },
      dma('write', BigInt(index + 1) * 16n, index, 8, requester),
    ]);
    await run([...TABLES, { op: 'store', address: frame(0) + 32n, words: [frame(6) | 1n] }, ...others]);
    const data = await lastData([{ op: 'load', address: frame(10), bytes: 64 }]);
    for (const [index, position] of [1, 2, 3].entries()) {
      expect(data.slice(position * 16, position * 16 + 8)).toEqual(bytes(tokenBytes(position, index, 8)));
    }
  });

  it('shows refused requests in FSTS and FRCD, and in no memory', async () => {
    await ready();
    const seen = await values([
      ...TABLES,
      dma('write', 0x1234n, 0),
      ...takeFault(14),
      dma('read', 0x2008n, 0),
      ...takeFault(19),
      dma('read', 0x5000n, 1),
      ...takeFault(24),
    ]);
    const fault = (at: number) => ({
      pending: seen[at]! & 2n,
      page: seen[at + 1],
      source: seen[at + 2]! & 0xffffn,
      reason: Number((seen[at + 2]! >> 32n) & 0xffn),
      read: (seen[at + 2]! >> 62n) & 1n,
    });
    expect(fault(14)).toEqual({
      pending: 2n,
      page: 0x1000n,
      source: 0x100n,
      reason: FAULT.NO_WRITE_PERMISSION,
      read: 0n,
    });
    expect(fault(19)).toEqual({
      pending: 2n,
      page: 0x2000n,
      source: 0x100n,
      reason: FAULT.NO_READ_PERMISSION,
      read: 1n,
    });
    expect(fault(24)).toEqual({
      pending: 2n,
      page: 0x5000n,
      source: 0x100n,
      reason: FAULT.NO_READ_PERMISSION,
      read: 1n,
    });
    const untouched = await lastData([{ op: 'load', address: frame(11) + 0x230n, bytes: 8 }]);
    expect(untouched).toEqual(bytes(new Uint8Array(BigUint64Array.of(paintWord(frame(11) + 0x230n)).buffer)));
  });

  it('observes the same one by one as in a batch', async () => {
    const operations = [...TABLES, dma('write', 0x1000n, 0), ...takeFault(14), dma('write', 0x0n, 1)];
    await ready();
    const batch = await run(operations);
    await ready();
    expect(await run(operations, true)).toEqual(batch);
  });

  it('stores in order with register writes that are still under way', async () => {
    await ready();
    await run(TABLES);
    const [, , , , , , data] = await run([
      dma('write', 0x0n, 0),
      { op: 'store', address: frame(5), words: [frame(20) | 3n] },
      { op: 'regWrite', ...register('IOTLB', 8), value: (1n << 63n) | (1n << 60n) },
      { op: 'store', address: frame(20), words: [1n, 2n], repeat: 2 },
      { op: 'store', address: frame(20) + 32n, words: zeros(64) },
      dma('write', 0x8n, 1),
      { op: 'load', address: frame(20), bytes: 40 },
    ]);
    const stored = new Uint8Array(BigUint64Array.of(1n, 2n, 1n, 2n, 0n).buffer);
    stored.set(tokenBytes(0, 1, 8), 8);
    expect(data).toMatchObject({ data: stored });
  });

  it('loads what was stored while other operations were still under way', async () => {
    await ready();
    const loaded = await lastData([
      { op: 'regRead', ...register('GSTS', 4) },
      { op: 'store', address: frame(20), words: [0x1234n] },
      { op: 'load', address: frame(20), bytes: 8 },
    ]);
    expect(loaded).toEqual([0x34, 0x12, 0, 0, 0, 0, 0, 0]);
  });

  it('gives up a poll at its limit', async () => {
    await ready();
    const poll = { op: 'poll', ...register('GSTS', 4), mask: 1n, expect: 1n, limit: 37 } as const;
    expect(await run([poll])).toMatchObject([{ satisfied: false, reads: 37, value: 0xc000_0000n }]);
  });

  it('begins a reset scenario without translation, after one that left registers and configuration changed', async () => {
    await ready();
    await run([
      ...TABLES,
      { op: 'regWrite', ...register('IQA', 8), value: frame(30) },
      { op: 'configWrite', function: 0x100, offset: 4, size: 2, value: 0n },
    ]);
    expect(await target.begin('reset')).toBeUndefined();
    const seen = await values([
      { op: 'regRead', ...register('GSTS', 4) },
      { op: 'regRead', ...register('IQA', 8) },
      { op: 'configRead', function: 0x100, offset: 4, size: 2 },
      { op: 'configRead', function: 0x200, offset: 0, size: 4 },
    ]);
    expect(seen).toEqual([0n, 0n, 6n, 0x11e8_1234n]);
    const data = await lastData([dma('write', frame(3), 9, 8, 'edu3'), { op: 'load', address: frame(3), bytes: 8 }]);
    expect(data).toEqual(bytes(tokenBytes(3, 9, 8)));
  });

  it('begins ready again after a scenario that turned things on and off, and reset the machine', async () => {
    for (const operations of [
      [{ op: 'regWrite', ...register('GCMD', 4), value: 0n }],
      [{ op: 'regWrite', ...register('GCMD', 4), value: 0x8200_0000n }],
      [{ op: 'regWrite', ...register('GCMD', 4), value: 0x8400_0000n }],
      [dma('write', 0x1000n, 0)],
      [{ op: 'regWrite', ...register('FECTL', 4), value: 0n }],
      [{ op: 'regWrite', ...register('0xb8', 8), value: frame(9) }],
      [{ op: 'reset', scope: 'cold' }],
      [{ op: 'configWrite', function: 0x20, offset: 0x18, size: 4, value: 0n }],
    ] satisfies Operation[][]) {
      await ready();
      await run(operations);
      await ready();
      expect(
        await values([
          { op: 'regRead', ...register('GSTS', 4) },
          { op: 'regRead', ...register('FECTL', 4) },
          { op: 'regRead', ...register('IRTA', 8) },
          { op: 'regRead', ...register('FSTS', 4) },
        ]),
      ).toEqual([0xc000_0000n, 0x8000_0000n, 0n, 0n]);
    }
  });

  it('fetches late data also when the scenario left translation off or devices without bus mastering', async () => {
    for (const last of [
      { op: 'regWrite', ...register('GCMD', 4), value: 0n },
      { op: 'regWrite', ...register('GCMD', 4), value: 0x8400_0000n },
      { op: 'configWrite', function: 0x100, offset: 4, size: 2, value: 0n },
      { op: 'reset', scope: 'warm' },
    ] satisfies Operation[]) {
      await ready();
      await run([...TABLES, dma('write', 0x0n, 3, 16), dma('read', 0x4n, 2, 12), last]);
      const { late } = await target.finish();
      expect(late.map(({ at, data }) => [at, bytes(data)])).toEqual([[14, bytes(tokenBytes(0, 3, 16).slice(4))]]);
    }
  });

  it('sends messages', async () => {
    await ready();
    // With translation on and no context entry for the message's address, a write outside the interrupt range is refused.
    const seen = await values([
      { op: 'message', requester: 'edu3', address: 0x0123_4560n, data: 0x41n },
      ...takeFault(1),
    ]);
    expect(seen[3]! & 0xffffn).toBe(0x200n);
    expect(seen[2]).toBe(0x0123_4000n);
  });

  it('begins with zeros in memory outside the arena, whatever reached it before', async () => {
    await ready();
    await run([{ op: 'store', address: 0x0500_0000n, words: [7n] }]);
    for (const start of ['ready', 'reset'] as const) {
      expect(await target.begin(start)).toBeUndefined();
      const { observations } = await target.run([{ op: 'load', address: 0x0500_0000n, bytes: 8 }]);
      expect(observations).toMatchObject([{ data: new Uint8Array(8) }]);
      await run([{ op: 'store', address: 0x0500_0000n, words: [7n] }]);
    }
  });

  it('refuses by name what it cannot execute', async () => {
    await ready();
    await expect(target.run([{ op: 'eoi', controller: 'apic' }])).rejects.toThrow(/cannot execute "eoi"/);
    await ready();
    await expect(target.run([dma('write', 0n, 32)])).rejects.toThrow(/token 32/);
    await ready();
    await expect(target.run([{ op: 'load', address: 0xfee0_0000n, bytes: 8 }])).rejects.toThrow(/not RAM/);
  });

  it('offers 39 bits too', async () => {
    const narrow = createQemuTarget({ awBits: 39, properties: 'caching-mode=on' });
    try {
      const { implementation, components } = await narrow.describe();
      expect(implementation).toMatch(/aw-bits=39 caching-mode=on$/);
      const { registers, parameters } = components['iommu0']!;
      expect((registers['CAP']! >> 8n) & 0x1fn).toBe(2n);
      expect(registers['CAP']! & 0x80n, 'CM').toBe(0x80n);
      expect(parameters).toEqual({ hostAddressWidth: 39 });
      expect(await narrow.begin('ready')).toBeUndefined();
    } finally {
      await narrow.close();
    }
  });
});
