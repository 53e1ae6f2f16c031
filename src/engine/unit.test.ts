import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { ACCESS } from './access.js';
import { SHAPE_NAMES, type ShapeName, shapeOf } from './shapes.js';
import { CONTEXT, NO_RAM, PAGE_BITS, ROOT, ROUTING_ID, TestMachine } from './testing.js';
import { OUTCOME } from './unit.js';

const PAGE = 0x20_0000n;
const INPUT = 0x12_3456_7abcn;

/** A machine with one read-write 4 KiB page at 2 MiB, at levels 3. */
function mapped(shape: ShapeName = '48-1g', input = 0x12_3000n) {
  const machine = new TestMachine(shape);
  const top = machine.table();
  machine.assign(top, 1);
  const places = machine.map(top, 3, 1, input, PAGE | 3n);
  machine.enable();
  return { machine, top, places };
}

describe('shapes', () => {
  test.each(SHAPE_NAMES)('%s shows its capabilities and translates', (name) => {
    const { machine } = mapped(name);
    const shape = shapeOf(name);
    expect(machine.read32(VTD_REGISTERS.VER.offset)).toBe(shape.ver);
    expect(machine.read64(VTD_REGISTERS.CAP.offset)).toBe(shape.cap);
    expect(machine.read64(VTD_REGISTERS.ECAP.offset)).toBe(shape.ecap);
    expect(((shape.cap >> 16n) & 63n) + 1n).toBeGreaterThanOrEqual(BigInt(shape.hostAddressWidth));
    expect(machine.translate(0x12_3abcn)).toBe(OUTCOME.translated);
    expect(machine.output).toBe(PAGE | 0xabcn);
  });
});

describe('second-stage translation', () => {
  const cases = [3, 4, 5].flatMap((levels) => [1, 2, 3].map((leaf) => ({ levels, leaf })));

  test.each(cases)('$levels levels, leaf at level $leaf', ({ levels, leaf }) => {
    const machine = new TestMachine('57-1g');
    const top = machine.table();
    machine.assign(top, levels - 2);
    const input = levels === 3 ? 0x72_3456_7abcn : levels === 4 ? 0xf2_f2_3456_7abcn : 0x01f2_f2f2_3456_7abcn;
    const bits = BigInt(PAGE_BITS[leaf]!);
    const page = 5n << bits;
    machine.map(top, levels, leaf, input, page | 3n | (leaf > 1 ? 0x80n : 0n));
    machine.enable();
    expect(machine.translate(input)).toBe(OUTCOME.translated);
    expect(machine.output).toBe(page | (input & ((1n << bits) - 1n)));
    expect(machine.translate(input ^ (1n << bits))).toBe(6);
    expect(machine.translate(input ^ (1n << BigInt(12 + 9 * levels - 1)), ACCESS.write)).toBe(5);
  });

  test('the entry of the page asked for decides, at each level', () => {
    const { machine, top } = mapped();
    machine.map(top, 3, 1, 0x12_4000n, 0x60_0000n | 3n);
    machine.map(top, 3, 1, 0x32_3000n, 0x60_1000n | 3n);
    machine.map(top, 3, 1, 0x4012_3000n, 0x60_2000n | 3n);
    const outputs = [0x12_3000n, 0x12_4000n, 0x32_3000n, 0x4012_3000n].map((input) => {
      expect(machine.translate(input)).toBe(OUTCOME.translated);
      return machine.output;
    });
    expect(outputs).toEqual([PAGE, 0x60_0000n, 0x60_1000n, 0x60_2000n]);
  });

  test.each([
    { shape: '39-4k', leaf: 2 },
    { shape: '39-4k', leaf: 3 },
    { shape: '39-2m', leaf: 3 },
  ] as const)('$shape has no page at level $leaf', ({ shape, leaf }) => {
    const machine = new TestMachine(shape);
    const top = machine.table();
    machine.assign(top, 1);
    machine.map(top, 3, leaf, 0x12_3000n, 0x83n);
    machine.enable();
    expect(machine.translate(0x12_3000n)).toBe(0xc);
  });

  test('permissions are those granted at every level', () => {
    for (const level of [1, 2, 3]) {
      const { machine, places } = mapped();
      const entry = machine.word(places[level]!) & ~3n;
      machine.store(places[level]!, entry | 1n);
      expect(machine.translate(0x12_3000n, ACCESS.read)).toBe(OUTCOME.translated);
      expect(machine.translate(0x12_3000n, ACCESS.write)).toBe(5);
      machine.store(places[level]!, entry | 2n);
      expect(machine.translate(0x12_3000n, ACCESS.read)).toBe(6);
      expect(machine.translate(0x12_3000n, ACCESS.write)).toBe(OUTCOME.translated);
    }
  });

  test('a zero-length read needs no read permission where ZLR=1, but some permission', () => {
    for (const [shape, outcome] of [
      ['48-1g', OUTCOME.translated],
      ['48-2m', 6],
    ] as const) {
      const { machine, places } = mapped(shape);
      machine.store(places[1]!, PAGE | 2n);
      expect(machine.translate(0x12_3000n, ACCESS.zeroLengthRead)).toBe(outcome);
      machine.store(places[2]!, (machine.word(places[2]!) & ~3n) | 1n);
      expect(machine.translate(0x12_3000n, ACCESS.zeroLengthRead)).toBe(6);
      machine.store(places[1]!, PAGE);
      expect(machine.translate(0x12_3000n, ACCESS.zeroLengthRead)).toBe(6);
    }
  });
});

