import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../../spec/interface/judgement.js';
import { judge } from '../index.js';
import {
  contextGlobal,
  enabled,
  FN,
  IF,
  iotlbGlobal,
  loadStatus,
  put,
  QUEUE,
  queueProfile,
  read,
  rest,
  type Seen,
  STATUS,
  SW,
  tail,
  wait,
  write,
  written,
} from './fixtures.js';

const profile = queueProfile();
const verdict = (...seen: readonly Seen[]): Judgement => judge(written(profile, seen));
const IQE = 0x10n;
const good = { verdict: 'conformant', undecided: [] };

describe('the queue', () => {
  it('may get anywhere between head and tail, and gets to the tail', () => {
    const flush = enabled(contextGlobal, iotlbGlobal, wait(SW, 7n));
    for (const head of [0n, 0x10n, 0x20n, 0x30n]) {
      expect(verdict(...flush, tail(3), read('IQH', head, 8))).toMatchObject(good);
    }
    expect(verdict(...flush, tail(3), rest, read('IQH', 0x30n, 8), loadStatus(7))).toMatchObject(good);
  });

  it('never passes the tail, goes back, or stops before it', () => {
    const flush = enabled(contextGlobal, iotlbGlobal, wait(SW, 7n));
    const headOf = (...seen: readonly Seen[]): unknown => verdict(...flush, ...seen).finding;
    const deviation = { clause: 'VTD-QI-R03', kind: 'value-differs' };
    expect(headOf(tail(2), read('IQH', 0x30n, 8))).toMatchObject(deviation);
    expect(headOf(tail(3), read('IQH', 0x20n, 8), read('IQH', 0x10n, 8))).toMatchObject(deviation);
    expect(headOf(tail(3), rest, read('IQH', 0x20n, 8))).toMatchObject(deviation);
  });

  it('does nothing while QIES=0', () => {
    const setup: readonly Seen[] = [put(QUEUE, ...wait(SW, 7n)), put(STATUS, 0n, 0n), write('IQA', QUEUE, 8)];
    expect(verdict(...setup, tail(1), rest, loadStatus(0), read('IQH', 0n, 8))).toMatchObject(good);
    expect(verdict(...setup, tail(1), rest, loadStatus(7)).finding).toMatchObject({ kind: 'memory-differs' });
  });

  it('wraps', () => {
    const many = Array.from({ length: 254 }, () => iotlbGlobal).concat([wait(SW, 1n), wait(SW, 2n)]);
    const first: readonly Seen[] = [...enabled(...many), tail(255), rest, read('IQH', 0xff0n, 8)];
    const second: readonly Seen[] = [put(QUEUE, ...iotlbGlobal), tail(1), rest, loadStatus(2)];
    expect(verdict(...first, ...second, read('IQH', 0x10n, 8))).toMatchObject(good);
    expect(verdict(...first, ...second, read('IQH', 0x1000n, 8)).finding).toMatchObject({ clause: 'VTD-QI-R03' });
  });

  it('may end exactly where it begins', () => {
    const many = Array.from({ length: 255 }, () => iotlbGlobal).concat([wait(SW, 2n)]);
    const round: readonly Seen[] = [...enabled(...many), tail(255), rest, tail(0), rest, loadStatus(2)];
    expect(verdict(...round, read('IQH', 0n, 8))).toMatchObject(good);
    expect(verdict(...round, read('IQH', 0xff0n, 8)).finding).toMatchObject({ clause: 'VTD-QI-R03' });
  });

  it('stands at 0 when it is disabled, and refuses to be disabled while work is open', () => {
    const used: readonly Seen[] = [...enabled(wait(SW, 7n)), tail(1), rest];
    const off: readonly Seen[] = [write('GCMD', 1n << 31n), read('GSTS', (1n << 31n) | (1n << 30n))];
    expect(verdict(...used, ...off, read('IQH', 0n, 8))).toMatchObject(good);
    expect(verdict(...used, ...off, read('IQH', 0x10n, 8)).finding).toMatchObject({ clause: 'VTD-GCMD-008' });
    expect(verdict(...enabled(wait(SW, 7n)), tail(1), write('GCMD', 1n << 31n))).toMatchObject({
      verdict: 'inconclusive',
      undecided: [{ kind: 'undefined' }],
    });
  });
});

