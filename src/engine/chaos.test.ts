import { describe, expect, test } from 'vitest';
import { CCMD_FIELDS, VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { ACCESS } from './access.js';
import { AFTER, BEFORE, CacheMachine, type Command, SIBLING } from './cache-testing.js';
import { Chance } from './chance.js';
import { createUnit } from './create.js';
import { PhysicalMemory } from './memory.js';
import { shapeOf } from './shapes.js';
import { ROUTING_ID } from './testing.js';
import { RemappingUnit } from './unit.js';

const { CCMD, GCMD, GSTS, IQH, IQT } = VTD_REGISTERS;
const SEEDS = Array.from({ length: 60 }, (_, n) => n + 1);

/** A chaos machine with one table of four levels for two requesters of domain 7. */
function machineOf(seed: number) {
  const machine = new ChaosMachine(seed);
  const top = machine.table();
  machine.attach(top, { width: 2n });
  machine.attach(top, { routingId: SIBLING, width: 2n });
  machine.enable();
  machine.unit.settle();
  return { machine, top };
}

/** Settles after each command of the test machine, as software that waits. */
class ChaosMachine extends CacheMachine {
  constructor(seed: number, shape: 'chaos' | '48-1g' = 'chaos') {
    super({ root: 8, context: 8, structure: 8, iotlb: 32 }, shape, seed);
    this.unit.settle();
  }

  override command(...given: Parameters<CacheMachine['command']>): void {
    super.command(...given);
    this.unit.settle();
  }
}

/** Share of the seeds for which something happens. */
function share(happens: (seed: number) => boolean): number {
  return SEEDS.filter(happens).length / SEEDS.length;
}

test('equal seeds do the same, after a reset, too; other seeds do otherwise', () => {
  /** What a random sequence of changes, requests and commands shows. */
  function trace(machine: ChaosMachine): string {
    const steps = new Chance(5);
    const shown: (bigint | string | number)[] = [];
    const top = machine.table();
    machine.attach(top, { width: 2n });
    machine.enable();
    for (let n = 0; n < 200; n++) {
      const input = BigInt(steps.below(6)) << 12n;
      machine.map(top, 4, 1, input, (steps.once(2) ? BEFORE : AFTER) | 3n);
      shown.push(machine.reach(input), machine.read32(IQH.offset));
      if (steps.once(4)) {
        machine.byQueue({ cache: 'iotlb', granularity: 'domain', domain: 7 });
      }
    }
    return shown.join();
  }
  const machine = new ChaosMachine(1);
  machine.unit.reset('cold');
  const first = trace(machine);
  const again = new ChaosMachine(1);
  again.unit.reset('cold');
  expect(trace(again)).toBe(first);
  const other = new ChaosMachine(2);
  other.unit.reset('cold');
  expect(trace(other)).not.toBe(first);
});

test('a cold reset begins the same sequence again', () => {
  const memory = new PhysicalMemory([{ base: 0, bytes: 1 << 20 }]);
  const unit = createUnit({ shape: shapeOf('chaos'), memory, sendMessage: () => {} });
  const trace = () => {
    unit.reset('cold');
    return Array.from({ length: 100 }, (_, n) => {
      unit.registers.write(GCMD.offset, n % 2 === 0 ? 1 << 30 : 0);
      return unit.registers.read(GSTS.offset);
    }).join();
  };
  const first = trace();
  unit.registers.write(GCMD.offset, 1 << 30);
  expect(trace()).toBe(first);
  expect(new Set(first.split(',')).size).toBe(2);
});

describe('commands complete late, but they do', () => {
  test('a context command', () => {
    const reads = SEEDS.map((seed) => {
      const { machine } = machineOf(seed);
      machine.write64(CCMD.offset, 0xa000_0000_0000_0000n);
      let polls = 1;
      while (machine.read32(CCMD.offset + 4) >= 0x8000_0000 && polls < 100) {
        polls++;
      }
      expect((machine.read64(CCMD.offset) >> BigInt(CCMD_FIELDS.CAIG[1])) & 3n).toBe(1n);
      return polls;
    });
    expect(Math.max(...reads)).toBeGreaterThan(2);
    expect(Math.max(...reads)).toBeLessThan(30);
    expect(Math.min(...reads)).toBe(1);
  });

  test('a global command; until it does requests go the old way', () => {
    const late = share((seed) => {
      const { machine, top } = machineOf(seed);
      machine.map(top, 4, 1, 0n, BEFORE | 3n);
      machine.write(GCMD.offset, 0x0400_0000);
      const between = machine.unit.translate(ROUTING_ID, 0, 0, ACCESS.read);
      expect(between).toBe(0);
      const stale = machine.output === BEFORE;
      expect(machine.output).toBe(stale ? BEFORE : 0n);
      machine.unit.settle();
      expect(machine.reach(0n)).toBe(0n);
      expect(machine.read32(GSTS.offset) & 0x8000_0000).toBe(0);
      return stale;
    });
    expect(late).toBeGreaterThan(0.1);
    expect(late).toBeLessThan(0.9);
  });

  test('the head of the queue runs ahead of the work, and a wait does not', () => {
    const ahead = share((seed) => {
      const { machine, top } = machineOf(seed);
      const places = machine.map(top, 4, 1, 0n, BEFORE | 3n);
      machine.reach(0n);
      machine.store(places[1]!, AFTER | 3n);
      machine.at(0, 0x12n, 0n);
      machine.wait(16, 0x20n, 1n);
      machine.write(IQT.offset, 32);
      let ran = false;
      while (machine.statusOf() === 0n) {
        const atTail = machine.head === 32;
        ran ||= atTail && machine.statusOf() === 0n;
      }
      expect(machine.reach(0n)).toBe(AFTER);
      return ran;
    });
    expect(ahead).toBeGreaterThan(0.1);
  });
});

describe('caches', () => {
  /** Whether a request shows an old value after a change, given what is done before and after it. */
  function stale(seed: number, warm: (machine: ChaosMachine) => void, input: bigint, level = 1): boolean {
    const { machine, top } = machineOf(seed);
    const size = level > 1 ? 0x80n : 0n;
    const places = machine.map(top, 4, level, input, BEFORE | size | 3n);
    warm(machine);
    machine.store(places[level]!, AFTER | size | 3n);
    const shown = machine.reach(input);
    expect([BEFORE, AFTER]).toContain(shown);
    return shown === BEFORE;
  }

  test('entries vanish', () => {
    const kept = share((seed) => stale(seed, (machine) => machine.reach(0n), 0n));
    expect(kept).toBeGreaterThan(0.2);
    expect(kept).toBeLessThan(0.98);
  });

  test('translations are fetched that nobody asked for', () => {
    const fetched = share((seed) =>
      stale(
        seed,
        (machine) => {
          for (let n = 0; n < 40; n++) {
            machine.reach(0x1000n);
          }
        },
        0x3000n,
      ),
    );
    expect(fetched).toBeGreaterThan(0);
  });

  test('superpages are kept in pieces', () => {
    const partly = share((seed) => {
      const { machine, top } = machineOf(seed);
      const places = machine.map(top, 4, 2, 0n, BEFORE | 0x83n);
      const inputs = [0n, 0x5000n, 0x9000n];
      inputs.map((input) => machine.reach(input));
      machine.store(places[2]!, AFTER | 0x83n);
      const old = inputs.filter((input) => machine.reach(input) === BEFORE + input).length;
      return old > 0 && old < inputs.length;
    });
    expect(partly).toBeGreaterThan(0.2);
  });

  test('more is invalidated than asked, and the register says so', () => {
    const performed = SEEDS.map((seed) => {
      const { machine } = machineOf(seed);
      return machine.byRegister({ cache: 'iotlb', granularity: 'page', domain: 7, address: 0n });
    });
    expect([...new Set(performed)].sort()).toEqual([1, 2, 3]);
  });

  test('missing rights of a translation refuse the request, or the tables are asked', () => {
    const refused = share((seed) => {
      const { machine, top } = machineOf(seed);
      const places = machine.map(top, 4, 1, 0n, BEFORE | 1n);
      machine.reach(0n);
      machine.store(places[1]!, BEFORE | 3n);
      return machine.translate(0n, ACCESS.write) === 5;
    });
    expect(refused).toBeGreaterThan(0.1);
    expect(refused).toBeLessThan(0.9);
  });
});

test('a repeated fault of one requester may be dropped, never the first, and PFO stays 0', () => {
  const counts = SEEDS.map((seed) => {
    const { machine } = machineOf(seed);
    machine.reach(0x9000n);
    machine.reach(0xa000n);
    machine.reach(0xa000n, SIBLING);
    expect(machine.read32(VTD_REGISTERS.FSTS.offset) & 1).toBe(0);
    return Array.from({ length: 8 }, (_, n) => machine.faultRecord(n).high >> 63n).filter((f) => f === 1n).length;
  });
  expect([...new Set(counts)].sort()).toEqual([2, 3]);
});

describe('after complete invalidations every request goes where the tables say', () => {
  const GLOBAL: readonly Command[] = [
    { cache: 'context', granularity: 'global' },
    { cache: 'iotlb', granularity: 'global' },
  ];
  const NARROW: readonly Command[] = [
    ...[7, 8].flatMap((domain): readonly Command[] =>
      [ROUTING_ID, SIBLING].map((sourceId) => ({ cache: 'context', granularity: 'device', domain, sourceId })),
    ),
    { cache: 'iotlb', granularity: 'domain', domain: 7 },
    { cache: 'iotlb', granularity: 'domain', domain: 8 },
  ];

  test.each([
    ['chaos', 'global', GLOBAL],
    ['chaos', 'narrow', NARROW],
    ['48-1g', 'global', GLOBAL],
    ['48-1g', 'narrow', NARROW],
  ] as const)('shape %s, %s ones', (name, _, commands) => {
    const wrong: string[] = [];
    for (const seed of SEEDS.slice(0, 25)) {
      const steps = new Chance(seed);
      const machine = new ChaosMachine(seed, name);
      const cold = new RemappingUnit({
        shape: { ...shapeOf('48-1g'), caches: { root: 0, context: 0, structure: 0, iotlb: 0 } },
        memory: machine.memory,
        sendMessage: () => {},
      });
      const tops = [machine.table(), machine.table()];
      const both = [ROUTING_ID, SIBLING];
      for (const routingId of both) {
        machine.attach(tops[0]!, { routingId, width: 2n });
      }
      machine.enable();
      machine.unit.settle();
      cold.registers.write(VTD_REGISTERS.RTADDR.offset, 0x10_0000);
      cold.registers.write(GCMD.offset, 1 << 30);
      cold.registers.write(GCMD.offset, 1 << 31);
      for (let round = 0; round < 40; round++) {
        for (let n = 0; n < 6; n++) {
          const leaf = (BigInt(steps.below(256)) << 30n) | BigInt(steps.below(4));
          const level = 1 + steps.below(3);
          const input = BigInt(steps.below(8)) << BigInt(12 + 9 * (level - 1));
          changeEntry(machine, tops[steps.below(2)]!, level, input, leaf);
          machine.reach(BigInt(steps.below(8)) << BigInt(12 + 9 * steps.below(3)), both[steps.below(2)]!);
        }
        const routingId = both[steps.below(2)]!;
        const which = steps.below(2);
        machine.attach(tops[which]!, { routingId, domain: 7 + which, width: 2n });
        for (const command of commands) {
          machine.byQueue(command);
        }
        machine.unit.settle();
        for (let n = 0; n < 24; n++) {
          const input = BigInt(n % 8) << BigInt(12 + 9 * Math.trunc(n / 8));
          for (const one of both) {
            const expected = cold.translate(one, Number(input >> 32n), Number(BigInt.asIntN(32, input)), ACCESS.read);
            const shown = machine.reach(input, one);
            const where = (BigInt(cold.outHigh >>> 0) << 32n) | BigInt(cold.outLow >>> 0);
            if (shown !== (expected === 0 ? where : `fault ${expected}`)) {
              wrong.push(`seed ${seed}, round ${round}: ${input} leads to ${shown}`);
            }
          }
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  /** Writes a leaf of a level, with tables above it where there are none. */
  function changeEntry(machine: CacheMachine, top: bigint, level: number, input: bigint, leaf: bigint): void {
    let table = top;
    for (let n = 4; n > level; n--) {
      const place = table + ((input >> BigInt(12 + 9 * (n - 1))) & 511n) * 8n;
      if ((machine.word(place) & 0x83n) !== 3n) {
        machine.store(place, machine.table() | 3n);
      }
      table = machine.word(place) & ~0xfffn;
    }
    machine.store(table + ((input >> BigInt(12 + 9 * (level - 1))) & 511n) * 8n, leaf | (level > 1 ? 0x80n : 0n));
  }
});
