import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { SHAPE_NAMES, type ShapeName, shapeOf } from './shapes.js';
import { high, low, ROOT, shapeWith, TestMachine } from './testing.js';

const CCMD = VTD_REGISTERS.CCMD.offset;

/** Where IVA, IOTLB and the fault records begin, by shape that places them elsewhere. */
const places = (shape: ShapeName) => (shape === '39-2m' ? { iva: 0x500, frcd: 0x400 } : { iva: 0xf0, frcd: 0x220 });

/** Bits that software can set at all, by register. ICC and IVT are left out: the command clears them at once. */
function writableBits(name: ShapeName): Readonly<Record<string, bigint>> {
  const shape = shapeOf(name);
  const has = (register: bigint, bit: bigint) => (register >> bit) & 1n;
  const hostBits = (1n << BigInt(shape.hostAddressWidth)) - 1n;
  return {
    RTADDR: 0xffff_ffff_ffff_fc00n,
    CCMD: 0x6000_0003_ffff_ffffn,
    FECTL: 0x8000_0000n,
    FEDATA: 0xffffn,
    FEADDR: 0xffff_fffcn,
    FEUADDR: 0xffff_ffffn,
    IVA: 0xffff_ffff_ffff_f07fn,
    IOTLB: 0x3003_ffff_0000_0000n,
    ...(has(shape.ecap, 1n) && {
      IQT: 0x7_fff0n,
      IQA: 0xffff_ffff_ffff_f807n,
      IECTL: 0x8000_0000n,
      IEDATA: 0xffffn,
      IEADDR: 0xffff_fffcn,
      IEUADDR: 0xffff_ffffn,
    }),
    ...(has(shape.ecap, 3n) && { IRTA: has(shape.ecap, 4n) ? 0xffff_ffff_ffff_f80fn : 0xffff_ffff_ffff_f00fn }),
    ...((has(shape.cap, 5n) || has(shape.cap, 6n)) && { PMEN: 0x8000_0000n }),
    ...(has(shape.cap, 5n) && { PLMBASE: 0xffff_0000n, PLMLIMIT: 0xffff_0000n }),
    ...(has(shape.cap, 6n) && { PHMBASE: hostBits & ~0x1_ffffn, PHMLIMIT: hostBits & ~0x1_ffffn }),
  };
}

/** Every named register of a shape. */
function registersOf(name: ShapeName): readonly { name: string; offset: number; bytes: number }[] {
  const { iva, frcd } = places(name);
  const records = Number((shapeOf(name).cap >> 40n) & 0xffn) + 1;
  return [
    ...Object.entries(VTD_REGISTERS).map(([register, place]) => ({ name: register, ...place })),
    { name: 'IVA', offset: iva, bytes: 8 },
    { name: 'IOTLB', offset: iva + 8, bytes: 8 },
    ...Array.from({ length: 2 * records }, (_, n) => ({ name: 'FRCD', offset: frcd + 8 * n, bytes: 8 })),
  ];
}

function snapshot({ unit }: TestMachine): Int32Array {
  return Int32Array.from({ length: unit.registers.bytes / 4 }, (_, n) => unit.registers.read(n * 4));
}

/** Offsets of the 32-bit pieces that differ. */
function changes(before: Int32Array, after: Int32Array): number[] {
  return [...after.keys()].filter((n) => before[n] !== after[n]).map((n) => n * 4);
}

