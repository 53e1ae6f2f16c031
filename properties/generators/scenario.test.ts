import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import { SHAPE_NAMES, shapeOf } from '../../src/engine/index.js';
import type { Property } from '../../src/harness/property.js';
import { engineProfile } from '../../src/targets/engine-profile.js';
import { properties as all } from '../index.js';
import { platformOf } from './capabilities.js';
import { type Allowances, Checker, faultsOf } from './checking/checker.js';
import { walk } from './checking/memory.js';
import { variants, withCapabilities } from './checking/profiles.js';
import { READ_WRITE } from './entries.js';
import { Stage } from './stage.js';

/** What the scenarios of some properties may do. */
const ALLOWED: Readonly<Record<string, Allowances>> = {
  'global-commands': { turnsOff: true },
  'fault-event': { queueErrors: true, turnsOff: true },
  'zero-length': { zeroLength: true },
  snoop: { noSnoop: true },
  'stale-window': { unflushed: true },
  'frame-reuse': { unflushed: true },
  'warm-cold': { unflushed: true },
  'invalidation-queue': { queueErrors: true, staysStopped: true },
};

/** Properties whose cases are operations; those of software under test are stimuli. */
const properties = all.filter((property) => {
  const profile = withCapabilities(engineProfile(shapeOf('57-1g')), { PLMR: 1, PHMR: 1 }, { QI: 1 });
  const [intents] = fc.sample(property.intents(profile), { seed: 1, numRuns: 1 });
  return property.build(profile, intents).scenario.level === 'operations';
});

test('nearly all properties are looked at here', () => {
  expect(all.length - properties.length).toBe(3);
});

function check(profile: Profile, property: Property, built: ReturnType<Property['build']>): void {
  const { scenario } = built;
  if (scenario.level !== 'operations') throw new Error('not a scenario of operations');
  expect(faultsOf(profile, scenario.start, scenario.operations, ALLOWED[property.id])).toEqual([]);
}

const CASES = 40;

/** Devices where a flipped or a cut-off address easily lands. */
function crowded(profile: Profile): Profile {
  const device = (base: bigint, bytes: bigint) => ({ kind: 'device', base, bytes }) as const;
  const devices = [
    device(0x0408_0000n, 0x8_0000n),
    device(0x0500_0000n, 0x100_0000n),
    device(0x8000_0000n, 0x7e00_0000n),
  ];
  return { ...profile, memory: [...profile.memory, ...devices] };
}

test.each(properties)('$id stays away from devices all around', (property) => {
  const profile = crowded(withCapabilities(engineProfile(shapeOf('57-1g')), { PLMR: 1, PHMR: 1 }, { QI: 1 }));
  let withheld = 0;
  const drawn = fc.sample(property.intents(profile), { seed: 12, numRuns: CASES });
  const sweep = property.sweep?.(profile);
  const swept = Array.from({ length: sweep?.size ?? 0 }, (_, index) => sweep!.at(index));
  for (const built of [...drawn.map((intents) => property.build(profile, intents)), ...swept]) {
    check(profile, property, built);
    withheld += built.labels['made:withheld'] ?? 0;
  }
  if (property.id === 'entry-sweep') expect(withheld).toBeGreaterThan(0);
});

describe.each(variants())('scenarios for %s', (_, profile) => {
  test.each(properties.filter((property) => property.notApplicable?.(profile) === undefined))('$id', (property) => {
    for (const intents of fc.sample(property.intents(profile), { seed: 11, numRuns: CASES })) {
      check(profile, property, property.build(profile, intents));
    }
    const sweep = property.sweep?.(profile);
    for (let index = 0; index < (sweep?.size ?? 0); index += 7) check(profile, property, sweep!.at(index));
  });
});