describe('reserved bits, one after the other', () => {
  const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

  /** Bits 0 to 127 of an entry that, flipped, lead to a reason. */
  function bitsGiving(reason: number, shape: ShapeName, place: (m: ReturnType<typeof mapped>) => bigint, bits = 128) {
    return range(0, bits - 1).filter((bit) => {
      const made = mapped(shape);
      const at = place(made) + BigInt((bit >> 6) * 8);
      made.machine.store(at, made.machine.word(at) ^ (1n << BigInt(bit & 63)));
      return made.machine.translate(0x12_3000n) === reason;
    });
  }

  test('root entry', () => {
    expect(bitsGiving(0xa, '48-1g', () => ROOT + 0x10n)).toEqual([
      ...range(1, 11),
      ...range(39, 63),
      ...range(64, 127),
    ]);
    expect(bitsGiving(0xa, '57-1g', () => ROOT + 0x10n)).toEqual([...range(1, 11), ...range(52, 127)]);
  });

  test('context entry', () => {
    const place = () => CONTEXT + 0x100n;
    expect(bitsGiving(0xb, '48-1g', place)).toEqual([...range(4, 11), ...range(39, 63), 71, ...range(88, 127)]);
    expect(bitsGiving(0xb, '39-4k', place)).toEqual([...range(4, 11), ...range(39, 63), 71, ...range(80, 127)]);
    expect(bitsGiving(0xb, '48-2m', place)).toEqual([...range(4, 11), ...range(48, 63), 71, ...range(76, 127)]);
  });

  test('second-stage entries', () => {
    expect(bitsGiving(0xc, '48-1g', (m) => m.places[1]!, 64)).toEqual([11, ...range(39, 51), 62]);
    expect(bitsGiving(0xc, '57-1g', (m) => m.places[1]!, 64)).toEqual([62]);
    expect(bitsGiving(0xc, '39-4k', (m) => m.places[2]!, 64)).toEqual([7, 11, ...range(39, 51), 62]);
    expect(bitsGiving(0xc, '57-2m', (m) => m.places[3]!, 64)).toEqual([7, 11, 62]);
  });

  test.each([
    { leaf: 2, low: 12, high: 20 },
    { leaf: 3, low: 12, high: 29 },
  ])('leaf at level $leaf', ({ leaf, low, high }) => {
    const found = range(0, 63).filter((bit) => {
      const machine = new TestMachine('48-1g');
      const top = machine.table();
      machine.assign(top, 2);
      machine.map(top, 4, leaf, INPUT, 0x83n ^ (1n << BigInt(bit)));
      machine.enable();
      return machine.translate(INPUT) === 0xc;
    });
    expect(found).toEqual([11, ...range(low, high), ...range(39, 51), 62]);
  });

  test('PS at levels 4 and 5', () => {
    for (const level of [4, 5]) {
      const machine = new TestMachine('57-1g');
      const top = machine.table();
      machine.assign(top, 3);
      const places = machine.map(top, 5, 1, INPUT, PAGE | 3n);
      machine.enable();
      expect(machine.translate(INPUT)).toBe(OUTCOME.translated);
      machine.store(places[level]!, machine.word(places[level]!) | 0x80n);
      expect(machine.translate(INPUT)).toBe(0xc);
    }
  });

  test('none in entries that are not present', () => {
    const { machine, places } = mapped();
    machine.store(places[1]!, ~3n);
    expect(machine.translate(0x12_3000n)).toBe(6);
    machine.store(CONTEXT + 0x100n, ~3n, ~0n);
    expect(machine.translate(0x12_3000n)).toBe(2);
    machine.store(ROOT + 0x10n, ~1n, ~0n);
    expect(machine.translate(0x12_3000n)).toBe(1);
  });
});

