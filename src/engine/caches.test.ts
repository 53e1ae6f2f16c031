import { afterEach, describe, expect, test, vi } from 'vitest';
import { CacheInvalidation } from './cache-invalidation.js';
import { AFTER, BEFORE, CacheMachine, type Command, coversOf, KINDS, type Kind } from './cache-testing.js';

/** A kind's entry is cached, then changed; returns what requests show before and after a command. */
function changeAndInvalidate(kind: Kind, act: (machine: CacheMachine) => void) {
  const machine = new CacheMachine(kind.caches);
  const { change, request } = kind.prepare(machine);
  const first = request();
  change();
  const between = request();
  act(machine);
  return { first, between, after: request() };
}

const CASES = KINDS.flatMap((kind) =>
  coversOf(kind).map((command) => ({ kind, command, name: kind.name, granularity: command.granularity })),
);

afterEach(() => {
  vi.restoreAllMocks();
});

describe('an entry is used after it was changed, until an invalidation covers it', () => {
  test.each(CASES)('$name, $granularity, by register', ({ kind, command }) => {
    const shown = changeAndInvalidate(kind, (machine) => {
      expect(machine.byRegister(command)).toBe({ global: 1, domain: 2, device: 3, page: 3 }[command.granularity]);
    });
    expect(shown).toEqual({ first: BEFORE, between: BEFORE, after: AFTER });
  });

  test.each(CASES)('$name, $granularity, by the queue', ({ kind, command }) => {
    const shown = changeAndInvalidate(kind, (machine) => machine.byQueue(command));
    expect(shown).toEqual({ first: BEFORE, between: BEFORE, after: AFTER });
  });

  test.each(KINDS)('without the cache of $name the change is seen at once', (kind) => {
    const machine = new CacheMachine({});
    const { change, request } = kind.prepare(machine);
    expect(request()).toBe(BEFORE);
    change();
    expect(request()).toBe(AFTER);
  });
});

describe('each drop is one method', () => {
  const METHODS = { root: 'dropRoots', context: 'dropContexts', level: 'dropStructures', leaf: 'dropLeaves' } as const;

  test.each(CASES)('a unit that skips $name at $granularity keeps it', ({ kind, command }) => {
    const [sort, level] = kind.name.split(' ') as [keyof typeof METHODS, string | undefined];
    const methods = CacheInvalidation.prototype as unknown as Record<string, (...of: unknown[]) => void>;
    const original = methods[METHODS[sort]]!;
    const skipped = vi.spyOn(methods, METHODS[sort]).mockImplementation(function (this: unknown, ...given) {
      const cover = given.at(-1) as { readonly granularity: string };
      const meant = cover.granularity === command.granularity && (level === undefined || given[0] === Number(level));
      if (!meant) {
        original.apply(this, given);
      }
    });
    const shown = changeAndInvalidate(kind, (machine) => machine.byQueue(command));
    expect(skipped).toHaveBeenCalled();
    expect(shown).toEqual({ first: BEFORE, between: BEFORE, after: BEFORE });
  });
});

describe('what an invalidation does not cover stays', () => {
  const context = 'context';
  const iotlb = 'iotlb';

  function survives(name: string, command: Command): void {
    const kind = KINDS.find((each) => each.name === name)!;
    const shown = changeAndInvalidate(kind, (machine) => machine.byRegister(command));
    expect(shown.after, JSON.stringify({ ...command, address: undefined })).toBe(BEFORE);
  }

  test('root entries: anything but a global context invalidation', () => {
    survives('root', { cache: context, granularity: 'domain', domain: 7 });
    survives('root', { cache: context, granularity: 'device', domain: 7, sourceId: 0x110 });
    survives('root', { cache: iotlb, granularity: 'global' });
  });

  test('context entries: other domains, other devices, IOTLB commands', () => {
    survives('context', { cache: context, granularity: 'domain', domain: 8 });
    survives('context', { cache: context, granularity: 'device', domain: 8, sourceId: 0x110 });
    survives('context', { cache: context, granularity: 'device', domain: 7, sourceId: 0x111 });
    survives('context', { cache: iotlb, granularity: 'global' });
  });

  test.each(['level 5', 'level 4', 'level 3', 'level 2'])('%s: other domains, other pages, the hint', (name) => {
    const { address } = KINDS.find((kind) => kind.name === name)!;
    const beyond = 1n << BigInt(12 + 9 * (Number(name.at(-1)) - 1));
    survives(name, { cache: context, granularity: 'global' });
    survives(name, { cache: iotlb, granularity: 'domain', domain: 6 });
    survives(name, { cache: iotlb, granularity: 'page', domain: 6, address });
    survives(name, { cache: iotlb, granularity: 'page', domain: 7, address, hint: true });
    // Bit 56 is the highest of the address; going down from it stays inside the table.
    survives(name, { cache: iotlb, granularity: 'page', domain: 7, address: address - 0x1000n });
    if (name !== 'level 5') {
      survives(name, { cache: iotlb, granularity: 'page', domain: 7, address: address + beyond });
    }
  });

  test.each(['leaf 3', 'leaf 2', 'leaf 1'])('%s: other domains, other pages', (name) => {
    const { address } = KINDS.find((kind) => kind.name === name)!;
    const size = 1n << BigInt(12 + 9 * (Number(name.at(-1)) - 1));
    survives(name, { cache: context, granularity: 'global' });
    survives(name, { cache: iotlb, granularity: 'domain', domain: 6 });
    survives(name, { cache: iotlb, granularity: 'page', domain: 6, address });
    survives(name, { cache: iotlb, granularity: 'page', domain: 7, address: address + size });
    survives(name, { cache: iotlb, granularity: 'page', domain: 7, address: address - 0x1000n });
  });
});