test.each(SHAPE_NAMES)('a planned page is where the stored tables say (%s)', (name) => {
  const profile = engineProfile(shapeOf(name));
  const platform = platformOf(profile);
  for (const width of platform.widths) {
    for (const level of platform.leafLevels) {
      for (const edge of [0, 1]) {
        const indices = [0x155, 0x0ff, 0x1fe, 0x003, 0x101];
        const stage = new Stage(platform, [{ edge, share: 0, indices }], 0);
        const { plan } = stage;
        const domain = plan.addDomain(width, 5n)!;
        const frame = plan.memory.dataFrame(4);
        const iova = stage.slotAddress(domain, 0, level);
        const mapping = plan.map(domain, iova, level, 3n, plan.pageOfData(frame, level))!;
        plan.attach(plan.seat(1), { domain: 0, faultDisable: false });
        plan.memory.zeroTables(stage.script);
        stage.latchRoot(plan.rootAddress);
        const { operations } = stage.script;
        const checker = new Checker(profile, 'ready', operations);
        operations.forEach((operation, at) => {
          checker.check(at, operation, operations);
        });
        const target = plan.memory.frameAddress(frame) + 0x123n;
        const from = mapping.iova + (target - mapping.out);
        expect(from >> BigInt(width.inputBits)).toBe(0n);
        if (edge === 0)
          expect((mapping.iova + (1n << (12n + 9n * BigInt(level - 1)))) >> BigInt(width.inputBits)).toBe(1n);
        expect(walk(profile, checker.memory, plan.rootAddress, plan.seat(1).requester.routingId, from)).toBe(target);
        expect(mapping.entries).toHaveLength(width.levels - level + 1);
      }
    }
  }
});

/** A scenario that maps, changes the mapping and sends: with a flush before the only request. */
function changed(profile: Profile, flushing?: 'status' | 'event'): readonly Operation[] {
  const stage = new Stage(platformOf(profile), [{ edge: 1, share: 0, indices: [1, 2, 3, 4, 5] }], 0, flushing);
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  const domain = plan.addDomain(plan.platform.widths[0]!, 5n)!;
  const mapping = plan.map(domain, 0x7000n, 1, READ_WRITE, plan.memory.frameAddress(50))!;
  const seat = plan.seat(0);
  plan.attach(seat, { domain: 0, faultDisable: false });
  stage.latchRoot(plan.rootAddress);
  plan.putEntry(mapping.entries.at(-1)!, plan.memory.frameAddress(51) | READ_WRITE);
  stage.send(seat, { address: mapping.iova, bytes: 8, write: false });
  stage.finish();
  return script.operations;
}

