import { describe, expect, test } from 'vitest';
import { MSI } from '../../spec/layout/msi.js';
import { MsiFunction } from './function.js';
import { ROUTING_ID, TestMachine } from './testing.js';

function machine(): { readonly machine: TestMachine; readonly msi: MsiFunction } {
  const made = new TestMachine('48-1g');
  return { machine: made, msi: new MsiFunction(ROUTING_ID, made.port) };
}

describe('the MSI capability of a function', () => {
  test('has a 64-bit address and is disabled after reset', () => {
    const { machine: here, msi } = machine();
    expect(msi.read(0, 4)).toBe(0x0080_0005);
    msi.write(MSI.control, 2, 0xffff);
    msi.write(MSI.address, 4, 0xffff_ffff);
    msi.write(MSI.upperAddress, 4, 0xffff_ffff);
    msi.write(MSI.data, 2, 0xffff);
    msi.reset();
    msi.signal();
    expect(here.messages).toEqual([]);
    expect([0, 4, 8].map((offset) => msi.read(offset, 4))).toEqual([0x0080_0005, 0, 0]);
    expect(msi.read(MSI.data, 2)).toBe(0);
  });

  test('takes what is written as far as it is writable, in accesses of every size', () => {
    const { msi } = machine();
    msi.write(0, 4, 0xffff_ffff);
    expect(msi.read(0, 4)).toBe(0x0081_0005);
    msi.write(MSI.control, 1, 0);
    expect(msi.read(MSI.control, 2)).toBe(0x0080);
    msi.write(MSI.address, 4, 0xfee1_2347);
    expect(msi.read(MSI.address, 4)).toBe(0xfee1_2344);
    msi.write(MSI.address + 1, 1, 0x1ab);
    expect(msi.read(MSI.address, 4)).toBe(0xfee1_ab44);
    msi.write(MSI.upperAddress + 2, 2, 0x8001);
    expect(msi.read(MSI.upperAddress, 4)).toBe(0x8001_0000);
    msi.write(MSI.data + 1, 1, 0xc5);
    expect(msi.read(MSI.data, 2)).toBe(0xc500);
  });

  test('holds what lies inside it', () => {
    const { msi } = machine();
    const inside = [
      [-1, 1],
      [0, 4],
      [12, 2],
      [12, 4],
      [13, 1],
      [14, 1],
    ] as const;
    expect(inside.map(([offset, size]) => msi.holds(offset, size))).toEqual([false, true, true, false, true, false]);
  });

  test('sends what was programmed last, as one dword of 16 bits', () => {
    const { machine: here, msi } = machine();
    msi.write(MSI.address, 4, 0xfee0_1000);
    msi.write(MSI.data, 2, 0x8041);
    msi.signal();
    msi.write(MSI.control, 2, 1);
    msi.signal();
    msi.write(MSI.address, 4, 0xfee0_2000);
    msi.signal();
    msi.write(MSI.control, 2, 0);
    msi.signal();
    expect(here.messages).toEqual([
      { address: 0xfee0_1000n, data: 0x8041, source: ROUTING_ID },
      { address: 0xfee0_2000n, data: 0x8041, source: ROUTING_ID },
    ]);
  });

  test('writes memory where its address is no interrupt address', () => {
    const { machine: here, msi } = machine();
    here.store(0x20_0000n, ~0n, ~0n);
    msi.write(MSI.address, 4, 0x20_0004);
    msi.write(MSI.data, 2, 0x1234);
    msi.write(MSI.control, 2, 1);
    msi.signal();
    expect([here.word(0x20_0000n), here.word(0x20_0008n)]).toEqual([0x0000_1234_ffff_ffffn, 0xffff_ffff_ffff_ffffn]);
    msi.write(MSI.upperAddress, 4, 0x8000_0001);
    msi.write(MSI.data, 2, 0x5555);
    msi.signal();
    expect(here.word(0x20_0000n)).toBe(0x0000_1234_ffff_ffffn);
  });
});
