import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../../spec/interface/judgement.js';
import { judge } from '../index.js';
import { queueProfile, read, rest, type Seen, write, written } from './fixtures.js';

const ones = 0xffff_ffff_ffff_ffffn;
const verdict = (profile: ReturnType<typeof queueProfile>, ...seen: readonly Seen[]): Judgement =>
  judge(written(profile, seen));
const good = { verdict: 'conformant', undecided: [] };
const everything = queueProfile({ PLMR: 1, PHMR: 1, RWBF: 1 }, { IR: 1, EIM: 1 });

describe('the register file', () => {
  it.each([
    ['FEDATA', 4, 0xffffn],
    ['FEADDR', 4, 0xffff_fffcn],
    ['FEUADDR', 4, 0xffff_ffffn],
    ['IEDATA', 4, 0xffffn],
    ['IEADDR', 4, 0xffff_fffcn],
    ['IEUADDR', 4, 0xffff_ffffn],
    ['RTADDR', 8, 0xffff_ffff_ffff_fc00n],
    ['IQA', 8, 0xffff_ffff_ffff_f807n],
    ['IQT', 8, 0x7_fff0n],
    ['IRTA', 8, 0xffff_ffff_ffff_f80fn],
    ['FECTL', 4, 0x8000_0000n],
    ['IECTL', 4, 0x8000_0000n],
    ['ICS', 4, 0n],
    ['FSTS', 4, 0n],
    ['IQH', 8, 0n],
    ['IQERCD', 8, 0n],
    ['GSTS', 4, 0xc000_0000n],
  ] as const)('%s keeps exactly the bits it has', (register, size, kept) => {
    const all = size === 4 ? 0xffff_ffffn : ones;
    const readBack = (value: bigint): Judgement =>
      verdict(everything, write(register, all, size), read(register, value, size));
    expect(readBack(kept)).toMatchObject(good);
    const address = ['RTADDR', 'IQA', 'IRTA'].includes(register);
    // SSIRWE, and DW where no wide descriptors exist.
    const optional = register === 'RTADDR' ? 7 : register === 'IQA' ? 11 : -1;
    for (let bit = 0; bit < size * 8; bit++) {
      // Address bits at or above the host address width may be missing.
      const meaningless = (register === 'IQERCD' && bit < 4) || (register === 'FSTS' && bit >= 8 && bit < 16);
      const free = (address && bit >= 46) || bit === optional || meaningless;
      expect([bit, readBack(kept ^ (1n << BigInt(bit))).verdict]).toEqual([bit, free ? 'conformant' : 'deviant']);
    }
  });

  it('reads 0 where the capability is absent, and drops writes', () => {
    const bare = queueProfile({}, { QI: 0 });
    for (const register of ['IQA', 'IQT', 'IQH', 'IQERCD', 'IRTA', 'PHMBASE']) {
      const write8 = write(register, ones, 8);
      expect(verdict(bare, write8, read(register, 0n, 8))).toMatchObject({ ...good, clauses: { 'VTD-REG-012': 2 } });
      expect(verdict(bare, write8, read(register, 1n << 12n, 8)).finding).toMatchObject({ clause: 'VTD-REG-012' });
    }
    expect(verdict(bare, read('IECTL', 0x8000_0000n)).finding).toMatchObject({ clause: 'VTD-REG-012' });
  });

  it('reads 0 at reserved offsets', () => {
    expect(verdict(everything, write('0x30', ones & 0xffff_ffffn), read('0x30', 0n))).toMatchObject(good);
    expect(verdict(everything, read('0x30', 1n)).finding).toMatchObject({ clause: 'VTD-REG-R01' });
    expect(verdict(everything, read('0x30', 1n, 8))).toMatchObject({ verdict: 'inconclusive' });
  });

  it('takes halves as well as wholes', () => {
    const half = (offset: number, value: bigint): Seen => [
      { op: 'regWrite', component: 'iommu0', register: 'IQA', offset, size: 4, value },
    ];
    const halves = [half(0, 0x1234_5007n), half(4, 0x12n)];
    expect(verdict(everything, ...halves, read('IQA', 0x12_1234_5007n, 8))).toMatchObject(good);
    expect(verdict(everything, ...halves, read('IQA', 0x1234_5007n, 8)).finding).toMatchObject({
      clause: 'VTD-REG-R02',
    });
    expect(verdict(everything, half(4, 0x12n), read('IQA', 0x12_0000_0000n, 8))).toMatchObject(good);
  });

  it('follows the commands, one at a time', () => {
    const on = 0xc000_0000n;
    const flush: readonly Seen[] = [write('GCMD', 0x8000_0000n | (1n << 27n)), read('GSTS', on | (1n << 27n))];
    expect(verdict(everything, ...flush, read('GSTS', on))).toMatchObject(good);
    expect(verdict(everything, ...flush, rest, read('GSTS', on | (1n << 27n))).verdict).toBe('deviant');
    const table: readonly Seen[] = [write('GCMD', 0x8000_0000n | (1n << 24n)), read('GSTS', on)];
    expect(verdict(everything, ...table, rest, read('GSTS', on | (1n << 24n)))).toMatchObject(good);
    expect(verdict(everything, ...table, rest, read('GSTS', on)).verdict).toBe('deviant');
    const two = write('GCMD', 0x8000_0000n | (1n << 24n) | (1n << 26n));
    expect(verdict(everything, two)).toMatchObject({ verdict: 'inconclusive', undecided: [{ kind: 'undefined' }] });
    expect(verdict(everything, write('IQT', 16n, 8), write('GCMD', 0x8400_0000n))).toMatchObject({
      undecided: [{ kind: 'undefined', reason: 'QIE set with IQT that is not 0 (facts 2.2)' }],
    });
  });

  it('lets PRS follow EPM', () => {
    const enable = [write('PMEN', 1n << 31n), read('PMEN', 1n << 31n), read('PMEN', (1n << 31n) | 1n)];
    expect(verdict(everything, ...enable)).toMatchObject(good);
    expect(verdict(everything, read('PMEN', 1n << 30n)).verdict).toBe('deviant');
  });
});
