import { describe, expect, it } from 'vitest';
import type { Judgement } from '../../../spec/interface/judgement.js';
import type { InterruptMessage } from '../../../spec/interface/observations.js';
import { tokenBytes } from '../../../spec/layout/tokens.js';
import { chain, dma, frame, store } from '../fixtures.js';
import { judge } from '../index.js';
import {
  contextGlobal,
  enabled,
  FN,
  IF,
  iotlbGlobal,
  loadStatus,
  queueProfile,
  read,
  rest,
  type Seen,
  SW,
  tail,
  wait,
  write,
  written,
} from './fixtures.js';

const profile = queueProfile();
const verdict = (...seen: readonly Seen[]): Judgement => judge(written(profile, seen, true));
const good = { verdict: 'conformant', undecided: [] };

const FAULT: InterruptMessage = { address: 0xfee0_1000n, data: 0x41n };
const DONE: InterruptMessage = { address: 0xfee0_2000n, data: 0x42n };
const programmed: readonly Seen[] = [
  write('FEADDR', 0xfee0_1000n),
  write('FEDATA', 0x41n),
  write('IEADDR', 0xfee0_2000n),
  write('IEDATA', 0x42n),
];
const unmask = (register: 'FECTL' | 'IECTL', ...messages: readonly InterruptMessage[]): Seen => [
  write(register, 0n)[0],
  { messages },
];
const mask = (register: 'FECTL' | 'IECTL'): Seen => write(register, 0x8000_0000n);
/** The root table of the ready state is empty: every request faults 1h. */
const fault = (token: number, ...messages: readonly InterruptMessage[]): Seen => [
  dma('write', 0n, token),
  { messages },
];
const with_ = ([operation, observed]: Seen, ...messages: readonly InterruptMessage[]): Seen => [
  operation,
  { ...observed, messages },
];
const clear = (index: bigint): Seen => [
  { op: 'regWrite', component: 'iommu0', register: 'FRCD', index, offset: 12, size: 4, value: 1n << 31n },
];
const status = (value: bigint): Seen => read('FSTS', value);

describe('the fault event', () => {
  it('is one message while a fault is pending', () => {
    const two = (...messages: readonly InterruptMessage[]): Judgement =>
      verdict(...programmed, unmask('FECTL'), fault(0, FAULT), fault(1, ...messages), rest);
    expect(two()).toMatchObject({ ...good, clauses: { 'VTD-FREC-013': 1 } });
    expect(two(FAULT).finding).toMatchObject({
      clause: 'VTD-FREC-014',
      kind: 'message-unexpected',
      discriminator: 'fault event: none→message',
    });
  });

  it('may be late, but a status read and a settle push it', () => {
    const late: readonly Seen[] = [...programmed, unmask('FECTL'), fault(0)];
    expect(verdict(...late, fault(1), with_(rest, FAULT))).toMatchObject(good);
    expect(verdict(...late, with_(status(2n), FAULT))).toMatchObject(good);
    expect(verdict(...late, status(2n)).finding).toMatchObject({ clause: 'VTD-FREC-013', kind: 'message-missing' });
    expect(verdict(...late, rest, status(2n)).finding).toMatchObject({
      clause: 'VTD-FREC-013',
      kind: 'message-missing',
    });
  });

  it('carries what FEADDR and FEDATA hold', () => {
    const other = verdict(...programmed, unmask('FECTL'), fault(0, { ...FAULT, data: 0x43n }), rest);
    expect(other.finding).toMatchObject({ kind: 'message-unexpected' });
  });

  it('is held while masked, sent when unmasked, and dropped with its condition', () => {
    const held: readonly Seen[] = [...programmed, fault(0), read('FECTL', 0xc000_0000n)];
    expect(verdict(...held, unmask('FECTL', FAULT), read('FECTL', 0n))).toMatchObject(good);
    expect(verdict(...held, unmask('FECTL'), read('FECTL', 0n)).finding).toMatchObject({ kind: 'message-missing' });
    const dropped: readonly Seen[] = [...held, clear(0n), read('FECTL', 0x8000_0000n), unmask('FECTL')];
    expect(verdict(...dropped, rest)).toMatchObject(good);
    expect(verdict(...held, clear(0n), unmask('FECTL', FAULT)).verdict).toBe('deviant');
  });

  it('comes again after everything was cleared, and not before', () => {
    const second = (last: readonly Seen[]): Judgement =>
      verdict(...programmed, unmask('FECTL'), fault(0, FAULT), status(2n), ...last, rest, status(0x102n));
    expect(second([clear(0n), fault(1, FAULT)])).toMatchObject(good);
    expect(second([clear(0n), fault(1)]).finding).toMatchObject({ kind: 'message-missing' });
    const kept: readonly Seen[] = [fault(1), clear(0n), fault(2), rest, status(2n)];
    expect(verdict(...programmed, unmask('FECTL'), fault(0, FAULT), status(2n), ...kept)).toMatchObject(good);
  });

  it('is shared with queue errors', () => {
    const broken = (...messages: readonly InterruptMessage[]): Judgement =>
      verdict(
        ...programmed,
        unmask('FECTL'),
        ...enabled([0n, 0n]),
        with_(tail(1), ...messages),
        with_(rest),
        fault(0),
        rest,
      );
    expect(broken(FAULT)).toMatchObject(good);
    expect(broken().finding).toMatchObject({ kind: 'message-missing' });
    expect(broken(FAULT, FAULT).finding).toMatchObject({ kind: 'message-unexpected' });
  });
});

