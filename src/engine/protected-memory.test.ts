import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { ACCESS } from './access.js';
import { high, low, NO_RAM, ROUTING_ID, shapeWith, TestMachine } from './testing.js';
import { OUTCOME } from './unit.js';

const { PMEN, PLMBASE, PLMLIMIT, PHMBASE, PHMLIMIT, FSTS } = VTD_REGISTERS;
const EPM = 0x8000_0000;
const PAGE = 0x20_0000n;
const INPUT = 0x1234_5000n;

/** INPUT and the page behind it lead to the last page before 0x210000 and the first after it. */
function machine() {
  const made = new TestMachine('57-4k');
  const top = made.table();
  made.assign(top, 1);
  made.map(top, 3, 1, INPUT, (PAGE + 0xf000n) | 3n);
  made.map(top, 3, 1, INPUT + 0x1000n, (PAGE + 0x1_0000n) | 3n);
  return made;
}

function outcomes(made: TestMachine, ...addresses: bigint[]): boolean[] {
  return addresses.map((address) => {
    const outcome = made.translate(address);
    expect([OUTCOME.translated, OUTCOME.protected]).toContain(outcome);
    return outcome === OUTCOME.protected;
  });
}

describe('protected memory', () => {
  test('is blocked with and without translation, silently, for every kind of access', () => {
    const made = machine();
    made.write(PLMBASE.offset, 0x21_0000);
    made.write(PLMLIMIT.offset, 0x22_0000);
    expect(outcomes(made, 0x21_0000n)).toEqual([false]);
    made.write(PMEN.offset, EPM);
    expect(outcomes(made, 0x20_ffffn, 0x21_0000n, 0x22_ffffn, 0x23_0000n)).toEqual([false, true, true, false]);
    expect(outcomes(made, 0x1_0021_0000n)).toEqual([false]);
    made.enable();
    expect(outcomes(made, INPUT + 0xfffn, INPUT + 0x1000n)).toEqual([false, true]);
    for (const access of Object.values(ACCESS)) {
      expect(made.translate(INPUT + 0x1000n, access)).toBe(OUTCOME.protected);
    }
    expect(made.read32(FSTS.offset)).toBe(0);
    made.write(PMEN.offset, 0);
    expect(outcomes(made, INPUT + 0x1000n)).toEqual([false]);
  });

  test('devices move the bytes beside it', () => {
    const made = machine();
    made.enable();
    made.write(PLMBASE.offset, 0x21_0000);
    made.write(PLMLIMIT.offset, 0x21_0000);
    made.write(PMEN.offset, EPM);
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const at = INPUT + 0xffen;
    expect(made.port.write(ROUTING_ID, high(at), low(at), bytes)).toBe(false);
    expect(made.memory.copy(Number(PAGE) + 0xfffe, 4)).toEqual(Uint8Array.of(1, 2, 0, 0));
    const into = new Uint8Array(4);
    expect(made.port.read(ROUTING_ID, high(at), low(at), into)).toBe(false);
    expect(into).toEqual(Uint8Array.of(1, 2, 255, 255));
  });

  test('PRS follows EPM', () => {
    const made = machine();
    made.write(PMEN.offset, 0x7fff_ffff);
    expect(made.read32(PMEN.offset)).toBe(0);
    made.write(PMEN.offset, EPM);
    expect(made.read32(PMEN.offset)).toBe(0x8000_0001);
    made.write(PMEN.offset, 1);
    expect(made.read32(PMEN.offset)).toBe(0);
    made.write(PMEN.offset, EPM);
    made.unit.reset('warm');
    expect(made.read32(PMEN.offset)).toBe(0);
    expect(outcomes(made, 0n)).toEqual([false]);
  });

  test('a limit below the base protects nothing, equal ones a whole unit', () => {
    const made = machine();
    made.write(PMEN.offset, EPM);
    // Base and limit are 0: the first unit of both regions, of which the high one is larger.
    expect(outcomes(made, 0n, 0x1_ffffn, 0x2_0000n)).toEqual([true, true, false]);
    made.write(PLMBASE.offset, 0x1_0000);
    made.write64(PHMBASE.offset, 0x2_0000n);
    expect(outcomes(made, 0n, 0xffffn, 0x1_0000n, 0x2_0000n)).toEqual([false, false, false, false]);
  });

  test('the high region has 64-bit addresses', () => {
    const made = machine();
    made.write(PLMBASE.offset, EPM);
    made.write64(PHMBASE.offset, 0x12_0002_0000n);
    made.write64(PHMLIMIT.offset, 0x12_0004_0000n);
    made.write(PMEN.offset, EPM);
    const inside = [0x12_0002_0000n, 0x12_0005_ffffn];
    expect(outcomes(made, ...inside)).toEqual([true, true]);
    expect(outcomes(made, 0x12_0001_ffffn, 0x12_0006_0000n, 0x2_0000n, 0x13_0002_0000n)).toEqual(Array(4).fill(false));
    made.write(PHMLIMIT.offset + 4, 0x13);
    expect(outcomes(made, 0x12_ffff_ffffn, 0x13_0005_ffffn, 0x13_0006_0000n)).toEqual([true, true, false]);
  });

  test('the top of the address space can be protected', () => {
    const made = machine();
    made.write(PLMBASE.offset, -0x1_0000);
    made.write(PLMLIMIT.offset, -1);
    made.write64(PHMBASE.offset, -1n);
    made.write64(PHMLIMIT.offset, -1n);
    made.write(PMEN.offset, EPM);
    expect(outcomes(made, 0xfffe_ffffn, 0xffff_ffffn, 0x1_0000_0000n)).toEqual([false, true, false]);
    expect(outcomes(made, 0x3fff_fffd_ffffn, 0x3fff_ffff_ffffn, 0x4000_0000_0000n)).toEqual([false, true, false]);
  });

  test('the unit’s own tables, queue and status writes are exempt', () => {
    const made = machine();
    made.enable();
    made.write(PLMLIMIT.offset, 0x1f_0000);
    made.write(PMEN.offset, EPM);
    expect(outcomes(made, INPUT, 0x1234_6000n)).toEqual([false, false]);
    const queue = made.table();
    expect(queue < 0x1f_0000n).toBe(true);
    made.store(queue, 0x1234_5678_0000_0025n, queue + 0x800n);
    made.write64(VTD_REGISTERS.IQA.offset, queue);
    made.command('QIE');
    made.write(VTD_REGISTERS.IQT.offset, 16);
    expect(made.word(queue + 0x800n)).toBe(0x1234_5678n);
  });

  test('messages are not accesses to memory', () => {
    const made = machine();
    made.write(PLMLIMIT.offset, -1);
    made.write(PMEN.offset, EPM);
    expect(made.translate(0xfee0_0000n, ACCESS.dwordWrite)).toBe(OUTCOME.interrupt);
    expect(made.translate(NO_RAM)).toBe(OUTCOME.protected);
  });

  test('only the regions that there are count', () => {
    const made = new TestMachine('48-4k');
    made.write(PLMBASE.offset, 0x1_0000);
    made.write(PMEN.offset, EPM);
    made.write64(PHMLIMIT.offset, -1n);
    expect(outcomes(made, 0n, 0x20_0000n)).toEqual([false, false]);
    const highOnly = new TestMachine(shapeWith('48-1g', {}, { PHMR: 1 }));
    highOnly.write64(PHMBASE.offset, 0x2_0000n);
    highOnly.write64(PHMLIMIT.offset, 0x2_0000n);
    highOnly.write(PMEN.offset, EPM);
    expect(outcomes(highOnly, 0n, 0x2_0000n)).toEqual([false, true]);
    const bare = new TestMachine('48-1g');
    bare.write(PMEN.offset, EPM);
    expect(outcomes(bare, 0n)).toEqual([false]);
  });
});