describe('registers', () => {
  test.each(SHAPE_NAMES)('%s: each bit alone sets what it may, in its register alone', (shape) => {
    const machine = new TestMachine(shape);
    const writable = writableBits(shape);
    const before = snapshot(machine);
    for (const { name, offset, bytes } of registersOf(shape)) {
      const reset = bytes === 8 ? machine.read64(offset) : BigInt(machine.read32(offset));
      const mask = writable[name] ?? 0n;
      for (let bit = 0n; bit < BigInt(bytes * 8); bit++) {
        const value = 1n << bit;
        for (const order of bytes === 8
          ? [
              [0, 4],
              [4, 0],
            ]
          : [[0]]) {
          for (const at of order) {
            machine.write(offset + at, at === 0 ? low(value) : high(value));
          }
          const read = bytes === 8 ? machine.read64(offset) : BigInt(machine.read32(offset));
          const status = name === 'PMEN' && mask === value ? 1n : 0n;
          expect([name, bit, read]).toEqual([name, bit, (reset & ~mask) | (value & mask) | status]);
          const own = name === 'GCMD' ? [VTD_REGISTERS.GSTS.offset] : [offset, offset + 4];
          expect(changes(before, snapshot(machine)).filter((at) => !own.includes(at))).toEqual([]);
          machine.unit.reset('cold');
        }
      }
    }
  });

  test.each(SHAPE_NAMES)('%s: what was set is cleared by writing 0, in either order', (shape) => {
    const machine = new TestMachine(shape);
    for (const { name, offset, bytes } of registersOf(shape)) {
      const mask = writableBits(shape)[name];
      if (mask === undefined) {
        continue;
      }
      for (const order of bytes === 8
        ? [
            [0, 4],
            [4, 0],
          ]
        : [[0]]) {
        machine.write64(offset, 0n);
        for (const at of order) {
          machine.write(offset + at, at === 0 ? low(mask) : high(mask));
        }
        expect((bytes === 8 ? machine.read64(offset) : BigInt(machine.read32(offset))) & mask).toBe(mask);
        for (const at of order) {
          machine.write(offset + at, 0);
        }
        expect(bytes === 8 ? machine.read64(offset) : BigInt(machine.read32(offset))).toBe(0n);
      }
      machine.unit.reset('cold');
    }
  });

  test.each(SHAPE_NAMES)('%s: reset values', (shape) => {
    const machine = new TestMachine(shape);
    const given = [0, 8, 0xc, 0x10, 0x14];
    const { FECTL, IECTL } = VTD_REGISTERS;
    const masked: number[] = [FECTL.offset, ...((shapeOf(shape).ecap >> 1n) & 1n ? [IECTL.offset] : [])];
    for (let offset = 0; offset < machine.unit.registers.bytes; offset += 4) {
      if (!given.includes(offset)) {
        expect([offset, machine.read32(offset)]).toEqual([offset, masked.includes(offset) ? 0x8000_0000 : 0]);
      }
    }
  });

  test('FSTS keeps what is not recorded here, whatever is written', () => {
    for (const shape of SHAPE_NAMES) {
      const machine = new TestMachine(shape);
      machine.unit.registers.set(VTD_REGISTERS.FSTS.offset, 0xff73);
      machine.write(VTD_REGISTERS.FSTS.offset, 0);
      expect(machine.read32(VTD_REGISTERS.FSTS.offset)).toBe(0xff73);
      machine.write(VTD_REGISTERS.FSTS.offset, -1);
      const queue = (shapeOf(shape).ecap >> 1n) & 1n;
      expect(machine.read32(VTD_REGISTERS.FSTS.offset)).toBe(queue ? 0xff62 : 0xff72);
    }
  });

  test('IRTA exists where interrupt remapping does, EIME where EIM does', () => {
    const { offset } = VTD_REGISTERS.IRTA;
    for (const [ecap, mask] of [
      [{ IR: 1 }, 0xffff_ffff_ffff_f00fn],
      [{ IR: 1, EIM: 1 }, 0xffff_ffff_ffff_f80fn],
    ] as const) {
      const machine = new TestMachine(shapeWith('48-1g', ecap));
      machine.write64(offset, -1n);
      expect(machine.read64(offset)).toBe(mask);
    }
  });

  test('accesses that are not aligned, and those behind the end, do nothing', () => {
    const machine = new TestMachine('48-1g');
    for (const offset of [0x21, 0x22, -4, machine.unit.registers.bytes, 1e9]) {
      machine.unit.registers.write(offset, -1);
      expect(machine.unit.registers.read(offset)).toBe(0);
    }
    expect(machine.read64(0x20)).toBe(0n);
  });

  test('a power-good reset brings back what was written', () => {
    const machine = new TestMachine('57-1g');
    const before = snapshot(machine);
    for (let offset = 0; offset < machine.unit.registers.bytes; offset += 4) {
      machine.write(offset, -1);
    }
    expect(changes(before, snapshot(machine)).length).toBeGreaterThan(15);
    machine.unit.reset('cold');
    expect(changes(before, snapshot(machine))).toEqual([]);
  });

  test('a warm reset keeps the sticky registers only', () => {
    const machine = new TestMachine('57-1g');
    for (let offset = 0; offset < machine.unit.registers.bytes; offset += 4) {
      machine.unit.registers.set(offset, machine.unit.registers.get(offset) ^ 0x10);
    }
    const before = snapshot(new TestMachine('57-1g'));
    machine.unit.reset('warm');
    const { FSTS, ICS, IQERCD } = VTD_REGISTERS;
    const records = Array.from({ length: 8 * 4 }, (_, n) => 0x220 + 4 * n);
    expect(changes(before, snapshot(machine))).toEqual([
      FSTS.offset,
      ICS.offset,
      IQERCD.offset,
      IQERCD.offset + 4,
      ...records,
    ]);
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

  test('works while the queue is enabled, too', () => {
    const machine = new TestMachine('48-1g');
    machine.command('QIE');
    expect(context(machine, (1n << 63n) | (1n << 61n))).toBe(1n);
    expect(iotlb(machine, 2n)).toBe(2n);
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