describe('faults of root and context entries', () => {
  test('not present, and not readable', () => {
    const { machine, top, places } = mapped();
    const refused = (change: () => void) => {
      change();
      const reason = machine.translate(0x12_3000n);
      expect(machine.takeFault()).toBe(reason);
      return reason;
    };
    expect(refused(() => machine.store(places[2]!, NO_RAM | 3n))).toBe(7);
    expect(refused(() => machine.store(places[3]!, 0xa_0000n | 3n))).toBe(7);
    expect(refused(() => machine.assign(NO_RAM, 1))).toBe(3);
    expect(refused(() => machine.assign(1n << 38n, 1))).toBe(3);
    expect(refused(() => machine.assign(top, 0))).toBe(3);
    expect(refused(() => machine.assign(top, 3))).toBe(3);
    expect(refused(() => machine.assign(top, 1, { low: 4n, high: 0n }))).toBe(3);
    expect(refused(() => machine.assign(top, 1, { low: 12n, high: 0n }))).toBe(3);
    expect(refused(() => machine.store(CONTEXT + 0x100n, 0n))).toBe(2);
    expect(refused(() => machine.store(ROOT + 0x10n, NO_RAM | 1n))).toBe(9);
    expect(refused(() => machine.store(ROOT + 0x10n, 0n))).toBe(1);
    expect(refused(() => machine.enable(NO_RAM))).toBe(8);
    expect(refused(() => machine.enable(1n << 60n))).toBe(8);
  });

  test('tables far above all RAM are not readable', () => {
    for (const far of [1n << 43n, 1n << 44n, 1n << 51n]) {
      const { machine, top, places } = mapped('57-1g');
      machine.store(places[2]!, machine.word(places[2]!) | far);
      expect(machine.translate(0x12_3000n)).toBe(7);
      machine.assign(top | far, 1);
      expect(machine.translate(0x12_3000n)).toBe(3);
      machine.store(ROOT + 0x10n, CONTEXT | far | 1n);
      expect(machine.translate(0x12_3000n)).toBe(9);
      machine.enable(ROOT | far);
      expect(machine.translate(0x12_3000n)).toBe(8);
    }
  });

  test('bus and function select the entries', () => {
    const { machine } = mapped();
    expect(machine.translate(0x12_3000n, ACCESS.read, ROUTING_ID + 1)).toBe(2);
    expect(machine.translate(0x12_3000n, ACCESS.read, ROUTING_ID + 0x100)).toBe(1);
    expect(machine.translate(0x12_3000n, ACCESS.read, ROUTING_ID)).toBe(OUTCOME.translated);
  });

  test('ignored bits of a context entry', () => {
    const { machine, top } = mapped();
    machine.assign(top, 1, { low: 0n, high: 0xffff78n });
    expect(machine.translate(0x12_3000n)).toBe(OUTCOME.translated);
  });

  test('FPD silences qualified faults only', () => {
    const { machine, top, places } = mapped();
    const silenced = (change: () => void, reason: number) => {
      change();
      expect(machine.translate(0x12_3000n)).toBe(reason);
      expect(machine.takeFault()).toBeUndefined();
    };
    const fpd = { low: 2n, high: 0n };
    machine.assign(top, 1, fpd);
    silenced(() => machine.store(places[1]!, 0n), 6);
    silenced(() => machine.store(places[1]!, 3n | (1n << 62n)), 0xc);
    silenced(() => machine.store(places[1]!, 0xfee0_0003n), 0xe);
    silenced(() => machine.store(places[2]!, NO_RAM | 3n), 7);
    silenced(() => machine.assign(NO_RAM, 1, fpd), 3);
    silenced(() => machine.assign(top, 1, { low: 0x12n, high: 0n }), 0xb);
    silenced(() => machine.store(CONTEXT + 0x100n, 2n), 2);
    machine.assign(top, 1, fpd);
    expect(machine.translate(1n << 39n)).toBe(4);
    expect(machine.takeFault()).toBeUndefined();
    expect(machine.translate(0xfee0_0000n)).toBe(0x29);
    expect(machine.takeFault()).toBe(0x29);
    // The FPD of an earlier request does not outlive it.
    for (const [root, reason] of [
      [0n, 1],
      [CONTEXT | 3n, 0xa],
      [NO_RAM | 1n, 9],
    ] as const) {
      machine.store(ROOT + 0x10n, root);
      expect(machine.translate(0x12_3000n)).toBe(reason);
      expect(machine.takeFault()).toBe(reason);
    }
    machine.store(ROOT + 0x10n, CONTEXT | 1n);
    expect(machine.translate(1n << 39n)).toBe(4);
    machine.enable(ROOT | 0x800n);
    expect(machine.translate(0x12_3000n)).toBe(0x30);
    expect(machine.takeFault()).toBe(0x30);
  });
});

