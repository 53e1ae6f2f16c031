import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { SHAPE_NAMES, shapeOf } from './shapes.js';
import { CONTEXT, ROOT, shapeWith, TestMachine } from './testing.js';

const GCMD = VTD_REGISTERS.GCMD.offset;
const GSTS = VTD_REGISTERS.GSTS.offset;

const TE = 0x8000_0000;
const SRTP = 0x4000_0000;
const QIE = 0x0400_0000;
const IRE = 0x0200_0000;
const SIRTP = 0x0100_0000;
const CFI = 0x0080_0000;

function statusAfter(machine: TestMachine, ...commands: number[]): number {
  for (const command of commands) {
    machine.write(GCMD, command);
  }
  return machine.read32(GSTS);
}

describe('global commands', () => {
  test.each(SHAPE_NAMES)('%s: each bit alone, written twice and taken back', (name) => {
    const machine = new TestMachine(name);
    const { ecap } = shapeOf(name);
    const persistent = [TE, ...((ecap >> 1n) & 1n ? [QIE] : []), ...((ecap >> 3n) & 1n ? [IRE, CFI] : [])];
    const oneShot = [SRTP, ...((ecap >> 3n) & 1n ? [SIRTP] : [])];
    for (let bit = 0; bit < 32; bit++) {
      const command = (1 << bit) >>> 0;
      const status = [...persistent, ...oneShot].some((each) => each >>> 0 === command) ? command : 0;
      machine.unit.reset('cold');
      expect([bit, statusAfter(machine, command)]).toEqual([bit, status]);
      expect([bit, statusAfter(machine, command)]).toEqual([bit, status]);
      expect(machine.read32(GCMD)).toBe(0);
      expect([bit, statusAfter(machine, 0)]).toEqual([bit, oneShot.includes(status) ? status : 0]);
    }
  });

  test('interrupt remapping has its status bits', () => {
    const machine = new TestMachine(shapeWith('48-1g', { IR: 1 }));
    for (const command of [IRE, CFI]) {
      expect(statusAfter(machine, command)).toBe(command);
      expect(statusAfter(machine, 0)).toBe(0);
    }
    expect(statusAfter(machine, SIRTP, 0)).toBe(SIRTP);
    expect(statusAfter(machine, IRE | CFI | TE)).toBe((SIRTP | IRE | CFI | TE) >>> 0);
  });

  test('status written back with its one-shot bits latches the same pointers again', () => {
    const machine = new TestMachine('48-1g');
    machine.enable();
    expect(statusAfter(machine, TE | SRTP | QIE)).toBe((TE | SRTP | QIE) >>> 0);
    expect(statusAfter(machine, machine.read32(GSTS))).toBe((TE | SRTP | QIE) >>> 0);
  });

  test('the next fault record is the first again once neither DMA nor interrupts are remapped', () => {
    const recordUsed = (...commands: number[]) => {
      const machine = new TestMachine(shapeWith('39-2m', { IR: 1 }));
      machine.store(ROOT + 0x10n, CONTEXT | 1n);
      machine.enable();
      machine.write(GCMD, TE | IRE);
      machine.translate(0x1000n);
      machine.clearFault(0);
      statusAfter(machine, ...commands, TE);
      machine.translate(0x2000n);
      return machine.faultRecord(0).high >> 63n === 1n ? 0 : 1;
    };
    expect(recordUsed()).toBe(1);
    expect(recordUsed(TE)).toBe(1);
    expect(recordUsed(IRE)).toBe(1);
    expect(recordUsed(IRE | TE)).toBe(1);
    expect(recordUsed(0)).toBe(0);
    expect(recordUsed(IRE, 0)).toBe(0);
    expect(recordUsed(IRE, QIE)).toBe(0);
  });
});
