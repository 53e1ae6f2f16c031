import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { ACCESS } from './access.js';
import type { ShapeName } from './shapes.js';
import { CONTEXT, ROOT, TestMachine } from './testing.js';

const FSTS = VTD_REGISTERS.FSTS.offset;
const FECTL = VTD_REGISTERS.FECTL.offset;
const GCMD = VTD_REGISTERS.GCMD.offset;
const IM = 0x8000_0000;
const IP = 0x4000_0000;

/** Every request faults 2h: the root entry is good, the context table empty. */
function faulting(shape: ShapeName) {
  const machine = new TestMachine(shape);
  machine.store(ROOT + 0x10n, CONTEXT | 1n);
  machine.enable();
  return machine;
}

function unmask(machine: TestMachine) {
  machine.unit.registers.write(VTD_REGISTERS.FEDATA.offset, 0x1_0041);
  machine.unit.registers.write(VTD_REGISTERS.FEADDR.offset, 0xfee0_3007 | 0);
  machine.unit.registers.write(VTD_REGISTERS.FEUADDR.offset, 0x100);
  machine.unit.registers.write(FECTL, 0);
}

const EVENT = { address: 0x100_fee0_3004n, data: 0x41, source: -1 };

describe('fault records', () => {
  test('hold reason, requester, address and type', () => {
    const machine = faulting('48-1g');
    machine.translate(0x89ab_cdef_0123_4567n, ACCESS.write, 0x01fd);
    expect(machine.faultRecord()).toEqual({ low: 0x89ab_cdef_0123_4000n, high: 0x8000_0002_0000_01fdn });
    machine.clearFault(0);
    machine.translate(0x1000n, ACCESS.read, 0x02ff);
    expect(machine.faultRecord()).toEqual({ low: 0x1000n, high: 0xc000_0001_0000_02ffn });
    machine.clearFault(0);
    expect(machine.faultRecord().high).toBe(0x4000_0001_0000_02ffn);
  });

  test('one record: the next fault overflows until F and PFO are cleared', () => {
    const machine = faulting('48-1g');
    machine.translate(0x1000n);
    expect(machine.read32(FSTS)).toBe(0x2);
    machine.translate(0x2000n);
    expect(machine.read32(FSTS)).toBe(0x3);
    machine.clearFault(0);
    expect(machine.read32(FSTS)).toBe(0x1);
    machine.translate(0x3000n);
    expect(machine.faultRecord().low).toBe(0x1000n);
    machine.unit.registers.write(FSTS, 0);
    expect(machine.read32(FSTS)).toBe(0x1);
    machine.unit.registers.write(FSTS, 1);
    expect(machine.read32(FSTS)).toBe(0);
    machine.translate(0x4000n);
    expect(machine.faultRecord().low).toBe(0x4000n);
    expect(machine.read32(FSTS)).toBe(0x2);
  });

  test('eight records are used one after the other, and FRI is the one that made PPF', () => {
    const machine = faulting('39-2m');
    const addresses = () => Array.from({ length: 8 }, (_, n) => machine.faultRecord(n).low >> 12n);
    for (let n = 1n; n <= 3n; n++) {
      machine.translate(n << 12n);
    }
    expect(machine.read32(FSTS)).toBe(0x002);
    machine.clearFault(0);
    machine.clearFault(1);
    expect(machine.read32(FSTS)).toBe(0x002);
    machine.clearFault(2);
    expect(machine.read32(FSTS) & 2).toBe(0);
    for (let n = 4n; n <= 11n; n++) {
      machine.translate(n << 12n);
    }
    expect(machine.read32(FSTS)).toBe(0x302);
    expect(addresses()).toEqual([9n, 10n, 11n, 4n, 5n, 6n, 7n, 8n]);
    machine.translate(12n << 12n);
    expect(machine.read32(FSTS)).toBe(0x303);
  });

  test.each([
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ])('PPF and FRI stay until the last record is cleared: %d, %d, %d', (...order) => {
    const machine = faulting('39-2m');
    machine.translate(0x1000n);
    machine.clearFault(0);
    for (let n = 0; n < 3; n++) {
      machine.translate(0x2000n);
    }
    order.forEach((n, cleared) => {
      expect([cleared, machine.read32(FSTS)]).toEqual([cleared, 0x102]);
      machine.clearFault(n + 1);
    });
    expect(machine.read32(FSTS) & 3).toBe(0);
    machine.translate(0x2000n);
    expect(machine.read32(FSTS)).toBe(0x402);
  });

  test('PFO cleared before the record is set again by the next fault, without an event', () => {
    const machine = faulting('48-1g');
    unmask(machine);
    machine.translate(0x1000n);
    machine.translate(0x2000n);
    machine.unit.registers.write(FSTS, 1);
    expect(machine.read32(FSTS)).toBe(2);
    machine.translate(0x3000n);
    expect(machine.read32(FSTS)).toBe(3);
    expect(machine.faultRecord().low).toBe(0x1000n);
    expect(machine.messages).toHaveLength(1);
    // PFO alone still keeps the next condition from raising an event.
    machine.clearFault(0);
    machine.translate(0x4000n);
    machine.unit.registers.write(FSTS, 1);
    machine.translate(0x5000n);
    expect(machine.messages).toHaveLength(2);
  });

  test('a record is cleared by its upper piece with F=1 only', () => {
    const machine = faulting('48-1g');
    machine.translate(0x1000n);
    const record = machine.faultRecord();
    const at = machine.unit.capabilities.faultRecordOffset;
    for (const piece of [0, 4, 8]) {
      machine.write(at + piece, -1);
    }
    machine.write(at + 12, 0x7fff_ffff);
    expect(machine.faultRecord()).toEqual(record);
    machine.write(at + 12, -1);
    expect(machine.faultRecord()).toEqual({ low: record.low, high: record.high & ~(1n << 63n) });
  });

  test('the index returns to 0 when translation is disabled', () => {
    const machine = faulting('39-2m');
    machine.translate(0x1000n);
    machine.clearFault(0);
    machine.unit.registers.write(GCMD, 0);
    machine.unit.registers.write(GCMD, IM | 0);
    machine.translate(0x2000n);
    expect(machine.faultRecord(0).low).toBe(0x2000n);
  });

  test('the index returns to 0 with a reset', () => {
    for (const scope of ['warm', 'cold'] as const) {
      const machine = faulting('39-2m');
      machine.translate(0x1000n);
      machine.clearFault(0);
      machine.unit.reset(scope);
      machine.enable();
      machine.translate(0x2000n);
      expect(machine.faultRecord(0).low).toBe(0x2000n);
    }
  });

  test('survive a warm reset, not a power-good reset', () => {
    const machine = faulting('48-1g');
    machine.translate(0x1000n);
    const record = machine.faultRecord();
    machine.unit.reset('warm');
    expect(machine.faultRecord()).toEqual(record);
    expect(machine.read32(FSTS)).toBe(2);
    expect(machine.read32(VTD_REGISTERS.GSTS.offset)).toBe(0);
    machine.unit.reset('cold');
    expect(machine.faultRecord().high).toBe(0n);
    expect(machine.read32(FSTS)).toBe(0);
  });
});