describe('the completion event', () => {
  it('is one message while IWC is set', () => {
    const two = (...messages: readonly InterruptMessage[]): Judgement =>
      verdict(...programmed, unmask('IECTL'), ...enabled(wait(IF), wait(IF)), with_(tail(2), ...messages), rest);
    expect(two(DONE).verdict).toBe('conformant');
    expect(two(DONE, DONE).finding).toMatchObject({ clause: 'VTD-WAIT-003', kind: 'message-unexpected' });
    expect(two().finding).toMatchObject({ clause: 'VTD-WAIT-002', kind: 'message-missing' });
  });

  it('may come at any time after the tail write, and is pushed by ICS', () => {
    const one: readonly Seen[] = [...programmed, unmask('IECTL'), ...enabled(wait(IF)), tail(1)];
    expect(verdict(...one, with_(loadStatus(0), DONE), read('ICS', 1n))).toMatchObject(good);
    expect(verdict(...one, with_(read('ICS', 1n), DONE))).toMatchObject(good);
    expect(verdict(...one, read('ICS', 0n), with_(rest, DONE))).toMatchObject(good);
    expect(verdict(...one, read('ICS', 1n)).finding).toMatchObject({ kind: 'message-missing' });
    expect(verdict(...one, with_(read('ICS', 0n), DONE)).verdict).toBe('conformant');
  });

  it('is held while masked, and dropped with IWC', () => {
    const held: readonly Seen[] = [...programmed, ...enabled(wait(IF)), tail(1), rest, read('IECTL', 0xc000_0000n)];
    expect(verdict(...held, unmask('IECTL', DONE), read('IECTL', 0n))).toMatchObject(good);
    expect(verdict(...held, unmask('IECTL'), read('IECTL', 0n)).finding).toMatchObject({ kind: 'message-missing' });
    expect(verdict(...held, write('ICS', 1n), unmask('IECTL'), rest, read('IECTL', 0n))).toMatchObject(good);
    expect(verdict(...held, write('ICS', 1n), unmask('IECTL', DONE)).verdict).toBe('deviant');
    expect(verdict(...held, mask('IECTL'), read('IECTL', 0xc000_0000n))).toMatchObject(good);
  });
});

describe('invalidations that were queued', () => {
  const payload = tokenBytes(0, 0, 16);
  const root: readonly Seen[] = chain()
    .slice(0, -4)
    .map(
      (operation): Seen => (operation.op === 'poll' ? [operation, { value: (1n << 31n) | (1n << 30n) }] : [operation]),
    );
  const map: Seen = [store(frame(5), frame(9) | 3n)];
  const arrives = (at: number): readonly Seen[] => [
    [dma('write', 0n)],
    [{ op: 'load', address: frame(at), bytes: 16 }, { data: payload }],
  ];

  it('count from the moment a later wait was seen complete', () => {
    const flush = enabled(contextGlobal, iotlbGlobal, wait(SW, 7n));
    const seen = (at: number, ...between: readonly Seen[]): Judgement =>
      verdict(...root, ...flush, map, tail(3), ...between, ...arrives(at));
    for (const between of [loadStatus(7), rest]) {
      expect(seen(9, between)).toMatchObject({ ...good, clauses: { 'VTD-SS-024': 1 } });
      expect(seen(8, between).finding).toMatchObject({ clause: 'VTD-INV-001', kind: 'used-after-invalidation' });
    }
    for (const between of [loadStatus(0), read('IQH', 0x30n, 8)]) {
      expect(seen(9, between)).toMatchObject(good);
      expect(seen(8, between)).toMatchObject(good);
    }
  });

  /** A second chain of tables, at frame 6, that maps frame 10. */
  const other: readonly Seen[] = [
    [store(frame(6), frame(7) | 3n)],
    [store(frame(7), frame(11) | 3n)],
    [store(frame(11), frame(12) | 3n)],
    [store(frame(12), frame(10) | 3n)],
  ];

  it('must be in order, and before the wait', () => {
    const move: Seen = [store(frame(1), frame(6) | 1n, 2n | (7n << 8n))];
    const seen = (change: Seen, ...descriptors: readonly (readonly [bigint, bigint])[]): string =>
      verdict(
        ...root,
        ...other,
        ...enabled(...descriptors),
        change,
        tail(descriptors.length),
        loadStatus(7),
        ...arrives(8),
      ).verdict;
    expect(seen(map, iotlbGlobal, wait(SW, 7n))).toBe('deviant');
    expect(seen(move, contextGlobal, iotlbGlobal, wait(SW, 7n))).toBe('deviant');
    expect(seen(move, iotlbGlobal, contextGlobal, wait(SW, 7n))).toBe('conformant');
    expect(seen(move, wait(SW, 7n), contextGlobal, iotlbGlobal)).toBe('conformant');
    // A wait covers only what was queued since the wait before it, unless that one fences.
    expect(seen(move, contextGlobal, iotlbGlobal, wait(0n), wait(SW, 7n))).toBe('conformant');
    expect(seen(move, contextGlobal, iotlbGlobal, wait(FN), wait(SW, 7n))).toBe('deviant');
    expect(seen(move, contextGlobal, wait(0n), iotlbGlobal, wait(SW, 7n))).toBe('deviant');
  });

  it('exclude register commands', () => {
    const busy = verdict(...enabled(), write('CCMD', (1n << 63n) | (1n << 61n), 8));
    expect(busy).toMatchObject({ verdict: 'inconclusive', undecided: [{ kind: 'undefined' }] });
  });
});
