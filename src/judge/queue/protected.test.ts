import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../../spec/interface/judgement.js';
import { tokenBytes } from '../../../spec/layout/tokens.js';
import { chain, dma, frame } from '../fixtures.js';
import { judge } from '../index.js';
import { put, queueProfile, read, rest, type Seen, write, written } from './fixtures.js';

const profile = queueProfile({ PLMR: 1 });
const root: readonly Seen[] = chain().map((operation): Seen => {
  if (operation.op !== 'poll') return [operation];
  const value = { GSTS: 0xc000_0000n, CCMD: 1n << 59n, IOTLB: 1n << 57n }[operation.register] ?? 0n;
  return [operation, { value }];
});
const protect = (base: bigint, limit: bigint): readonly Seen[] => [
  write('PLMBASE', base),
  write('PLMLIMIT', limit),
  write('PMEN', 1n << 31n),
];
const status = read('PMEN', (1n << 31n) | 1n);
const target = (...words: readonly bigint[]): Seen => {
  const data = new Uint8Array(16);
  words.forEach((word, at) => {
    new DataView(data.buffer).setBigUint64(at * 8, word, true);
  });
  return [{ op: 'load', address: frame(8), bytes: 16 }, { data }];
};
const arrived: Seen = [{ op: 'load', address: frame(8), bytes: 16 }, { data: tokenBytes(0, 0, 16) }];
const run = (region: readonly Seen[], ...then: readonly Seen[]): Judgement =>
  judge(written(profile, [...root, put(frame(8), 1n, 2n), ...region, [dma('write', 0n)], ...then]));
const good = { verdict: 'conformant', undecided: [] };
const around = protect(0x400_0000n, 0x4ff_ffffn);

describe('protected memory', () => {
  it('is out of reach of requests, and nothing is recorded', () => {
    expect(run([...around, status], target(1n, 2n), read('FSTS', 0n))).toMatchObject({
      ...good,
      clauses: { 'VTD-PMR-001': 1 },
    });
    expect(run([...around, status], arrived).finding).toMatchObject({
      clause: 'VTD-PMR-001',
      kind: 'access-let-through',
    });
    expect(run([...around, status], target(1n, 2n), read('FSTS', 2n)).finding).toMatchObject({
      clause: 'VTD-PMR-001',
      kind: 'fault-recorded',
    });
  });

  it('may be in reach until PRS follows', () => {
    expect(run(around, arrived)).toMatchObject(good);
    expect(run(around, target(1n, 2n))).toMatchObject(good);
    expect(run([...around, rest], arrived).verdict).toBe('deviant');
  });

  it('is what lies between base and limit', () => {
    const elsewhere = [...protect(0x100_0000n, 0x1ff_ffffn), status];
    expect(run(elsewhere, arrived)).toMatchObject(good);
    expect(run(elsewhere, target(1n, 2n)).verdict).toBe('deviant');
    const disabled = [...protect(0x600_0000n, 0x1ff_ffffn), status];
    expect(run(disabled, arrived)).toMatchObject(good);
    expect(run(disabled, target(1n, 2n)).verdict).toBe('deviant');
  });

  it('has the alignment that reading back ones shows', () => {
    const ones = (readBack: bigint): readonly Seen[] =>
      ['PLMBASE', 'PLMLIMIT'].flatMap((register) => [
        write(register, 0xffff_ffffn),
        read(register, readBack),
        write(register, 0n),
      ]);
    // Frame 8 lies 32 KiB into the arena.
    const before = [...protect(0x400_0000n, 0x400_0000n), status];
    expect(run(before, arrived)).toMatchObject(good);
    expect(run(before, target(1n, 2n))).toMatchObject(good);
    const units64K = ones(0xffff_0000n);
    expect(run([...units64K, ...before], arrived).finding).toMatchObject({ kind: 'access-let-through' });
    expect(run([...units64K, ...before], target(1n, 2n))).toMatchObject(good);
    const units32K = ones(0xffff_8000n);
    expect(run([...units32K, ...before], arrived)).toMatchObject(good);
    expect(run([...units32K, ...before], target(1n, 2n)).verdict).toBe('deviant');
    const beside = [...units64K, ...protect(frame(16), frame(16)), status];
    expect(run(beside, arrived)).toMatchObject(good);
    expect(run(beside, target(1n, 2n), read('FSTS', 0n)).finding).toMatchObject({
      clause: 'VTD-PMR-001',
      discriminator: 'beside protected memory: translated→no record',
    });
    expect(run(ones(0xffff_4000n), arrived).finding).toMatchObject({ clause: 'VTD-PMR-R01' });
    expect(run(ones(0xffff_ffffn), arrived).finding).toMatchObject({ clause: 'VTD-REG-015' });
  });

  it('keeps what other values tell of the alignment', () => {
    // One bit is kept, the next lower one is not: N lies between them.
    const some = [write('PLMBASE', 0x1_8000n), read('PLMBASE', 0x1_0000n), write('PLMBASE', 0n)];
    expect(run([...some, write('PLMBASE', 0x1_0000n), read('PLMBASE', 0n)], arrived).finding).toMatchObject({
      clause: 'VTD-PMR-R01',
    });
    expect(run([...some, write('PLMBASE', 0x8000n), read('PLMBASE', 0n)], arrived)).toMatchObject(good);
  });

  it('is in reach between limit and base, and of the unit itself', () => {
    const disabled = [...protect(0x600_0000n, 0x1ff_ffffn), status];
    expect(run(disabled, arrived).clauses).toMatchObject({ 'VTD-PMR-002': 1 });
    expect(run(disabled, target(1n, 2n), read('FSTS', 0n)).finding).toMatchObject({
      clause: 'VTD-PMR-002',
      kind: 'access-refused',
    });
    const tables = [
      ...['PLMBASE', 'PLMLIMIT'].flatMap((register) => [
        write(register, 0xffff_ffffn),
        read(register, 0xffff_f000n),
        write(register, 0n),
      ]),
      ...protect(frame(0), frame(5)),
      status,
    ];
    expect(run(tables, arrived)).toMatchObject({ ...good, clauses: { 'VTD-PMR-003': 1 } });
    expect(run(tables, target(1n, 2n), read('FSTS', 0n)).finding).toMatchObject({
      clause: 'VTD-PMR-003',
      discriminator: 'tables in protected memory: translated→no record',
    });
  });

  it('must not be moved', () => {
    expect(run([...around, status, write('PLMBASE', 0n)])).toMatchObject({ verdict: 'inconclusive' });
  });
});
