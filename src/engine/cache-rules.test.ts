import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { ACCESS } from './access.js';
import { AFTER, BEFORE, CacheMachine, SIBLING } from './cache-testing.js';
import { NO_CACHES, type ShapeName, shapeOf } from './shapes.js';
import { CONTEXT, NO_RAM, ROOT, ROUTING_ID, TestMachine } from './testing.js';

const ALL = { root: 16, context: 16, structure: 16, iotlb: 16 };

/** A machine with all caches and one table of five levels. */
function machineOf(caches: Partial<typeof ALL> = ALL) {
  const machine = new CacheMachine(caches);
  const top = machine.table();
  machine.attach(top);
  machine.enable();
  return { machine, top };
}

describe('what is never cached', () => {
  test('entries that are not present: each becomes present without invalidation', () => {
    const machine = new CacheMachine(ALL);
    const top = machine.table();
    machine.enable();
    expect(machine.reach(0n)).toBe('fault 1');
    machine.store(ROOT + 0x10n, CONTEXT | 1n);
    expect(machine.reach(0n)).toBe('fault 2');
    machine.attach(top);
    let table = top;
    for (let level = 5; level > 0; level--) {
      expect(machine.reach(0n), `level ${level}`).toBe('fault 6');
      const next = level === 1 ? BEFORE : machine.table();
      machine.store(table, next | 3n);
      table = next;
    }
    expect(machine.reach(0n)).toBe(BEFORE);
  });

  test('entries with reserved bits, and those that lead to what cannot be read', () => {
    const { machine, top } = machineOf();
    const places = machine.map(top, 5, 1, 0n, BEFORE | 3n);
    // From the top down, as what is good above is cached on the way.
    for (let level = 5; level > 0; level--) {
      const place = places[level]!;
      const good = machine.word(place);
      const leaf = level === 1 ? 'fault 14' : 'fault 7';
      machine.store(place, (level === 1 ? 0xfee0_0000n : NO_RAM) | 3n);
      expect(machine.reach(0n), `level ${level}`).toBe(leaf);
      if (level > 3) {
        machine.store(place, good | 0x80n);
        expect(machine.reach(0n), `level ${level}`).toBe('fault 12');
      }
      machine.store(place, good);
    }
    expect(machine.reach(0n)).toBe(BEFORE);
  });

  test('a context entry whose table cannot be read, and one with a reserved type', () => {
    const { machine, top } = machineOf();
    machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.attach(NO_RAM);
    expect(machine.reach(0n)).toBe('fault 3');
    machine.attach(top, { low: 4n });
    expect(machine.reach(0n)).toBe('fault 3');
    machine.attach(top);
    expect(machine.reach(0n)).toBe(BEFORE);
  });

  test('a root entry whose context table cannot be read', () => {
    const machine = new CacheMachine(ALL);
    const top = machine.table();
    machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.attach(top);
    machine.store(ROOT + 0x10n, NO_RAM | 1n);
    machine.enable();
    expect(machine.reach(0n)).toBe('fault 9');
    machine.store(ROOT + 0x10n, CONTEXT | 1n);
    expect(machine.reach(0n)).toBe(BEFORE);
  });

  test('the part of a superpage that leads into the interrupt range', () => {
    const { machine, top } = machineOf();
    machine.map(top, 5, 3, 0n, 0xc000_0083n);
    expect(machine.reach(0x1000n)).toBe(0xc000_1000n);
    expect(machine.reach(0x3ee0_1000n)).toBe('fault 14');
    expect(machine.reach(0x3edf_f000n)).toBe(0xfedf_f000n);
    expect(machine.reach(0x3eef_f000n)).toBe('fault 14');
  });
});

describe('permissions of a cached translation', () => {
  test('too few refuse the request, which is recorded as usual; the rest is served', () => {
    const { machine, top } = machineOf({ iotlb: 16 });
    const places = machine.map(top, 5, 1, 0n, BEFORE | 1n);
    expect(machine.translate(0n, ACCESS.read)).toBe(0);
    machine.store(places[1]!, BEFORE | 3n);
    expect(machine.translate(0x123n, ACCESS.write)).toBe(5);
    expect(machine.takeFault()).toBe(5);
    expect(machine.translate(0n, ACCESS.read)).toBe(0);
    machine.byQueue({ cache: 'iotlb', granularity: 'page', domain: 7, address: 0n });
    expect(machine.translate(0n, ACCESS.write)).toBe(0);
  });

  test('permissions are those of the whole way, in the IOTLB and above a cached table', () => {
    for (const caches of [{ iotlb: 16 }, { structure: 16 }]) {
      const { machine, top } = machineOf(caches);
      const places = machine.map(top, 5, 1, 0n, BEFORE | 3n);
      machine.store(places[4]!, (machine.word(places[4]!) & ~3n) | 1n);
      expect(machine.translate(0n, ACCESS.read)).toBe(0);
      expect(machine.translate(0n, ACCESS.write)).toBe(5);
      // Stale rights, until they are invalidated.
      machine.store(places[4]!, machine.word(places[4]!) | 2n);
      expect(machine.translate(0n, ACCESS.write)).toBe(5);
      machine.byQueue({ cache: 'iotlb', granularity: 'global' });
      expect(machine.translate(0n, ACCESS.write)).toBe(0);
    }
  });

  test('FPD is that of the context through which the translation was made', () => {
    const { machine, top } = machineOf({ iotlb: 16 });
    machine.map(top, 5, 1, 0n, BEFORE | 1n);
    machine.attach(top, { low: 2n });
    expect(machine.translate(0n, ACCESS.read)).toBe(0);
    machine.attach(top);
    expect(machine.translate(0n, ACCESS.write)).toBe(5);
    expect(machine.takeFault()).toBeUndefined();
  });
});

