import { describe, expect, it } from 'vitest';
import { checkCapabilities } from './capabilities.js';
import { contextEntry } from './context-entry.js';
import { latched, memory, platform, unit } from './fixtures.js';
import type { Outcome } from './outcome.js';
import { translateRequest } from './request.js';
import { rootEntry } from './root-entry.js';
import { type Level, secondStageEntry } from './second-stage-entry.js';

const caps = unit();
const bit = (n: number): bigint => 1n << BigInt(n);
const LEGACY = { table: 0x1000n, mode: 0, ioPermissions: false };

/** Reasons that an outcome admits. */
const reasons = (outcomes: readonly Outcome[]): readonly number[] =>
  outcomes.flatMap((each) => (each.kind === 'blocked' ? each.conditions.map((one) => one.reason) : []));

describe('root entry (facts 3.2)', () => {
  it('faults Ah on exactly the reserved bits, when present', () => {
    const reserved = Array.from({ length: 128 }, (_, n) => n).filter(
      (n) => n !== 0 && rootEntry(bit(0) | bit(n), caps).kind === 'fault',
    );
    const expected = [...range(1, 11), ...range(46, 63), ...range(64, 127)];
    expect(reserved).toEqual(expected);
  });

  it('faults 1h when not present, whatever else is set', () => {
    expect(rootEntry((1n << 128n) - 2n, caps)).toMatchObject({
      kind: 'fault',
      condition: { reason: 1, qualified: false },
    });
  });
});

describe('context entry (facts 3.4)', () => {
  const good = bit(0) | (2n << 64n);

  it('faults Bh on exactly the reserved bits', () => {
    const reserved = Array.from({ length: 128 }, (_, n) => n).filter((n) => {
      const outcome = contextEntry(good | bit(n), caps);
      return outcome.kind === 'fault' && outcome.conditions.some((each) => each.reason === 0xb);
    });
    expect(reserved).toEqual([...range(4, 11), ...range(46, 63), 71, ...range(88, 127)]);
  });

  it('reserves domain-id bits above the ND width', () => {
    const narrow = unit({ ND: 2 });
    const outcome = contextEntry(good | bit(72 + 8), narrow);
    expect(outcome).toMatchObject({
      kind: 'fault',
      conditions: [{ reason: 0xb, causes: ['context-entry.DID[15:ND]'] }],
    });
    expect(contextEntry(good | bit(72 + 7), narrow).kind).toBe('second-stage');
  });

  it('takes AW from SAGAW: 39, 48, 57 bits for 1, 2, 3; anything else is 3h', () => {
    const levels = Array.from({ length: 8 }, (_, aw) => {
      const outcome = contextEntry(bit(0) | (BigInt(aw) << 64n), caps);
      return outcome.kind === 'second-stage' ? outcome.levels : 'fault';
    });
    expect(levels).toEqual(['fault', 3, 4, 5, 'fault', 'fault', 'fault', 'fault']);
    expect(contextEntry(bit(0) | (3n << 64n), unit({ SAGAW: 0b0110 })).kind).toBe('fault');
  });

  it('knows which translation types are valid', () => {
    const kind = (type: bigint, unitCaps = caps): string =>
      contextEntry(bit(0) | (type << 2n) | (3n << 64n), unitCaps).kind;
    expect([0n, 1n, 2n, 3n].map((type) => kind(type))).toEqual(['second-stage', 'fault', 'pass-through', 'fault']);
    expect(kind(2n, unit({}, { PT: 0 }))).toBe('fault');
    expect(kind(1n, unit({}, { DT: 1 }))).toBe('second-stage');
  });

  it('may refuse pass-through with a smaller width (N16)', () => {
    expect(contextEntry(bit(0) | (2n << 2n) | (3n << 64n), caps)).toMatchObject({ mayFault: [] });
    const smaller = contextEntry(bit(0) | (2n << 2n) | (1n << 64n), caps);
    expect(smaller.kind === 'pass-through' && smaller.mayFault.map((each) => each.reason)).toEqual([3, 0xb, 4]);
  });
});

