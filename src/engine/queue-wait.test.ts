import { describe, expect, test } from 'vitest';
import { VTD_REGISTERS } from '../../spec/layout/vtd.js';
import { BAD_TYPE, COMPLETION, FAULT_EVENT, IF, IOTLB_GLOBAL, QueueMachine, SW, WAIT } from './queue-testing.js';
import { NO_RAM } from './testing.js';

const { FECTL, ICS, IECTL } = VTD_REGISTERS;
const IM = 0x8000_0000;
const IP = 0x4000_0000;

describe('wait', () => {
  test.each([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n])('flags %d', (flags) => {
    const machine = new QueueMachine();
    machine.write(IECTL.offset, 0);
    machine.wait(0, flags << 4n, 0xdead_beefn);
    machine.at(16, IOTLB_GLOBAL);
    machine.tail(32);
    expect([machine.head, machine.error]).toEqual([32, undefined]);
    expect(machine.statusOf()).toBe((flags & 2n) === 0n ? 0n : 0xdead_beefn);
    expect(machine.messages).toEqual((flags & 1n) === 0n ? [] : [COMPLETION]);
    expect(machine.read32(ICS.offset)).toBe(Number(flags & 1n));
  });

  test('status is 32 bits at any DWORD, and the message goes out behind it', () => {
    const machine = new QueueMachine();
    machine.write(IECTL.offset, 0);
    machine.store(machine.status, -1n);
    machine.at(0, WAIT | SW | (5n << 32n), machine.status + 4n);
    machine.tail(16);
    expect(machine.statusOf()).toBe(0x5_ffff_ffffn);
    let seen: bigint | undefined;
    machine.messages.push = () => {
      seen = machine.statusOf();
      return 0;
    };
    machine.at(16, WAIT | SW | IF | (6n << 32n), machine.status);
    machine.tail(32);
    expect(seen).toBe(0x5_0000_0006n);
  });

  test('status address bits above the host’s are ignored; what is no memory takes nothing', () => {
    const machine = new QueueMachine();
    machine.at(0, WAIT | SW | (5n << 32n), machine.status | (-1n << 39n));
    machine.at(16, WAIT | SW | (6n << 32n), NO_RAM);
    machine.at(32, WAIT | SW | (7n << 32n), 1n << 38n);
    machine.tail(48);
    expect([machine.head, machine.error, machine.statusOf()]).toEqual([48, undefined, 5n]);
  });
});

describe('completion event', () => {
  const ask = (machine: QueueMachine) => {
    const { head } = machine;
    machine.at(head, WAIT | IF, 0n);
    machine.tail(head + 16);
  };

  test('is sent when IWC becomes 1, and only then', () => {
    const machine = new QueueMachine();
    machine.write(IECTL.offset, 0);
    ask(machine);
    ask(machine);
    expect(machine.messages).toEqual([COMPLETION]);
    expect([machine.read32(IECTL.offset), machine.read32(ICS.offset)]).toEqual([0, 1]);
    machine.write(ICS.offset, 0xffff_fffe);
    ask(machine);
    expect(machine.messages).toHaveLength(1);
    machine.write(ICS.offset, 1);
    expect(machine.read32(ICS.offset)).toBe(0);
    ask(machine);
    expect(machine.messages).toHaveLength(2);
  });

  test('is held while masked and sent once when unmasked', () => {
    const machine = new QueueMachine();
    ask(machine);
    ask(machine);
    expect([machine.read32(IECTL.offset), machine.messages]).toEqual([IM + IP, []]);
    machine.write(ICS.offset, 0);
    machine.write(IECTL.offset, IP);
    expect([machine.read32(IECTL.offset), machine.messages]).toEqual([0, [COMPLETION]]);
    machine.write(IECTL.offset, 0);
    expect(machine.messages).toHaveLength(1);
  });

  test('is gone once IWC is cleared', () => {
    const machine = new QueueMachine();
    ask(machine);
    machine.write(ICS.offset, 1);
    expect(machine.read32(IECTL.offset)).toBe(IM);
    machine.write(IECTL.offset, 0);
    expect(machine.messages).toEqual([]);
  });

  test('has nothing to do with the fault event', () => {
    const machine = new QueueMachine();
    machine.write(FECTL.offset, 0);
    ask(machine);
    expect(machine.read32(FECTL.offset)).toBe(0);
    machine.at(16, BAD_TYPE);
    machine.tail(32);
    expect(machine.messages).toEqual([FAULT_EVENT]);
    expect(machine.read32(IECTL.offset)).toBe(IM + IP);
  });

  test('a receiver may work the queue', () => {
    const machine = new QueueMachine();
    machine.write(IECTL.offset, 0);
    machine.wait(0, IF);
    machine.wait(16, SW, 1n);
    machine.wait(32, SW, 2n, 1n);
    const { length } = machine.messages;
    machine.messages.push = () => {
      machine.tail(48);
      expect(machine.statusOf(1n)).toBe(0n);
      return length;
    };
    machine.tail(32);
    expect([machine.head, machine.statusOf(), machine.statusOf(1n)]).toEqual([48, 1n, 2n]);
  });
});