describe('fault event', () => {
  test('is sent when PPF becomes 1, and only then', () => {
    const machine = faulting('39-2m');
    unmask(machine);
    machine.translate(0x1000n);
    expect(machine.messages).toEqual([EVENT]);
    expect(machine.read32(FECTL)).toBe(0);
    machine.translate(0x2000n);
    expect(machine.messages).toHaveLength(1);
    machine.clearFault(0);
    machine.clearFault(1);
    machine.translate(0x3000n);
    expect(machine.messages).toHaveLength(2);
  });

  test('is held while masked and sent once when unmasked', () => {
    const machine = faulting('48-1g');
    expect(machine.read32(FECTL)).toBe(IM);
    machine.translate(0x1000n);
    expect(machine.read32(FECTL)).toBe(IM + IP);
    unmask(machine);
    expect(machine.messages).toEqual([EVENT]);
    unmask(machine);
    expect(machine.messages).toHaveLength(1);
  });

  test('is gone once no condition is left', () => {
    const machine = faulting('48-1g');
    machine.translate(0x1000n);
    machine.translate(0x2000n);
    machine.clearFault(0);
    // PFO still stands.
    expect(machine.read32(FECTL)).toBe(IM + IP);
    machine.unit.registers.write(FSTS, 1);
    expect(machine.read32(FECTL)).toBe(IM);
    unmask(machine);
    expect(machine.messages).toEqual([]);
  });

  test('is gone once the only record is cleared', () => {
    const machine = faulting('48-1g');
    machine.translate(0x1000n);
    machine.clearFault(0);
    expect(machine.read32(FECTL)).toBe(IM);
  });

  test('IP is not software’s to write', () => {
    const machine = faulting('48-1g');
    machine.unit.registers.write(FECTL, IP);
    expect(machine.read32(FECTL)).toBe(0);
    expect(machine.messages).toEqual([]);
  });
});
