import { describe, expect, test } from 'vitest';
import type { Step } from '../../spec/interface/scenario.js';
import { shapeOf } from '../../src/engine/index.js';
import { engineProfile } from '../../src/targets/engine-profile.js';
import { type BlockedRequest, reportingFault } from './fault-claim.js';

const one = engineProfile(shapeOf('48-1g'));
const eight = engineProfile(shapeOf('48-2m'));

const at = { begin: 0, complete: 0 };

function read(register: string, value: bigint, index = 0n, offset = 0): Step {
  return {
    operation: { op: 'regRead', component: 'iommu0', register, size: 8, index, offset },
    observation: { of: 'regRead', value, ...at },
  };
}

const status = (value: bigint): Step => read('FSTS', value);
const record = (index: bigint, source: bigint, page: bigint): Step[] => [
  read('FRCD', page << 12n, index, 0),
  read('FRCD', (1n << 63n) | (6n << 32n) | source, index, 8),
];
const free = (index: bigint): Step[] => [read('FRCD', 0n, index, 0), read('FRCD', 0n, index, 8)];
const request = (): Step => ({
  operation: { op: 'dma', requester: 'edu0', address: 0n, direction: 'read', bytes: 8, token: 0 },
  observation: { of: 'dma', ...at },
});
const clear = (): Step => ({
  operation: { op: 'regWrite', component: 'iommu0', register: 'FRCD', size: 4, value: 0x8000_0000n, offset: 12 },
  observation: { of: 'regWrite', ...at },
});

/** What is said of a round: FSTS clean, requests of these sources to pages 1, 2, …, then the steps. */
function told(profile: typeof one, sources: readonly number[], ...steps: readonly Step[]): string | undefined {
  const blocked = sources.map((source, n): BlockedRequest => ({ at: 1 + n, source, page: (n + 1).toString(16) }));
  const all = [status(0n), ...sources.map(request), ...steps];
  return reportingFault({ profile, start: 'ready', steps: all }, blocked)?.discriminator;
}

const rest = (from: number): Step[] => Array.from({ length: 8 - from }, (_, n) => free(BigInt(from + n))).flat();

describe('blocked requests', () => {
  test('that are reported as they were sent are no violation', () => {
    expect(told(one, [0x100], status(2n), ...record(0n, 0x100n, 1n))).toBeUndefined();
    const records = [...record(0n, 0x100n, 1n), ...record(1n, 0x101n, 2n), ...rest(2)];
    expect(told(eight, [0x100, 0x101], status(2n), ...records)).toBeUndefined();
    // The second of a requester may be left out, and what does not fit is told.
    expect(told(eight, [0x100, 0x100], status(2n), ...record(0n, 0x100n, 1n), ...rest(1))).toBeUndefined();
    expect(told(one, [0x100, 0x101], status(3n), ...record(0n, 0x100n, 1n))).toBeUndefined();
  });

  test('without a record are told', () => {
    expect(told(one, [0x100], status(0n), clear())).toBe('blocked request, no record');
    expect(told(one, [], status(0n), clear())).toBeUndefined();
    const records = [...record(0n, 0x100n, 1n), ...rest(1)];
    expect(told(eight, [0x100, 0x101], status(2n), ...records)).toBe('unreported with a free record');
  });

  test('reported twice, or never sent, are told', () => {
    const twice = [...record(0n, 0x100n, 1n), ...record(1n, 0x100n, 1n), ...rest(2)];
    expect(told(eight, [0x100], status(2n), ...twice)).toBe('request reported twice');
    expect(told(one, [0x100], status(2n), ...record(0n, 0x100n, 7n))).toBe('record of no new request');
    expect(told(one, [0x100], status(2n), ...record(0n, 0x101n, 1n))).toBe('record of no new request');
  });

  test('that did not fit must be told, and only those', () => {
    expect(told(one, [0x100, 0x101], status(2n), ...record(0n, 0x100n, 1n))).toBe('overflow not told');
    const records = [...record(0n, 0x100n, 1n), ...rest(1)];
    expect(told(eight, [0x100], status(3n), ...records)).toBe('overflow with a free record');
  });

  test('are not judged after a clear, until FSTS was seen clean', () => {
    const steps = [status(2n), clear(), ...record(0n, 0x100n, 1n), status(2n), ...record(0n, 0x555n, 1n)];
    expect(told(one, [0x100], ...steps)).toBeUndefined();
    expect(told(one, [0x100], status(2n), ...record(0n, 0x100n, 1n), clear(), status(0n))).toBeUndefined();
  });
});
