import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { SHAPE_NAMES, type ShapeName } from './shapes.js';
import { ROOT, TestMachine } from './testing.js';

const CCMD = VTD_REGISTERS.CCMD.offset;

/** What reads back after all ones were written to a clean register. */
const AFTER_ONES: Readonly<Partial<Record<keyof typeof VTD_REGISTERS, bigint>>> = {
  RTADDR: 0xffff_ffff_ffff_fc00n,
  FECTL: 0x8000_0000n,
  FEDATA: 0xffffn,
  FEADDR: 0xffff_fffcn,
  FEUADDR: 0xffff_ffffn,
};

describe('registers', () => {
  test.each(SHAPE_NAMES)('%s: what is read-only or absent keeps its value', (shape) => {
    for (const [name, { offset, bytes }] of Object.entries(VTD_REGISTERS)) {
      if (name === 'CCMD' || name === 'GCMD') {
        continue;
      }
      const machine = new TestMachine(shape);
      const read = () => (bytes === 8 ? machine.read64(offset) : BigInt(machine.read32(offset)));
      const before = read();
      machine.unit.registers.write(offset, -1);
      if (bytes === 8) {
        machine.unit.registers.write(offset + 4, -1);
      }
      expect([name, read()]).toEqual([name, AFTER_ONES[name as keyof typeof VTD_REGISTERS] ?? before]);
    }
  });

  test('reset values', () => {
    const machine = new TestMachine('48-1g');
    const given = [0, 8, 0xc, 0x10, 0x14, VTD_REGISTERS.FECTL.offset];
    for (let offset = 0; offset < machine.unit.registers.bytes; offset += 4) {
      if (!given.includes(offset)) {
        expect(machine.read32(offset)).toBe(0);
      }
    }
    expect(machine.read32(VTD_REGISTERS.FECTL.offset)).toBe(0x8000_0000);
  });

  test('accesses that are not aligned, and those behind the end, do nothing', () => {
    const machine = new TestMachine('48-1g');
    for (const offset of [0x21, 0x22, -4, machine.unit.registers.bytes, 1e9]) {
      machine.unit.registers.write(offset, -1);
      expect(machine.unit.registers.read(offset)).toBe(0);
    }
    expect(machine.read64(0x20)).toBe(0n);
  });

  test('a reset brings back what was written', () => {
    const machine = new TestMachine('48-1g');
    const all = () => Array.from({ length: machine.unit.registers.bytes / 4 }, (_, n) => machine.read32(n * 4));
    const before = all();
    for (let offset = 0; offset < machine.unit.registers.bytes; offset += 4) {
      machine.unit.registers.write(offset, -1);
    }
    expect(all()).not.toEqual(before);
    machine.unit.reset('warm');
    expect(all()).toEqual(before);
  });
});

describe('invalidation through registers', () => {
  /** Granularity bits that the command register shows when it is done. */
  function context(machine: TestMachine, command: bigint) {
    machine.write64(CCMD, command);
    const value = machine.read64(CCMD);
    expect(value >> 63n).toBe(0n);
    return (value >> 59n) & 3n;
  }

  function iotlb(machine: TestMachine, request: bigint, address = 0n) {
    const { invalidateOffset } = machine.unit.capabilities;
    machine.write64(invalidateOffset, address);
    machine.write64(invalidateOffset + 8, (1n << 63n) | (request << 60n));
    const value = machine.read64(invalidateOffset + 8);
    expect(value >> 63n).toBe(0n);
    return (value >> 57n) & 3n;
  }

  test('reports the granularity performed', () => {
    const machine = new TestMachine('48-1g');
    for (const granularity of [0n, 1n, 2n, 3n, 0n]) {
      expect(context(machine, (1n << 63n) | (granularity << 61n))).toBe(granularity);
      expect(iotlb(machine, granularity)).toBe(granularity);
    }
    expect(iotlb(machine, 3n, 18n)).toBe(3n);
    expect(iotlb(machine, 3n, 19n)).toBe(0n);
  });

  test('a page is invalidated with its domain where PSI=0', () => {
    const machine = new TestMachine('48-2m');
    expect(iotlb(machine, 3n, 63n)).toBe(2n);
  });

  test('is refused outside legacy mode', () => {
    const machine = new TestMachine('57-1g');
    machine.enable(ROOT | 0xc00n);
    expect(context(machine, (1n << 63n) | (1n << 61n))).toBe(0n);
    expect(iotlb(machine, 1n)).toBe(0n);
  });

  test('starts with the upper half, and not without ICC', () => {
    const machine = new TestMachine('48-1g');
    machine.unit.registers.write(CCMD, 0x1234_5678);
    machine.unit.registers.write(CCMD + 4, 0x4000_0000);
    expect(machine.read64(CCMD)).toBe(0x4000_0000_1234_5678n);
    machine.unit.registers.write(CCMD + 4, 0xa000_0000 | 0);
    expect(machine.read64(CCMD)).toBe(0x2800_0000_1234_5678n);
  });

  test.each(['39-2m', '48-1g'] as const satisfies readonly ShapeName[])('%s places IOTLB behind IVA', (shape) => {
    const machine = new TestMachine(shape);
    expect(machine.unit.capabilities.invalidateOffset).toBe(shape === '39-2m' ? 0x500 : 0xf0);
    expect(iotlb(machine, 1n)).toBe(1n);
  });
});
