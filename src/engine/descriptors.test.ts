import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { ABORT, DW, IQE, QueueMachine } from './queue-testing.js';
import { ROOT, shapeWith } from './testing.js';

const { FSTS } = VTD_REGISTERS;

describe('descriptors', () => {
  const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

  /** The error code of one descriptor, by its 64-bit words. */
  function errorOf(machine: QueueMachine, words: readonly bigint[]) {
    const width = words.length * 8;
    const head = machine.head;
    machine.at(head, ...words);
    machine.tail(head + width);
    const { error } = machine;
    expect(machine.head).toBe(error === undefined ? head + width : head);
    // Off and on again, as good as new.
    machine.command('QIE', false);
    machine.tail(0);
    machine.write(FSTS.offset, IQE);
    machine.command('QIE');
    expect([machine.head, machine.error]).toEqual([0, undefined]);
    return error;
  }

  /** By bit of a descriptor, those that make it fail, all with the same code. */
  function bitsGiving(code: number, machine: QueueMachine, words: readonly bigint[]) {
    return range(0, words.length * 64 - 1).filter((bit) => {
      const changed = words.map((word, n) => (n === bit >> 6 ? word ^ (1n << BigInt(bit & 63)) : word));
      return errorOf(machine, changed) === code;
    });
  }

  const IR = { IR: 1, MHMV: 15 };

  test.each([
    {
      name: 'context, device',
      shape: '48-1g',
      words: [0x31n, 0n],
      reserved: [6, 7, 8, ...range(12, 15), ...range(50, 127)],
    },
    {
      name: 'IOTLB, domain',
      shape: '48-1g',
      words: [0x22n, 0n],
      reserved: [5, 8, ...range(12, 15), ...range(32, 63), ...range(71, 75)],
    },
    {
      name: 'IOTLB, global',
      shape: '48-2m',
      words: [0x12n, 0n],
      reserved: [4, 5, 8, ...range(12, 15), ...range(32, 63), ...range(71, 75)],
    },
    {
      name: 'IOTLB, page',
      shape: '48-1g',
      words: [0x32n, 0n],
      reserved: [8, ...range(12, 15), ...range(32, 63), 69, ...range(71, 75)],
    },
    {
      name: 'interrupt entry',
      shape: shapeWith('48-1g', IR),
      words: [0x14n, 0n],
      reserved: [...range(5, 8), ...range(12, 26), 31, ...range(48, 127)],
    },
    { name: 'wait', shape: '48-1g', words: [0x15n, 0n], reserved: [7, 8, ...range(12, 31), 64, 65] },
  ] as const)('reserved fields: $name', ({ shape, words, reserved }) => {
    expect(bitsGiving(4, new QueueMachine(shape), words)).toEqual(reserved);
  });

  test.each([
    { name: 'context, device', words: [0x31n], reserved: [6, 7, 8, ...range(12, 15), ...range(50, 255)], legacy: true },
    { name: 'wait', words: [0x15n], reserved: [7, 8, ...range(12, 31), 64, 65, ...range(128, 255)], legacy: true },
    {
      name: 'PASID IOTLB, page',
      words: [0x36n],
      reserved: [5, 6, 7, 8, ...range(12, 15), ...range(52, 63), ...range(71, 75), ...range(128, 255)],
    },
    {
      name: 'PASID cache, all',
      words: [0x37n],
      reserved: [4, 6, 7, 8, ...range(12, 15), ...range(52, 63), ...range(64, 255)],
    },
  ] as const)('reserved fields of 256 bits: $name', ({ words, reserved, ...rest }) => {
    for (const mode of 'legacy' in rest ? [ROOT, ABORT] : [ABORT]) {
      const machine = new QueueMachine('57-1g', DW);
      machine.enable(mode);
      expect(bitsGiving(4, machine, [...words, 0n, 0n, 0n])).toEqual(reserved);
    }
  });

  test.each([
    { shape: '48-1g', valid: [1, 2, 5] },
    { shape: shapeWith('48-1g', { IR: 1 }), valid: [1, 2, 4, 5] },
    { shape: '57-1g', attributes: DW, valid: [1, 2, 5] },
    { shape: '57-1g', attributes: DW, mode: ABORT, valid: [1, 2, 5, 6, 7] },
  ] as const)('types, %#', ({ shape, valid, ...rest }) => {
    const machine = new QueueMachine(shape, 'attributes' in rest ? rest.attributes : 0n);
    machine.enable('mode' in rest ? rest.mode : ROOT);
    const found = range(0, 127).filter((type) => {
      const first = BigInt(((type >> 4) << 9) | (type & 15)) | ((type & 15) === 5 ? 0n : 0x20n);
      const words = 'attributes' in rest ? [first, 0n, 0n, 0n] : [first, 0n];
      // G=10b is a granularity of all but the interrupt entry and PASID cache descriptors; 01b is one of those.
      const other = words.map((word, n) => (n === 0 ? word ^ 0x30n : word));
      const errors = [errorOf(machine, words), errorOf(machine, other)];
      expect(errors.includes(undefined) || errors.every((error) => error === 3)).toBe(true);
      return errors.includes(undefined);
    });
    expect(found).toEqual(valid);
  });

  test.each([
    { type: 1n, errors: [4, undefined, undefined, undefined] },
    { type: 2n, errors: [4, undefined, undefined, undefined] },
    { type: 2n, shape: '48-2m', errors: [4, undefined, undefined, 4] },
    { type: 6n, shape: '57-1g', errors: [4, 4, undefined, undefined] },
    { type: 7n, shape: '57-1g', errors: [undefined, undefined, 4, undefined] },
  ] as const)('granularities of type $type, %#', ({ type, errors, ...rest }) => {
    const wide = type > 5n;
    const machine = new QueueMachine('shape' in rest ? rest.shape : '48-1g', wide ? DW : 0n);
    machine.enable(wide ? ABORT : ROOT);
    const found = [0n, 1n, 2n, 3n].map((g) => errorOf(machine, [type | (g << 4n), 0n, ...(wide ? [0n, 0n] : [])]));
    expect(found).toEqual(errors);
  });

  test('an address mask is bounded by MAMV for a page, and an index mask by MHMV for an index', () => {
    const pages = new QueueMachine('48-1g');
    expect([18n, 19n, 63n].map((am) => errorOf(pages, [0x32n, am]))).toEqual([undefined, 4, 4]);
    expect([19n, 63n].map((am) => errorOf(pages, [0x22n, am]))).toEqual([undefined, undefined]);
    const indexes = new QueueMachine(shapeWith('48-1g', { IR: 1, MHMV: 3 }));
    expect([3n, 4n, 31n].map((im) => errorOf(indexes, [0x14n | (im << 27n), 0n]))).toEqual([undefined, 4, 4]);
    expect(errorOf(indexes, [0x4n | (31n << 27n), 0n])).toBeUndefined();
    const wide = new QueueMachine('57-1g', DW);
    wide.enable(ABORT);
    expect(errorOf(wide, [0x36n, 63n, 0n, 0n])).toBeUndefined();
  });
});