describe('a wait', () => {
  it('writes its status at some time after the tail write, and by the time of a settle', () => {
    const one = enabled(wait(SW, 7n));
    expect(verdict(...one, tail(1), loadStatus(0), loadStatus(7), loadStatus(7))).toMatchObject({
      ...good,
      clauses: { 'VTD-WAIT-001': 1 },
    });
    expect(verdict(...one, tail(1), loadStatus(7), loadStatus(0)).finding).toMatchObject({ kind: 'memory-differs' });
    expect(verdict(...one, loadStatus(7)).finding).toMatchObject({ kind: 'memory-differs' });
    expect(verdict(...one, tail(1), rest, loadStatus(0)).finding).toMatchObject({
      clause: 'VTD-WAIT-001',
      discriminator: 'store of the unit→other bytes',
    });
  });

  it('holds later ones back only when it fences', () => {
    const two = (flags: bigint): readonly Seen[] => [
      ...enabled(wait(flags, 1n), wait(SW, 2n, STATUS + 4n)),
      tail(2),
      loadStatus(0, 2),
    ];
    expect(verdict(...two(SW))).toMatchObject(good);
    expect(verdict(...two(SW), rest, loadStatus(1, 2))).toMatchObject(good);
    expect(verdict(...two(SW | FN)).verdict).toBe('deviant');
  });

  it('may be overtaken at the same status address unless it fences', () => {
    const two = (flags: bigint, last: number): Judgement =>
      verdict(...enabled(wait(flags, 1n), wait(SW, 2n)), tail(2), rest, loadStatus(last));
    expect(two(SW, 2)).toMatchObject(good);
    expect(two(SW, 1)).toMatchObject(good);
    expect(two(SW | FN, 2)).toMatchObject(good);
    expect(two(SW | FN, 1).finding).toMatchObject({ clause: 'VTD-WAIT-001' });
  });

  it('races with a store to its status address', () => {
    const race = (last: number): Judgement =>
      verdict(...enabled(wait(SW, 7n)), tail(1), put(STATUS, 9n), rest, loadStatus(last));
    expect(race(7)).toMatchObject(good);
    expect(race(9)).toMatchObject(good);
    expect(race(0).verdict).toBe('deviant');
  });

  it('sets IWC and IP once; clearing IWC clears IP', () => {
    const one = enabled(wait(IF));
    expect(verdict(...one, tail(1), read('ICS', 0n), read('ICS', 1n), read('IECTL', 0xc000_0000n))).toMatchObject(good);
    expect(verdict(...one, tail(1), rest, read('ICS', 0n)).finding).toMatchObject({ clause: 'VTD-WAIT-002' });
    const cleared: readonly Seen[] = [...one, tail(1), rest, write('ICS', 1n), read('ICS', 0n)];
    expect(verdict(...cleared, read('IECTL', 0x8000_0000n))).toMatchObject(good);
    expect(verdict(...cleared, read('IECTL', 0xc000_0000n)).finding).toMatchObject({
      discriminator: 'IECTL.IP: 0x0→0x1',
    });
  });

  it('shows its status before its event', () => {
    const both = enabled(wait(SW | IF, 7n));
    expect(verdict(...both, tail(1), loadStatus(7), read('ICS', 0n), read('ICS', 1n))).toMatchObject(good);
    expect(verdict(...both, tail(1), read('ICS', 1n), loadStatus(0)).verdict).toBe('deviant');
  });

  it('may do nothing at all', () => {
    const idle = verdict(...enabled(wait(0n)), tail(1), rest, loadStatus(0), read('ICS', 0n), read('FSTS', 0n));
    expect(idle).toMatchObject({ ...good, clauses: { 'VTD-WAIT-007': 1 } });
  });
});