describe('width limits', () => {
  test.each([
    { shape: '57-1g', width: 1, bits: 39n },
    { shape: '57-1g', width: 2, bits: 48n },
    { shape: '57-1g', width: 3, bits: 57n },
    { shape: '48-4k', width: 1, bits: 39n },
    { shape: '48-4k', width: 2, bits: 42n },
  ] as const)('$shape AW=$width: $bits bits', ({ shape, width, bits }) => {
    const machine = new TestMachine(shape);
    const top = machine.table();
    machine.assign(top, width);
    machine.map(top, width + 2, 1, (1n << bits) - 1n, PAGE | 3n);
    machine.enable();
    expect(machine.translate((1n << bits) - 1n)).toBe(OUTCOME.translated);
    for (let bit = bits; bit < 64n; bit++) {
      expect(machine.translate(((1n << bits) - 1n) | (1n << bit))).toBe(4);
    }
  });

  test('pass-through is bounded by the host address width', () => {
    const { machine } = mapped();
    machine.assign(NO_RAM, 2, { low: 8n, high: 0n });
    expect(machine.translate((1n << 39n) - 1n, ACCESS.write)).toBe(OUTCOME.translated);
    expect(machine.output).toBe((1n << 39n) - 1n);
    expect(machine.translate(1n << 39n)).toBe(4);
  });

  test('pass-through is refused where PT=0', () => {
    const { machine, top } = mapped('48-2m');
    machine.assign(top, 2, { low: 8n, high: 0n });
    expect(machine.translate(0x12_3000n)).toBe(3);
  });
});

describe('interrupt range', () => {
  test('requests to it', () => {
    const { machine } = mapped('48-1g', 0xfee0_0000n);
    expect(machine.translate(0xfee0_0000n, ACCESS.dwordWrite)).toBe(OUTCOME.interrupt);
    expect(machine.translate(0xfee0_0000n, ACCESS.zeroLengthRead)).toBe(OUTCOME.translated);
    expect(machine.takeFault()).toBeUndefined();
    for (const address of [0xfee0_0000n, 0xfeef_ffffn]) {
      expect(machine.translate(address, ACCESS.write)).toBe(0x29);
      expect(machine.takeFault()).toBe(0x29);
      expect(machine.translate(address, ACCESS.read)).toBe(0x29);
      expect(machine.takeFault()).toBe(0x29);
    }
    for (const address of [0xfedf_ffffn, 0xfef0_0000n, 0x1_fee0_0000n]) {
      expect(machine.translate(address, ACCESS.read)).toBe(6);
    }
  });

  test('output in it', () => {
    const { machine, top } = mapped();
    machine.map(top, 3, 3, 0x4000_0000n, 0xc000_0083n);
    expect(machine.translate(0x7ee0_0000n)).toBe(0xe);
    expect(machine.takeFault()).toBe(0xe);
    expect(machine.translate(0x7eef_ffffn, ACCESS.dwordWrite)).toBe(0xe);
    expect(machine.translate(0x7edf_ffffn)).toBe(OUTCOME.translated);
    expect(machine.translate(0x7ef0_0000n)).toBe(OUTCOME.translated);
  });
});

describe('modes', () => {
  test.each([
    { shape: '48-1g', mode: 1n, reason: 0x30 },
    { shape: '48-1g', mode: 2n, reason: 0x30 },
    { shape: '48-1g', mode: 3n, reason: 0x30 },
    { shape: '57-1g', mode: 2n, reason: 0x30 },
    { shape: '57-1g', mode: 3n, reason: 0x33 },
  ] as const)('$shape TTM=$mode: $reason', ({ shape, mode, reason }) => {
    const { machine } = mapped(shape);
    machine.enable(ROOT | (mode << 10n));
    expect(machine.translate(0x12_3000n)).toBe(reason);
    expect(machine.takeFault()).toBe(reason);
    expect(machine.translate(0xfee0_0000n, ACCESS.dwordWrite)).toBe(OUTCOME.interrupt);
  });

  test('RTADDR counts only once SRTP latched it; TE switches translation', () => {
    const { machine } = mapped();
    const { registers } = machine.unit;
    machine.write64(VTD_REGISTERS.RTADDR.offset, NO_RAM);
    expect(machine.read64(VTD_REGISTERS.RTADDR.offset)).toBe(NO_RAM);
    expect(machine.translate(0x12_3000n)).toBe(OUTCOME.translated);
    expect(machine.read32(VTD_REGISTERS.GSTS.offset)).toBe(0xc000_0000);
    registers.write(VTD_REGISTERS.GCMD.offset, 0);
    expect(machine.read32(VTD_REGISTERS.GSTS.offset)).toBe(0x4000_0000);
    expect(machine.translate(0xffff_ffff_ffff_f123n)).toBe(OUTCOME.translated);
    expect(machine.output).toBe(0xffff_ffff_ffff_f123n);
    registers.write(VTD_REGISTERS.GCMD.offset, 0xc000_0000 | 0);
    expect(machine.translate(0x12_3000n)).toBe(8);
  });
});