describe('who shares what', () => {
  test('a translation is used for its own source-id only', () => {
    const { machine, top } = machineOf({ iotlb: 16 });
    const places = machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.attach(top, { routingId: SIBLING });
    machine.reach(0n);
    machine.store(places[1]!, AFTER | 3n);
    expect(machine.reach(0n)).toBe(BEFORE);
    expect(machine.reach(0n, SIBLING)).toBe(AFTER);
  });

  test('pointers to tables are used for all of a domain, and for no other', () => {
    const { machine, top } = machineOf({ structure: 16 });
    machine.map(top, 5, 1, 0n, BEFORE | 3n);
    const fresh = machine.table();
    machine.map(fresh, 5, 1, 0n, AFTER | 3n);
    machine.reach(0n);
    machine.attach(fresh, { routingId: SIBLING, domain: 7 });
    expect(machine.reach(0n, SIBLING)).toBe(BEFORE);
    machine.attach(fresh, { routingId: SIBLING, domain: 8 });
    expect(machine.reach(0n, SIBLING)).toBe(AFTER);
  });

  test('a context entry is cleared and invalidated; its translations stay until they are invalidated, too', () => {
    const { machine, top } = machineOf();
    machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.reach(0n);
    machine.store(CONTEXT + 0x100n, 0n, 0n);
    machine.byQueue({ cache: 'context', granularity: 'device', domain: 7, sourceId: ROUTING_ID });
    expect(machine.reach(0n)).toBe(BEFORE);
    machine.byQueue({ cache: 'iotlb', granularity: 'domain', domain: 7 });
    expect(machine.reach(0n)).toBe('fault 2');
  });

  test('moved to another domain, a requester does not get what is new in the old one', () => {
    const { machine, top } = machineOf();
    const fresh = machine.table();
    machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.map(fresh, 5, 1, 0n, AFTER | 3n);
    machine.reach(0n);
    machine.attach(fresh, { domain: 8 });
    machine.byQueue({ cache: 'context', granularity: 'device', domain: 7, sourceId: ROUTING_ID });
    machine.map(top, 5, 1, 0x5000n, BEFORE | 3n);
    expect(machine.reach(0x5000n)).toBe('fault 6');
  });

  test('pass-through is remembered with the context', () => {
    const { machine, top } = machineOf({ context: 16 });
    machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.attach(0n, { low: 8n });
    expect(machine.reach(0n)).toBe(0n);
    machine.attach(top);
    expect(machine.reach(0n)).toBe(0n);
    machine.byRegister({ cache: 'context', granularity: 'global' });
    expect(machine.reach(0n)).toBe(BEFORE);
  });
});

describe('without a command', () => {
  /** Caches everything, then lets RTADDR and SRTP lead elsewhere. */
  function newRoot(name: ShapeName, levels: number) {
    const machine = new CacheMachine(ALL, name);
    const [old, fresh, root, contexts] = [machine.table(), machine.table(), machine.table(), machine.table()];
    machine.map(old, levels, 1, 0n, BEFORE | 3n);
    machine.map(fresh, levels, 1, 0n, AFTER | 3n);
    const width = BigInt(levels - 2);
    machine.attach(old, { width });
    machine.store(root + 0x10n, contexts | 1n);
    machine.store(contexts + 0x100n, fresh | 1n, width | (7n << 8n));
    machine.enable();
    machine.reach(0n);
    machine.write64(VTD_REGISTERS.RTADDR.offset, root);
    expect(machine.reach(0n)).toBe(BEFORE);
    machine.command('SRTP');
    return machine;
  }

  test('SRTP drops everything where ESRTPS=1, and nothing elsewhere', () => {
    expect(newRoot('57-1g', 5).reach(0n)).toBe(AFTER);
    const machine = newRoot('48-2m', 4);
    expect(machine.reach(0n)).toBe(BEFORE);
    machine.byQueue({ cache: 'context', granularity: 'global' });
    expect(machine.reach(0n)).toBe(BEFORE);
    machine.byQueue({ cache: 'iotlb', granularity: 'global' });
    expect(machine.reach(0n)).toBe(AFTER);
  });

  test('with TE=0 nothing is looked up; what is cached stays', () => {
    const { machine, top } = machineOf({ iotlb: 16 });
    const places = machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.reach(0n);
    machine.store(places[1]!, AFTER | 3n);
    machine.command('TE', false);
    expect(machine.reach(0n)).toBe(0n);
    machine.command('TE');
    expect(machine.reach(0n)).toBe(BEFORE);
  });

  test.each(['warm', 'cold'] as const)('a %s reset empties the caches', (scope) => {
    const { machine, top } = machineOf();
    const places = machine.map(top, 5, 1, 0n, BEFORE | 3n);
    machine.reach(0n);
    machine.store(places[1]!, AFTER | 3n);
    machine.unit.reset(scope);
    machine.enable();
    expect(machine.reach(0n)).toBe(AFTER);
  });

  test('sizes are powers of two', () => {
    const shape = { ...shapeOf('48-1g'), caches: { ...NO_CACHES, iotlb: 3 } };
    expect(() => new TestMachine(shape)).toThrow('a cache of 3 entries: the size must be 0 or a power of two');
  });
});
