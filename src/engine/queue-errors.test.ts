import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { BAD_TYPE, CONTEXT_GLOBAL, DW, FAULT_EVENT, IQE, QueueMachine, SW } from './queue-testing.js';
import { CONTEXT, NO_RAM, ROOT } from './testing.js';

const { FSTS, FECTL, GSTS, IQA, IQERCD } = VTD_REGISTERS;
const IM = 0x8000_0000;
const IP = 0x4000_0000;

describe('queue errors', () => {
  test('a descriptor that cannot be read', () => {
    for (const base of [NO_RAM, 0xa_0000n, 1n << 44n, 1n << 63n]) {
      const machine = new QueueMachine();
      machine.write64(IQA.offset, base);
      machine.tail(16);
      expect([machine.head, machine.error]).toEqual([0, 2]);
    }
    const machine = new QueueMachine('48-1g', 1n);
    machine.write64(IQA.offset, (NO_RAM - 0x1000n) | 1n);
    for (let offset = 0n; offset < 0x1000n; offset += 16n) {
      machine.store(NO_RAM - 0x1000n + offset, CONTEXT_GLOBAL);
    }
    machine.tail(0x1020);
    expect([machine.head, machine.error]).toEqual([0x1000, 2]);
  });

  test('a tail outside the queue, or not at a descriptor', () => {
    const narrow = new QueueMachine();
    narrow.at(0, CONTEXT_GLOBAL);
    narrow.tail(0x1000);
    expect([narrow.head, narrow.error]).toEqual([0, 1]);
    const wide = new QueueMachine('57-1g', DW);
    wide.at(0, CONTEXT_GLOBAL);
    wide.tail(0x30);
    expect([wide.head, wide.error]).toEqual([0, 6]);
  });

  test('256-bit descriptors where there are none', () => {
    const machine = new QueueMachine('48-1g', DW);
    expect(machine.error).toBeUndefined();
    machine.tail(32);
    expect([machine.head, machine.error]).toEqual([0, 5]);
  });

  test.each([
    { mode: 0n, narrow: undefined, wide: undefined },
    { mode: 1n, narrow: 7, wide: 7 },
    { mode: 2n, narrow: 7, wide: 7 },
    { mode: 3n, narrow: 5, wide: undefined },
  ] as const)('latched mode $mode', ({ mode, narrow, wide }) => {
    for (const [attributes, width, error] of [
      [0n, 16, narrow],
      [DW, 32, wide],
    ] as const) {
      const machine = new QueueMachine('57-1g', attributes);
      machine.at(0, CONTEXT_GLOBAL);
      machine.at(width, CONTEXT_GLOBAL);
      machine.write64(VTD_REGISTERS.RTADDR.offset, ROOT | (mode << 10n));
      machine.tail(width);
      expect([machine.head, machine.error]).toEqual([width, undefined]);
      machine.command('SRTP');
      machine.tail(2 * width);
      expect([machine.head, machine.error]).toEqual([error === undefined ? 2 * width : width, error]);
    }
    const plain = new QueueMachine('48-1g');
    plain.at(0, CONTEXT_GLOBAL);
    plain.enable(ROOT | (mode << 10n));
    plain.tail(16);
    expect(plain.error).toBe(mode === 0n ? undefined : 7);
  });

  test('stop it at the first bad descriptor; cleared, it reads that one again', () => {
    const machine = new QueueMachine();
    machine.wait(0, SW, 1n);
    machine.at(16, BAD_TYPE);
    machine.wait(32, SW, 3n, 1n);
    machine.tail(48);
    expect([machine.head, machine.error, machine.statusOf(), machine.statusOf(1n)]).toEqual([16, 3, 1n, 0n]);
    machine.wait(16, SW, 2n);
    machine.wait(48, 0n);
    machine.tail(64);
    machine.write(FSTS.offset, 0);
    expect([machine.head, machine.error, machine.statusOf()]).toEqual([16, 3, 1n]);
    machine.write(FSTS.offset, IQE);
    expect([machine.head, machine.error]).toEqual([64, undefined]);
    expect([machine.statusOf(), machine.statusOf(1n)]).toEqual([2n, 3n]);
  });

  test('come again when nothing was mended, and differ when something else is wrong', () => {
    const machine = new QueueMachine();
    machine.at(0, BAD_TYPE);
    machine.tail(16);
    machine.write(FSTS.offset, IQE);
    expect(machine.error).toBe(3);
    machine.at(0, CONTEXT_GLOBAL | 0x100n);
    expect(machine.error).toBe(3);
    machine.write(FSTS.offset, IQE);
    expect([machine.head, machine.error]).toEqual([0, 4]);
    machine.tail(0);
    machine.write(FSTS.offset, IQE);
    expect([machine.head, machine.error]).toEqual([0, undefined]);
  });

  test('a mended tail starts the queue only once IQE is cleared', () => {
    const machine = new QueueMachine();
    machine.wait(0, SW, 1n);
    machine.tail(0x1000);
    machine.tail(16);
    expect([machine.head, machine.error, machine.statusOf()]).toEqual([0, 1, 0n]);
    machine.write(FSTS.offset, IQE);
    expect([machine.head, machine.error, machine.statusOf()]).toEqual([16, undefined, 1n]);
  });

  test('outlive a warm reset', () => {
    const machine = new QueueMachine();
    machine.at(0, BAD_TYPE);
    machine.tail(16);
    machine.unit.reset('warm');
    expect([machine.head, machine.error, machine.read32(GSTS.offset)]).toEqual([0, 3, 0]);
    machine.unit.reset('cold');
    expect([machine.error, machine.read32(IQERCD.offset)]).toEqual([undefined, 0]);
  });
});

describe('fault event of a queue error', () => {
  function broken() {
    const machine = new QueueMachine();
    machine.write(FECTL.offset, 0);
    machine.store(ROOT + 0x10n, CONTEXT | 1n);
    machine.enable();
    machine.at(0, BAD_TYPE);
    return machine;
  }

  test('is sent when IQE becomes 1, and again when it comes again', () => {
    const machine = broken();
    machine.tail(16);
    expect(machine.messages).toEqual([FAULT_EVENT]);
    machine.tail(32);
    expect(machine.messages).toHaveLength(1);
    machine.write(FSTS.offset, IQE);
    expect(machine.messages).toHaveLength(2);
  });

  test('is not sent while a fault is pending, nor that of a fault while IQE is', () => {
    const faultFirst = broken();
    faultFirst.translate(0x1000n);
    faultFirst.tail(16);
    expect(faultFirst.messages).toHaveLength(1);
    expect(faultFirst.read32(FSTS.offset)).toBe(0x12);
    const errorFirst = broken();
    errorFirst.tail(16);
    errorFirst.translate(0x1000n);
    expect(errorFirst.messages).toHaveLength(1);
    errorFirst.clearFault(0);
    errorFirst.translate(0x1000n);
    expect(errorFirst.messages).toHaveLength(1);
  });

  test('is held while masked, and gone once IQE and all else is cleared', () => {
    const machine = broken();
    machine.write(FECTL.offset, IM);
    machine.tail(16);
    machine.translate(0x1000n);
    expect(machine.read32(FECTL.offset)).toBe(IM + IP);
    machine.clearFault(0);
    expect(machine.read32(FECTL.offset)).toBe(IM + IP);
    machine.at(0, CONTEXT_GLOBAL);
    machine.write(FSTS.offset, IQE);
    expect(machine.read32(FECTL.offset)).toBe(IM);
    machine.write(FECTL.offset, 0);
    expect(machine.messages).toEqual([]);
  });
});