describe('second-stage entry (facts 4.4)', () => {
  const reservedBits = (level: Level, base: bigint, unitCaps = caps): readonly number[] =>
    Array.from({ length: 64 }, (_, n) => n).filter(
      (n) => n > 1 && secondStageEntry(base | bit(n), level, unitCaps).kind === 'reserved',
    );

  it.each([
    [5, 3n, [7, 11, ...range(46, 51), 62]],
    [4, 3n, [7, 11, ...range(46, 51), 62]],
    [3, 3n, [11, ...range(46, 51), 62]],
    [2, 3n, [11, ...range(46, 51), 62]],
    [1, 3n, [11, ...range(46, 51), 62]],
    [3, 0x83n, [...range(11, 29), ...range(46, 51), 62]],
    [2, 0x83n, [...range(11, 20), ...range(46, 51), 62]],
  ] as const)('level %i, base %s: exactly these bits are reserved', (level, base, expected) => {
    expect(reservedBits(level, base)).toEqual(expected);
  });

  it('lets SNP be set in a leaf with SC=1, not in a table entry', () => {
    const snoop = unit({}, { SC: 1 });
    expect([1, 2].map((level) => secondStageEntry(3n | bit(11), level as Level, snoop).kind)).toEqual([
      'leaf',
      'reserved',
    ]);
  });

  it('refuses superpages that the unit does not have', () => {
    const none = unit({ SSLPS: 0 });
    expect([2, 3].map((level) => secondStageEntry(0x83n, level as Level, none).kind)).toEqual(['reserved', 'reserved']);
    expect([2, 3].map((level) => secondStageEntry(0x83n, level as Level, unit({ SSLPS: 1 })).kind)).toEqual([
      'leaf',
      'reserved',
    ]);
  });

  it('looks at nothing else when R=W=0', () => {
    expect(secondStageEntry(bit(62) | bit(11), 1, caps)).toEqual({ kind: 'not-present', garbage: true });
  });
});