describe('a bad descriptor', () => {
  const bad = (first: readonly [bigint, bigint], code: bigint, ...more: readonly Seen[]): Judgement =>
    verdict(
      ...enabled(iotlbGlobal, first, wait(SW, 7n)),
      tail(3),
      rest,
      read('FSTS', IQE),
      read('IQH', 0x10n, 8),
      read('IQERCD', code, 8),
      loadStatus(0),
      ...more,
    );

  it.each([
    ['an undefined type', [0n, 0n], [3n]],
    ['high type bits', [5n | (1n << 9n), 0n], [3n]],
    ['a 256-bit type', [6n, 0n], [3n]],
    ['a Device-TLB descriptor without DT', [3n, 0n], [3n]],
    ['a reserved bit', [0x12n | (1n << 40n), 0n], [4n]],
    ['PD without PDS', [0xa5n, STATUS], [4n]],
    ['a reserved granularity', [0x02n, 0n], [3n, 4n]],
  ] as const)('%s stops the queue with its code', (_name, descriptor, codes) => {
    for (let code = 0n; code < 8n; code++) {
      const admitted = (codes as readonly bigint[]).includes(code);
      expect([code, bad(descriptor, code).verdict]).toEqual([code, admitted ? 'conformant' : 'deviant']);
    }
  });

  it('may be a page mask above MAMV, or be performed', () => {
    const wide: readonly [bigint, bigint] = [0x32n, 10n];
    expect(bad(wide, 4n)).toMatchObject(good);
    const performed: readonly Seen[] = [...enabled(wide, wait(SW, 7n)), tail(2), rest, loadStatus(7), read('FSTS', 0n)];
    expect(verdict(...performed)).toMatchObject(good);
  });

  it('is a finding named by the field when it is accepted', () => {
    const reserved = enabled([0x12n | (1n << 40n), 0n], wait(SW, 7n));
    const accepted = verdict(...reserved, tail(2), rest, read('FSTS', 0n), loadStatus(7), read('IQH', 0x20n, 8));
    expect(accepted.finding).toMatchObject({
      clause: 'VTD-QI-005',
      kind: 'descriptor-accepted',
      discriminator: 'iotlb_inv_dsc[63:32]: IQE→accepted',
    });
    expect(accepted.candidates).toEqual([]);
  });

  it('is read anew when IQE is cleared', () => {
    const mended: readonly Seen[] = [
      put(QUEUE + 16n, ...iotlbGlobal),
      write('FSTS', IQE),
      rest,
      read('FSTS', 0n),
      read('IQH', 0x30n, 8),
      loadStatus(7),
    ];
    expect(bad([0n, 0n], 3n, ...mended)).toMatchObject({ ...good, clauses: { 'VTD-QI-004': 2 } });
    expect(bad([0n, 0n], 3n, write('FSTS', IQE), rest, read('FSTS', IQE))).toMatchObject(good);
    expect(bad([0n, 0n], 3n, write('FSTS', IQE), rest, read('FSTS', 0n)).verdict).toBe('deviant');
  });

  it('is not passed by a tail write', () => {
    expect(bad([0n, 0n], 3n, tail(2), rest, read('IQH', 0x10n, 8), read('FSTS', IQE))).toMatchObject(good);
    expect(bad([0n, 0n], 3n, tail(2), rest, read('IQH', 0x20n, 8)).verdict).toBe('deviant');
  });

  it('raises the fault event', () => {
    const failed: readonly Seen[] = [...enabled([0n, 0n]), tail(1), rest];
    expect(verdict(...failed, read('FECTL', 0xc000_0000n))).toMatchObject(good);
    expect(verdict(...failed, read('FECTL', 0x8000_0000n)).finding).toMatchObject({
      discriminator: 'FECTL.IP: 0x1→0x0',
    });
    const cleared: readonly Seen[] = [...failed, write('IQT', 0n, 8), write('FSTS', IQE), rest, read('FSTS', 0n)];
    expect(verdict(...cleared, read('FECTL', 0x8000_0000n))).toMatchObject(good);
    expect(verdict(...cleared, read('FECTL', 0xc000_0000n)).finding).toMatchObject({ clause: 'VTD-FREC-016' });
  });
});

describe('a tail', () => {
  it('outside the queue is refused with IQEI 1', () => {
    const outside: readonly Seen[] = [...enabled(), tail(256), rest];
    expect(verdict(...outside, read('FSTS', IQE), read('IQERCD', 1n, 8), read('IQH', 0n, 8))).toMatchObject(good);
    expect(verdict(...outside, read('FSTS', 0n)).finding).toMatchObject({ clause: 'VTD-QI-009' });
  });

  it('with a wide queue needs the capability', () => {
    const wide: readonly Seen[] = [
      write('IQA', QUEUE | (1n << 11n), 8),
      write('GCMD', (1n << 31n) | (1n << 26n)),
      read('GSTS', (1n << 31n) | (1n << 30n) | (1n << 26n)),
    ];
    const error = (ecap: Readonly<Record<string, number>>, at: number, code: bigint): Judgement =>
      judge(written(queueProfile({}, ecap), [...wide, tail(at), rest, read('FSTS', IQE), read('IQERCD', code, 8)]));
    expect(error({}, 2, 5n)).toMatchObject(good);
    expect(error({ ADMS: 1 }, 1, 6n)).toMatchObject(good);
    expect(error({ ADMS: 1 }, 1, 5n).verdict).toBe('deviant');
  });
});
