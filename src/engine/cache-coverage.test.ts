import { describe, expect, test } from 'vitest';
import { AFTER, BEFORE, CacheMachine, SIBLING, STRANGER } from './cache-testing.js';
import { ROUTING_ID } from './testing.js';

const PAGE = 0x1000n;

/** Eight mapped pages from `first` on, cached and then moved; `reach` shows each. */
function pages(first: bigint) {
  const machine = new CacheMachine({ iotlb: 64 });
  const top = machine.table();
  machine.attach(top);
  machine.enable();
  const inputs = Array.from({ length: 8 }, (_, n) => first + BigInt(n) * PAGE);
  const places = inputs.map((input, n) => machine.map(top, 5, 1, input, (BEFORE + BigInt(n) * PAGE) | 3n)[1]!);
  for (const input of inputs) {
    machine.reach(input);
  }
  places.forEach((place, n) => {
    machine.store(place, (AFTER + BigInt(n) * PAGE) | 3n);
  });
  /** Numbers of the pages that are not stale. */
  const fresh = () => inputs.flatMap((input, n) => (machine.reach(input) === AFTER + BigInt(n) * PAGE ? [n] : []));
  return { machine, inputs, fresh };
}

describe('page-selective invalidation', () => {
  test.each([
    [0, 3, [3]],
    [1, 3, [2, 3]],
    [2, 3, [0, 1, 2, 3]],
    [2, 4, [4, 5, 6, 7]],
    [3, 5, [0, 1, 2, 3, 4, 5, 6, 7]],
  ])('AM=%i at page %i covers the aligned block', (addressMask, page, covered) => {
    for (const by of ['byRegister', 'byQueue'] as const) {
      const { machine, inputs, fresh } = pages(0x8000n);
      expect(fresh()).toEqual([]);
      machine[by]({ cache: 'iotlb', granularity: 'page', domain: 7, address: inputs[page]!, addressMask });
      expect(fresh()).toEqual(covered);
    }
  });

  test('AM above the 4 GiB boundary, and address bits above the width', () => {
    const first = 0x1_ffff_c000n;
    const { machine, fresh } = pages(first);
    expect(fresh()).toEqual([]);
    machine.byRegister({ cache: 'iotlb', granularity: 'page', domain: 7, address: first, addressMask: 3 });
    expect(fresh()).toEqual([0, 1, 2, 3]);
    machine.byRegister({
      cache: 'iotlb',
      granularity: 'page',
      domain: 7,
      address: 0x2_0000_0000n | (0x7fn << 57n),
      addressMask: 18,
    });
    expect(fresh()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('AM above MAMV is refused by the register', () => {
    const { machine, inputs, fresh } = pages(0n);
    const command = { cache: 'iotlb', granularity: 'page', domain: 7, address: inputs[0]!, addressMask: 19 } as const;
    expect(machine.byRegister(command)).toBe(0);
    expect(fresh()).toEqual([]);
  });

  test('the hint keeps no translation', () => {
    const { machine, inputs, fresh } = pages(0n);
    machine.byQueue({ cache: 'iotlb', granularity: 'page', domain: 7, address: inputs[2]!, hint: true });
    expect(fresh()).toEqual([2]);
  });

  test.each([2, 3])('one page of a superpage of level %i drops it as a whole', (level) => {
    const machine = new CacheMachine({ iotlb: 64 });
    const top = machine.table();
    machine.attach(top);
    machine.enable();
    const places = machine.map(top, 5, level, 0n, BEFORE | 0x83n);
    machine.reach(0n);
    machine.store(places[level]!, AFTER | 0x83n);
    expect(machine.reach(0x5678n)).toBe(BEFORE + 0x5678n);
    machine.byQueue({ cache: 'iotlb', granularity: 'page', domain: 7, address: 0x12_3000n });
    expect(machine.reach(0x5678n)).toBe(AFTER + 0x5678n);
  });

  test('a page of the range drops the pointers to its tables at every level', () => {
    const machine = new CacheMachine({ structure: 16 });
    const [top, other] = [machine.table(), machine.table()];
    machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.map(other, 5, 1, 0n, AFTER | 3n);
    machine.attach(top);
    machine.enable();
    machine.reach(0n);
    machine.store(top, machine.word(other));
    expect(machine.reach(0n)).toBe(BEFORE);
    machine.byQueue({ cache: 'iotlb', granularity: 'page', domain: 7, address: 0n });
    expect(machine.reach(0n)).toBe(AFTER);
  });
});

/** Requesters with their own tables, cached and then moved to other tables. */
function requesters(given: readonly { readonly routingId: number; readonly domain: number }[], name?: '48-2m') {
  const machine = new CacheMachine({ context: 64 }, name);
  const [levels, width] = name === undefined ? [5, 3n] : [4, 2n];
  const other = machine.table();
  machine.map(other, levels, 1, 0n, AFTER | 3n);
  for (const { routingId, domain } of given) {
    const top = machine.table();
    machine.map(top, levels, 1, 0n, BEFORE | 3n);
    machine.attach(top, { routingId, domain, width });
  }
  machine.enable();
  for (const { routingId, domain } of given) {
    machine.reach(0n, routingId);
    machine.attach(other, { routingId, domain, width });
  }
  const fresh = () =>
    given.filter(({ routingId }) => machine.reach(0n, routingId) === AFTER).map((one) => one.routingId);
  return { machine, fresh };
}

describe('context-cache invalidation', () => {
  const functions = Array.from({ length: 8 }, (_, n) => ({ routingId: ROUTING_ID + n, domain: 7 }));

  test.each([
    [0, 5, [5]],
    [1, 5, [1, 5]],
    [2, 5, [1, 3, 5, 7]],
    [3, 5, [0, 1, 2, 3, 4, 5, 6, 7]],
  ])('FM=%i at function %i', (functionMask, number, covered) => {
    for (const by of ['byRegister', 'byQueue'] as const) {
      const { machine, fresh } = requesters([...functions, { routingId: STRANGER, domain: 7 }]);
      expect(fresh()).toEqual([]);
      const sourceId = ROUTING_ID + number;
      machine[by]({ cache: 'context', granularity: 'device', domain: 7, sourceId, functionMask });
      expect(fresh()).toEqual(covered.map((n) => ROUTING_ID + n));
    }
  });

  test('a domain has all its requesters, and no others', () => {
    const { machine, fresh } = requesters([
      { routingId: ROUTING_ID, domain: 7 },
      { routingId: SIBLING, domain: 8 },
      { routingId: STRANGER, domain: 7 },
    ]);
    machine.byRegister({ cache: 'context', granularity: 'domain', domain: 7 });
    expect(fresh()).toEqual([ROUTING_ID, STRANGER]);
  });

  test('bits of a domain-id above the implemented width do not count', () => {
    const { machine, fresh } = requesters([{ routingId: ROUTING_ID, domain: 7 }], '48-2m');
    expect(fresh()).toEqual([]);
    machine.byQueue({ cache: 'context', granularity: 'domain', domain: 0x8 });
    expect(fresh()).toEqual([]);
    machine.byQueue({ cache: 'context', granularity: 'domain', domain: 0xfff7 });
    expect(fresh()).toEqual([ROUTING_ID]);
  });
});

test('bits of a domain-id above the implemented width do not count for translations either', () => {
  const machine = new CacheMachine({ iotlb: 16 }, '48-2m');
  const top = machine.table();
  const places = machine.map(top, 4, 1, 0n, BEFORE | 3n);
  machine.attach(top, { width: 2n });
  machine.enable();
  machine.reach(0n);
  machine.store(places[1]!, AFTER | 3n);
  expect(machine.reach(0n)).toBe(BEFORE);
  machine.byRegister({ cache: 'iotlb', granularity: 'domain', domain: 0xabc7 });
  expect(machine.reach(0n)).toBe(AFTER);
});

test('without page-selective invalidation the register does the domain', () => {
  const machine = new CacheMachine({ iotlb: 16 }, '48-2m');
  expect(machine.byRegister({ cache: 'iotlb', granularity: 'page', domain: 7, address: 0n })).toBe(2);
});