describe('the flow of a request (facts 5.7)', () => {
  const tables = {
    '0x1010': 0x2001n,
    '0x2000': 0x3001n,
    '0x2008': 0x702n,
    '0x3000': 0x4003n,
    '0x4000': 0x5003n,
    '0x5000': 0x6003n,
    '0x6000': 0x9003n,
    '0x6008': 0xfee0_0003n,
  };
  const run = (
    words: Readonly<Record<string, bigint | null>>,
    address = 0n,
    access: 'read' | 'write' = 'write',
    bytes = 4,
  ): readonly Outcome[] =>
    translateRequest({ sourceId: 0x100, address, bytes, access }, latched(caps, LEGACY), {
      view: memory({ ...tables, ...words }),
      requesters: [0x100],
    });

  it('translates', () => {
    expect(run({}, 0x123n)).toMatchObject([{ kind: 'translated', address: 0x9123n }]);
  });

  it.each([
    ['root not present', { '0x1010': 0n }, [1]],
    ['root unreadable', { '0x1010': null }, [8]],
    ['root reserved', { '0x1010': 0x2003n }, [0xa]],
    ['context unreadable', { '0x2000': null }, [9]],
    ['context not present', { '0x2000': 0n }, [2]],
    ['context reserved', { '0x2000': 0x3011n }, [0xb]],
    ['translation type', { '0x2000': 0x300dn }, [3]],
    ['top unreadable', { '0x3000': null }, [3]],
    ['lower unreadable', { '0x5000': null }, [7]],
    ['not present', { '0x5000': 0n }, [5]],
    ['reserved', { '0x6000': 0x9003n | bit(62) }, [0xc]],
    ['no write permission', { '0x4000': 0x5001n }, [5]],
    ['early permission, or the reserved bit below (N10)', { '0x4000': 0x5001n, '0x6000': 0x9003n | bit(62) }, [0xc, 5]],
  ] as const)('%s', (_name, words, expected) => {
    expect(new Set(reasons(run(words)))).toEqual(new Set(expected));
  });

  it('blocks an output in FEEx with Eh, and 6h for a read without permission', () => {
    expect(reasons(run({}, 0x1000n))).toEqual([0xe]);
    expect(reasons(run({ '0x6000': 0x9002n }, 0n, 'read'))).toEqual([6]);
  });

  it('blocks an input above the width with 4h', () => {
    expect(run({}, bit(48) - 1n)[0]).toMatchObject({ kind: 'blocked', conditions: [{ reason: 5 }] });
    expect(reasons(run({}, bit(48)))).toEqual([4]);
  });

  it('takes a DWORD write to FEEx as an interrupt, and blocks the rest with 29h', () => {
    expect(run({}, 0xfee0_1000n)[0]?.kind).toBe('interrupt');
    expect(reasons(run({}, 0xfee0_1000n, 'write', 8))).toEqual([0x29]);
    expect(reasons(run({}, 0xfee0_1002n))).toEqual([0x29]);
    expect(reasons(run({}, 0xfeef_fff0n, 'read'))).toEqual([0x29]);
  });

  it('lets a zero-length read through with write permission alone where ZLR=1', () => {
    const zero = (leaf: bigint, zlr: number, address = 0n): readonly Outcome[] =>
      translateRequest({ sourceId: 0x100, address, bytes: 0, access: 'read' }, latched(unit({ ZLR: zlr }), LEGACY), {
        view: memory({ ...tables, '0x6000': leaf }),
        requesters: [0x100],
      });
    expect(zero(0x9002n, 1)).toMatchObject([
      {
        kind: 'translated',
        address: 0x9000n,
        clauses: ['VTD-ROOT-001', 'VTD-CTX-001', 'VTD-SS-001', 'VTD-SS-002', 'VTD-ZLR-001', 'VTD-SS-024'],
      },
    ]);
    expect(zero(0x9001n, 1)).toMatchObject([{ kind: 'translated' }]);
    expect(reasons(zero(0x9002n, 0))).toEqual([6]);
    expect(reasons(zero(0n, 1))).toEqual([6]);
    expect(reasons(zero(0x9002n | bit(62), 1))).toEqual([0xc]);
    expect(zero(0n, 0, 0xfee0_0001n)).toMatchObject([{ kind: 'translated', clauses: ['VTD-IAR-003'] }]);
  });

  it('takes FPD from an entry that is not present', () => {
    expect(run({ '0x2000': 2n })[0]).toMatchObject({ kind: 'blocked', faultProcessingDisabled: true });
  });

  it('faults 30h for a reserved table mode, before any entry is read', () => {
    const unread = (): never => {
      throw new Error('an entry was read');
    };
    const outcomes = translateRequest(
      { sourceId: 0x100, address: 0n, bytes: 4, access: 'read' },
      latched(caps, { ...LEGACY, mode: 2 }),
      { view: { now: 0, readings: unread, versions: unread }, requesters: [0x100] },
    );
    expect(reasons(outcomes)).toEqual([0x30]);
  });

  it('passes through up to the host address width', () => {
    const context = { '0x2000': 0x9n, '0x2008': 0x703n };
    expect(run(context, bit(46) - 16n)).toMatchObject([{ kind: 'translated', address: bit(46) - 16n }]);
    expect(reasons(run(context, bit(46)))).toEqual([4]);
  });
});

describe('a profile that promises what it cannot hold', () => {
  const component = (name: string, value: bigint, haw = 46): string | undefined =>
    checkCapabilities(
      {
        architecture: 'vtd',
        revision: '5.10',
        registers: { ...caps.raw, [name]: value },
        parameters: { hostAddressWidth: haw },
      },
      platform,
    );

  it('is named in one line', () => {
    expect(component('CAP', caps.raw.CAP)).toBeUndefined();
    expect(component('CAP', caps.raw.CAP & ~(0x1fn << 8n))).toMatch(/SAGAW/);
    expect(component('CAP', caps.raw.CAP & ~(0x3fn << 16n))).toMatch(/MGAW/);
    expect(component('CAP', (caps.raw.CAP & ~(0xfn << 34n)) | (2n << 34n))).toMatch(/SSLPS/);
    expect(component('CAP', caps.raw.CAP, 60)).toMatch(/hostAddressWidth is 60/);
  });
});

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, n) => from + n);
}
