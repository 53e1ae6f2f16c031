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

  it('must not be moved', () => {
    expect(run([...around, status, write('PLMBASE', 0n)])).toMatchObject({ verdict: 'inconclusive' });
  });
});
