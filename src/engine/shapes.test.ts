import { expect, test } from 'vitest';
import { CAP_FIELDS, ECAP_FIELDS } from '../../spec/layout/vtd.js';
import { composeRegister, extractField, fieldMask } from './bits.js';
import { DEFAULT_SHAPE, isShapeName, SHAPE_NAMES, shapeOf } from './shapes.js';

test('shapes are lawful: MGAW covers the host addresses, CM=0, major up to 5, and their registers do not overlap', () => {
  for (const name of SHAPE_NAMES) {
    const { cap, ecap, ver, hostAddressWidth } = shapeOf(name);
    const field = (key: keyof typeof CAP_FIELDS) => extractField(cap, CAP_FIELDS[key]);
    expect(field('MGAW') + 1).toBeGreaterThanOrEqual(hostAddressWidth);
    expect(hostAddressWidth).toBeGreaterThanOrEqual(39);
    expect(hostAddressWidth).toBeLessThanOrEqual(52);
    expect(field('CM')).toBe(0);
    expect(ver >> 4).toBeLessThanOrEqual(5);
    const records = [field('FRO') * 16, (field('FRO') + field('NFR') + 1) * 16] as const;
    const invalidation = Number((ecap >> 8n) & 0x3ffn) * 16;
    expect(records[0]).toBeGreaterThanOrEqual(0xc0);
    expect(invalidation).toBeGreaterThanOrEqual(0xc0);
    expect(invalidation + 16 <= records[0] || invalidation >= records[1]).toBe(true);
  }
});

test('shapes differ in what matters', () => {
  const seen = (key: keyof typeof CAP_FIELDS) =>
    [...new Set(SHAPE_NAMES.map((name) => extractField(shapeOf(name).cap, CAP_FIELDS[key])))].sort((a, b) => a - b);
  expect(seen('SAGAW')).toEqual([2, 6, 14]);
  expect(seen('SSLPS')).toEqual([0, 1, 3]);
  expect(seen('NFR')).toEqual([0, 7]);
  expect(seen('ND')).toEqual([0, 2, 6]);
  expect(seen('ZLR')).toEqual([0, 1]);
  expect(new Set(SHAPE_NAMES.map((name) => (shapeOf(name).ecap >> 6n) & 1n)).size).toBe(2);
  expect(isShapeName('toString')).toBe(false);
});

test('there are shapes with and without a queue, each with one and with eight fault records, and for each option', () => {
  const facts = SHAPE_NAMES.map((name) => {
    const { cap, ecap } = shapeOf(name);
    const capOf = (key: keyof typeof CAP_FIELDS) => extractField(cap, CAP_FIELDS[key]);
    const ecapOf = (key: keyof typeof ECAP_FIELDS) => extractField(ecap, ECAP_FIELDS[key]);
    return {
      name,
      queue: ecapOf('QI'),
      records: capOf('NFR') + 1,
      pages: capOf('PSI'),
      protection: 2 * capOf('PHMR') + capOf('PLMR'),
      buffer: capOf('RWBF'),
      abort: ecapOf('ADMS'),
    };
  });
  const kinds = new Set(facts.map(({ queue, records }) => `${queue}:${records}`));
  expect([...kinds].sort()).toEqual(['0:1', '0:8', '1:1', '1:8']);
  expect(facts.find(({ name }) => name === DEFAULT_SHAPE)).toMatchObject({ queue: 1, pages: 1, records: 1, abort: 0 });
  expect(new Set(facts.map(({ protection }) => protection))).toEqual(new Set([0, 1, 3]));
  expect(facts.filter(({ buffer }) => buffer === 1)).toHaveLength(1);
  expect(facts.filter(({ abort, queue }) => abort === 1 && queue === 1)).toHaveLength(1);
  expect(facts.filter(({ pages, queue }) => pages === 0 && queue === 1)).toHaveLength(1);
});

test('caches of every kind are there and absent, alone and together; one shape behaves at random', () => {
  const caches = SHAPE_NAMES.map((name) => shapeOf(name).caches);
  const kinds = new Set(
    caches.map(({ root, context, structure, iotlb }) => [root, context, structure, iotlb].map((n) => n > 0).join()),
  );
  expect(kinds).toContain('false,false,false,false');
  expect(kinds).toContain('true,true,true,true');
  expect(kinds).toContain('false,false,false,true');
  expect(kinds).toContain('true,true,true,false');
  expect(Object.values(shapeOf(DEFAULT_SHAPE).caches).every((size) => size > 0)).toBe(true);
  expect(SHAPE_NAMES.filter((name) => shapeOf(name).chaos)).toEqual(['chaos']);
  expect(Object.values(shapeOf('chaos').caches).every((size) => size > 0)).toBe(true);
});

test('fields are cut into 32-bit pieces', () => {
  expect(fieldMask([63, 12], 0)).toBe(-4096);
  expect(fieldMask([63, 12], 1)).toBe(-1);
  expect(fieldMask([63, 12], 2)).toBe(0);
  expect(fieldMask([87, 72], 2)).toBe(0x00ff_ff00);
  expect(fieldMask([63, 64], 1)).toBe(0);
  expect(() => composeRegister(CAP_FIELDS, { ND: 8 })).toThrow(/ND: 8 does not fit 3 bits/);
});