describe('the checker sees', () => {
  const plain = engineProfile(shapeOf('39-4k'));
  const queued = withCapabilities(plain, {}, { QI: 1 });
  const dmaAt = (operations: readonly Operation[]): number => operations.findIndex(({ op }) => op === 'dma');
  const without = (operations: readonly Operation[], drop: (operation: Operation, at: number) => boolean): string =>
    faultsOf(
      queued,
      'ready',
      operations.filter((operation, at) => !drop(operation, at)),
    ).join();

  test('a request without a flush through registers', () => {
    const operations = changed(plain);
    expect(faultsOf(plain, 'ready', operations)).toEqual([]);
    const first = dmaAt(operations);
    expect(without(operations, (_, at) => at >= first - 4 && at < first)).toContain('request without flush');
  });

  test('a flush through the queue that is not seen complete', () => {
    for (const flushing of ['status', 'event'] as const) {
      const operations = changed(queued, flushing);
      expect(faultsOf(queued, 'ready', operations)).toEqual([]);
      const first = dmaAt(operations);
      const last = (op: Operation['op']): number =>
        operations.findLastIndex((operation, at) => at < first && operation.op === op);
      const seen = flushing === 'status' ? last('load') : last('poll');
      expect(without(operations, (_, at) => at === seen)).toContain('request without flush');
      if (flushing === 'event') continue;
      expect(without(operations, (_, at) => at === last('settle'))).toContain('request without flush');
    }
  });

  test('a flush whose descriptors were not notified, or not stored', () => {
    const operations = changed(queued, 'status');
    const first = dmaAt(operations);
    const tail = operations.findLastIndex(
      (operation, at) => at < first && operation.op === 'regWrite' && operation.register === 'IQT',
    );
    expect(without(operations, (_, at) => at === tail)).toContain('request without flush');
    expect(without(operations, (_, at) => at === tail - 1)).toContain('queue stopped');
  });

  test('a queue that is turned on or off the wrong way', () => {
    const operations = changed(queued, 'status');
    const isWrite = (operation: Operation, register: string): boolean =>
      operation.op === 'regWrite' && operation.register === register;
    const on = operations.findIndex((operation) => isWrite(operation, 'IQA'));
    expect(faultsOf(queued, 'ready', [...operations.slice(0, on + 3), operations[on]!]).join()).toContain('IQA while');
    const command = { op: 'regWrite', component: 'iommu0', register: 'CCMD', size: 8, value: 0n } as const;
    expect(faultsOf(queued, 'ready', [...operations.slice(0, on + 3), command]).join()).toContain('through registers');
    expect(without(operations, (operation) => operation.op === 'poll' && operation.register === 'GSTS')).toContain(
      'before the last one was seen done',
    );
    const twice = operations.map((operation) =>
      operation.op === 'regWrite' && operation.register === 'GCMD' ? { ...operation, value: 0x4400_0000n } : operation,
    );
    expect(faultsOf(queued, 'ready', twice).join()).toContain('several commands at once');
  });

  test('accesses of the wrong width, and bits to be preserved', () => {
    const write = { op: 'regWrite', component: 'iommu0', value: 1n } as const;
    const faults = (operation: Operation): string => faultsOf(queued, 'ready', [operation]).join();
    expect(faults({ ...write, register: 'FECTL', size: 8 })).toContain('8 bytes');
    expect(faults({ ...write, register: 'IQA', size: 8, offset: 4 })).toContain('at 4 of IQA');
    expect(faults({ ...write, register: 'FECTL', size: 4 })).toContain('preserved bits');
    expect(faults({ ...write, register: 'IOTLB', size: 4 })).toContain('preserved bits');
    expect(faults({ ...write, register: 'IOTLB', size: 4, offset: 4 })).toBe('');
    expect(faults({ ...write, register: 'FEDATA', size: 4, value: 1n << 32n })).toContain('does not fit');
  });

  test('protected regions that change while they are protected', () => {
    const write = (register: string, value: bigint): Operation => {
      return { op: 'regWrite', component: 'iommu0', register, size: 4, value };
    };
    const poll = (expect: bigint): Operation => {
      return { op: 'poll', component: 'iommu0', register: 'PMEN', size: 4, mask: 1n, expect, limit: 9 };
    };
    const end = changed(plain);
    const faults = (...operations: readonly Operation[]): string =>
      faultsOf(plain, 'ready', [...operations, ...end]).join();
    const on = write('PMEN', 1n << 31n);
    const off = write('PMEN', 0n);
    expect(faults(write('PLMBASE', 0n), on, poll(1n), off, poll(0n), write('PLMBASE', 0n))).toBe('');
    expect(faults(on, poll(1n), write('PLMBASE', 0n))).toContain('PLMBASE while protected');
    expect(faults(on, poll(1n), off, write('PLMLIMIT', 0n), poll(0n))).toContain('PLMLIMIT while protected');
    expect(faults(on)).toContain('request while PRS changes');
    expect(faults(on, poll(0n))).toContain('wrong PRS');
  });

  test('messages that are no plain interrupt, and changes of one that may be under way', () => {
    const write = (register: string, value: bigint): Operation => {
      return { op: 'regWrite', component: 'iommu0', register, size: 4, value };
    };
    const good = [write('FEDATA', 0x41n), write('FEADDR', 0xfee0_0000n), write('FECTL', 0n)];
    const end = changed(queued);
    const faults = (...operations: readonly Operation[]): string =>
      faultsOf(queued, 'ready', [...operations, ...end]).join();
    expect(faults(...good)).toBe('');
    expect(faults(...good, write('FEDATA', 0x42n))).toContain('while not masked');
    expect(faults(good[1]!, good[2]!)).toContain('no plain interrupt');
    expect(faults(write('FEDATA', 0x20n), good[1]!, good[2]!)).toContain('no plain interrupt');
  });
});
