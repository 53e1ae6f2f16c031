import { describe, expect, test } from 'vitest';
import type { Operation } from '../../spec/interface/operations.js';
import { platformOf } from './capabilities.js';
import { Checker } from './checking/checker.js';
import { variants } from './checking/profiles.js';
import { joined } from './descriptors.js';
import { type QueuePoint, sweptQueuePoints } from './queue-points.js';
import { buildQueuePoint } from './queue-sweep.js';

const profiles = variants().filter(([, profile]) => platformOf(profile).queue);

type DescriptorPoint = Extract<QueuePoint, { kind: 'descriptor' }>;

function pointsOf(points: ReturnType<typeof sweptQueuePoints>): QueuePoint[] {
  return Array.from({ length: points.size }, (_, index) => points.at(index));
}

const isDescriptor = (point: QueuePoint): point is DescriptorPoint => point.kind === 'descriptor';

describe.each(profiles)('the queue sweep for %s', (_, profile) => {
  const platform = platformOf(profile);
  const points = sweptQueuePoints(platform);
  const all = pointsOf(points);
  const descriptors = all.filter(isDescriptor);

  test('has every bit of every descriptor type, but for those that store where they must not', () => {
    const groups = new Map<string, number[]>();
    for (const { name } of descriptors) {
      const [, base, bit] = /^(.*), bit (\d+)$/.exec(name) ?? [];
      if (base !== undefined) groups.set(base, [...(groups.get(base) ?? []), Number(bit)]);
    }
    expect(groups.size).toBe(platform.interruptRemapping ? 12 : 11);
    const every = Array.from({ length: 128 }, (_, bit) => bit);
    for (const [base, bits] of groups) {
      const missing = every.filter((bit) => !bits.includes(bit));
      expect(new Set(bits).size).toBe(bits.length);
      // A wait's address bits inside the implemented width, above the frame; a context descriptor that reads as a wait.
      const address = every.filter((bit) => bit >= 64 + 12 && bit < 64 + platform.hostBits);
      if (base === 'wait, status') expect(missing).toEqual(address);
      else if (base === 'context, domain' || base === 'context, device') expect(missing).toEqual([2]);
      else expect(missing).toEqual([]);
    }
  });

  test('has every type code without high bits, and every value of the small fields', () => {
    const types = new Set(descriptors.map(({ descriptor }) => joined(descriptor) & 0xe0fn));
    for (let code = 0n; code < 16n; code++) expect(types).toContain(code);
    expect(types.size).toBeGreaterThan(40);
    const values = (prefix: string): number =>
      new Set(descriptors.filter(({ name }) => new RegExp(`^${prefix} \\d+$`).test(name)).map(({ name }) => name)).size;
    expect(values('context G')).toBe(4);
    expect(values('context FM')).toBe(4);
    expect(values('IOTLB G')).toBe(4);
    expect(values('IOTLB AM')).toBe(64);
    expect(values('wait flags')).toBe(16);
    expect(values('interrupt IM')).toBe(platform.interruptRemapping ? 32 : 0);
    expect(all.filter(({ kind }) => kind === 'tail').length).toBe(16);
    expect(all.filter(({ kind }) => kind === 'wide').length).toBe(platform.abortMode ? 6 : 5);
    expect(() => points.at(points.size)).toThrow(`queue sweep point ${points.size}`);
  });

  test('puts the descriptor between good ones, and everything runs in the end', () => {
    for (let index = 0; index < points.size; index += 5) {
      const point = points.at(index);
      if (!isDescriptor(point)) continue;
      const { scenario } = buildQueuePoint(profile, point, index);
      if (scenario.level !== 'operations') throw new Error('not operations');
      const { operations, start } = scenario;
      const words = operations
        .filter((each): each is Extract<Operation, { op: 'store' }> => each.op === 'store' && each.repeat === undefined)
        .flatMap((store) => store.words);
      const place = words.findIndex((word, n) => word === point.descriptor[0] && words[n + 1] === point.descriptor[1]);
      expect(place).toBeGreaterThan(0);
      const checker = new Checker(profile, start, operations);
      operations.forEach((operation, at) => {
        checker.check(at, operation, operations);
      });
      expect(checker.faults).toEqual([]);
      expect(checker.queue.stopped).toBe(false);
      // Six descriptors when all were good; else the one that took the place of the bad one is among them.
      expect(checker.queue.done).toBe(6);
    }
  });
});
