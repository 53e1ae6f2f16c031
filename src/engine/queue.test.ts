import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { CONTEXT_GLOBAL, DW, FN, IOTLB_GLOBAL, IQE, QueueMachine, SW, WAIT } from './queue-testing.js';

const { FSTS, GSTS, IQA } = VTD_REGISTERS;
const QIES = 0x0400_0000;

describe('the queue', () => {
  test('does exactly what lies between head and tail, also with translation disabled', () => {
    const machine = new QueueMachine();
    for (let n = 0; n < 4; n++) {
      machine.wait(16 * n, SW, BigInt(n + 1), BigInt(n));
    }
    machine.tail(32);
    expect([machine.head, machine.error]).toEqual([32, undefined]);
    expect([0n, 1n, 2n, 3n].map((n) => machine.statusOf(n))).toEqual([1n, 2n, 0n, 0n]);
    machine.tail(32);
    expect(machine.statusOf(2n)).toBe(0n);
    machine.tail(64);
    expect([0n, 1n, 2n, 3n].map((n) => machine.statusOf(n))).toEqual([1n, 2n, 3n, 4n]);
    expect(machine.read32(GSTS.offset)).toBe(QIES);
  });

  test('does nothing while disabled; disabling it puts its head to 0', () => {
    const machine = new QueueMachine();
    machine.wait(0, SW, 1n);
    machine.wait(16, SW, 2n);
    machine.tail(16);
    machine.command('QIE', false);
    expect(machine.head).toBe(0);
    machine.store(machine.status, 0n);
    machine.tail(32);
    expect([machine.statusOf(), machine.head]).toEqual([0n, 0]);
    machine.command('QIE');
    expect([machine.statusOf(), machine.head]).toEqual([2n, 32]);
  });

  test.each([
    { attributes: 0n, size: 0x1000, width: 16, shape: '48-1g' },
    { attributes: 3n, size: 0x8000, width: 16, shape: '48-1g' },
    { attributes: 7n, size: 0x8_0000, width: 16, shape: '57-1g' },
    { attributes: DW, size: 0x1000, width: 32, shape: '57-1g' },
    { attributes: DW | 7n, size: 0x8_0000, width: 32, shape: '57-1g' },
  ] as const)('of $size bytes wraps at its end, $width bytes a descriptor', ({ attributes, size, width, shape }) => {
    const machine = new QueueMachine(shape, attributes);
    const count = size / width;
    for (let n = 0; n < count; n++) {
      machine.at(n * width, CONTEXT_GLOBAL, 0n, ...(width === 32 ? [0n, 0n] : []));
    }
    machine.wait(size - width, SW, 7n);
    machine.tail(size - width);
    expect([machine.head, machine.statusOf()]).toEqual([size - width, 0n]);
    machine.tail(0);
    expect([machine.head, machine.statusOf()]).toEqual([0, 7n]);
    machine.tail(size - width);
    machine.tail(3 * width);
    expect([machine.head, machine.error]).toEqual([3 * width, undefined]);
    if (size < 0x8_0000) {
      machine.tail(size);
      expect([machine.head, machine.error]).toEqual([3 * width, 1]);
    }
  });

  test('every valid descriptor passes', () => {
    const machine = new QueueMachine();
    const valid = [
      [CONTEXT_GLOBAL],
      [0xffff_0021n],
      [0x3_ffff_ffff_0031n],
      [IOTLB_GLOBAL],
      [0xffff_00e2n, -1n & ~0xfffn],
      [0xffff_0032n, (-1n & ~0xfffn) | 0x52n],
      [WAIT],
      [WAIT | FN],
    ];
    machine.at(0, ...valid.flatMap(([low = 0n, high = 0n]) => [low, high]));
    machine.tail(16 * valid.length);
    expect([machine.head, machine.error]).toEqual([16 * valid.length, undefined]);
  });

  test('a head left outside the queue or between descriptors comes back into it', () => {
    const machine = new QueueMachine('57-1g', 1n);
    machine.tail(0x1010);
    expect(machine.error).toBe(3);
    machine.write(FSTS.offset, IQE);
    for (let offset = 0; offset < 0x1010; offset += 16) {
      machine.at(offset, CONTEXT_GLOBAL);
    }
    machine.command('QIE', false);
    machine.command('QIE');
    machine.write(FSTS.offset, IQE);
    expect([machine.head, machine.error]).toEqual([0x1010, undefined]);
    machine.write64(IQA.offset, machine.queue | DW);
    machine.write(FSTS.offset, 0);
    expect([machine.head, machine.error]).toEqual([0x1010, undefined]);
    machine.at(0, WAIT | SW | (1n << 32n), machine.status, 0n, 0n);
    machine.tail(32);
    expect([machine.head, machine.error, machine.statusOf()]).toEqual([32, undefined, 1n]);
  });
});
