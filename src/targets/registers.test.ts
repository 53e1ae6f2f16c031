import { expect, test } from 'vitest';
import type { Observation } from '../../spec/interface/observations.js';
import type { RegisterAddress } from '../../spec/interface/operations.js';
import { shapeOf } from '../engine/index.js';
import { engineProfile } from './engine-profile.js';
import { resolveOperand } from './operands.js';
import { resolveRegister } from './registers.js';

const PROFILE = engineProfile(shapeOf('39-2m'));

function offset(register: string, more: Partial<RegisterAddress> = {}, index?: bigint) {
  return resolveRegister(PROFILE, { component: 'iommu0', register, size: 4, ...more }, index);
}

test('registers are found by name, by capability, and by number', () => {
  expect(offset('FSTS')).toBe(0x34);
  expect(offset('IVA')).toBe(0x500);
  expect(offset('IOTLB', { offset: 4 })).toBe(0x50c);
  expect(offset('FRCD')).toBe(0x400);
  expect(offset('FRCD', { offset: 12 }, 7n)).toBe(0x47c);
  expect(offset('0x1C')).toBe(0x1c);
});

test('registers that cannot be are refused', () => {
  expect(() => offset('FSTSX')).toThrow(/VT-d has no register "FSTSX"/);
  expect(() => offset('toString')).toThrow(/no register "toString"/);
  expect(() => offset('FSTS', { component: 'iommu1' })).toThrow(/no component "iommu1".*iommu0/);
  expect(() => offset('FRCD', {}, 256n)).toThrow(/index 256 is outside/);
  const unit = PROFILE.components['iommu0']!;
  const foreign = { ...PROFILE, components: { iommu0: { ...unit, architecture: 'smmu' } } };
  expect(() => resolveRegister(foreign, { component: 'iommu0', register: 'FSTS', size: 4 })).toThrow(/"smmu"/);
  const bare = { ...PROFILE, components: { iommu0: { ...unit, registers: {} } } };
  expect(() => resolveRegister(bare, { component: 'iommu0', register: 'FRCD', size: 4 })).toThrow(/register CAP/);
});

test('operands take bits of what was observed', () => {
  const seen: (Observation | undefined)[] = [
    { of: 'regRead', begin: 0, complete: 1, value: 0x0000_0302n },
    { of: 'settle', begin: 2, complete: 3 },
    { of: 'regRead', begin: 4, complete: 5 },
  ];
  expect(resolveOperand(7n, seen)).toBe(7n);
  expect(resolveOperand({ ref: 0 }, seen)).toBe(0x302n);
  expect(resolveOperand({ ref: 0, field: [15, 8] }, seen)).toBe(3n);
  expect(resolveOperand({ ref: 0, field: [15, 8], scale: 16, plus: 0x220n }, seen)).toBe(0x250n);
  expect(() => resolveOperand({ ref: 1 }, seen)).toThrow('reference to operation 1: that operation (settle) observed');
  expect(() => resolveOperand({ ref: 2 }, seen)).toThrow('observed no value');
  expect(() => resolveOperand({ ref: 3 }, seen)).toThrow('has not run yet');
});
