import { describe, expect, test } from 'vitest';
import { high, low, ROUTING_ID, shapeWith, TestMachine } from './testing.js';

const PAGE = 0x20_0000n;
const OTHER_PAGE = 0x40_0000n;

/** Pages 0x1ffff000 and 0x20000000 lie apart in memory, 0x20001000 may only be read, 0x20003000 only be written. */
function machine() {
  const made = new TestMachine('48-1g');
  const top = made.table();
  made.assign(top, 1);
  made.map(top, 3, 1, 0x1fff_f000n, PAGE | 3n);
  made.map(top, 3, 1, 0x2000_0000n, OTHER_PAGE | 3n);
  made.map(top, 3, 1, 0x2000_1000n, PAGE | 1n);
  made.map(top, 3, 1, 0x2000_3000n, PAGE | 2n);
  made.map(top, 3, 1, 0xffff_f000n, PAGE | 3n);
  made.map(top, 3, 1, 0x1_0000_0000n, OTHER_PAGE | 3n);
  made.enable();
  return made;
}

const BYTES = Uint8Array.from({ length: 16 }, (_, n) => n + 1);

function write(made: TestMachine, address: bigint, bytes = BYTES) {
  return made.port.write(ROUTING_ID, high(address), low(address), bytes);
}

function read(made: TestMachine, address: bigint, count: number) {
  const into = new Uint8Array(count);
  return { served: made.port.read(ROUTING_ID, high(address), low(address), into), data: into };
}

describe('DMA', () => {
  test.each([0x2000_0000n - 6n, 0x1_0000_0000n - 6n])('is split where pages meet, at %d', (address) => {
    const made = machine();
    expect(write(made, address)).toBe(true);
    expect(made.memory.copy(Number(PAGE) + 4090, 6)).toEqual(BYTES.slice(0, 6));
    expect(made.memory.copy(Number(OTHER_PAGE), 11)).toEqual(Uint8Array.of(...BYTES.slice(6), 0));
    expect(read(made, address, 16)).toEqual({ served: true, data: BYTES });
  });

  test('serves the pages that it may', () => {
    const made = machine();
    expect(write(made, 0x2000_0ffcn)).toBe(false);
    expect(made.memory.copy(Number(OTHER_PAGE) + 4092, 4)).toEqual(BYTES.slice(0, 4));
    expect(made.memory.copy(Number(PAGE), 12)).toEqual(new Uint8Array(12));
    const across = read(made, 0x2000_1ffcn, 8);
    expect(across).toEqual({ served: false, data: Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255) });
  });

  test('one aligned DWORD to the interrupt range is a message, all else is refused', () => {
    const made = machine();
    expect(write(made, 0xfee0_1004n, BYTES.slice(0, 4))).toBe(true);
    expect(made.messages).toEqual([{ address: 0xfee0_1004n, data: 0x0403_0201, source: ROUTING_ID }]);
    expect(made.takeFault()).toBeUndefined();
    for (const [address, count] of [
      [0xfee0_1004n, 3],
      [0xfee0_1004n, 8],
      [0xfee0_1006n, 4],
    ] as const) {
      expect(write(made, address, BYTES.slice(0, count))).toBe(false);
      expect(made.takeFault()).toBe(0x29);
    }
    expect(read(made, 0xfee0_1004n, 4)).toEqual({ served: false, data: new Uint8Array(4).fill(255) });
    expect(made.messages).toHaveLength(1);
  });

  test('a zero-length read asks for translation and moves nothing', () => {
    const made = machine();
    expect(read(made, 0x2000_3000n, 0).served).toBe(true);
    expect(read(made, 0x2000_3000n, 1).served).toBe(false);
    expect(made.takeFault()).toBe(6);
    expect(read(made, 0x2000_2000n, 0).served).toBe(false);
    expect(made.takeFault()).toBe(6);
  });

  test('without translation, addresses are host addresses and messages still go out', () => {
    const made = new TestMachine('48-1g');
    expect(write(made, PAGE)).toBe(true);
    expect(made.memory.copy(Number(PAGE), 16)).toEqual(BYTES);
    expect(read(made, 0xffff_0000_0000_0000n, 2)).toEqual({ served: true, data: Uint8Array.of(255, 255) });
    write(made, 0xfee0_0000n, BYTES.slice(0, 4));
    expect(made.messages).toHaveLength(1);
    expect(write(made, 0xfee0_0000n)).toBe(true);
    expect(read(made, 0xfee0_0000n, 4).served).toBe(true);
    expect(made.takeFault()).toBeUndefined();
  });
});

describe('snooping', () => {
  /** Page 0 with SNP=1, page 1 without. */
  function snooping() {
    const made = new TestMachine(shapeWith('48-1g', { SC: 1 }));
    const top = made.table();
    made.assign(top, 1);
    made.map(top, 3, 1, 0n, PAGE | 3n | (1n << 11n));
    made.map(top, 3, 1, 0x1000n, OTHER_PAGE | 3n);
    made.enable();
    return made;
  }
  const snooped = ({ port }: TestMachine, address: bigint, noSnoop: boolean, count = 16): (boolean | undefined)[] =>
    [
      () => port.read(ROUTING_ID, high(address), low(address), new Uint8Array(count), noSnoop),
      () => port.write(ROUTING_ID, high(address), low(address), BYTES.subarray(0, count), noSnoop),
    ].map((request) => {
      request();
      return port.reachedMemory ? port.snooped : undefined;
    });

  test('follows the attribute, which SNP overrides', () => {
    const made = snooping();
    expect(snooped(made, 0n, false)).toEqual([true, true]);
    expect(snooped(made, 0n, true)).toEqual([true, true]);
    expect(snooped(made, 0x1000n, false)).toEqual([true, true]);
    expect(snooped(made, 0x1000n, true)).toEqual([false, false]);
  });

  test('is told for a whole request, where it went to memory', () => {
    const made = snooping();
    expect(snooped(made, 0xff8n, true)).toEqual([false, false]);
    expect(snooped(made, 0xff8n, false)).toEqual([true, true]);
    expect(snooped(made, 0x2000n, false)).toEqual([undefined, undefined]);
    expect(snooped(made, 0xfee0_0000n, false, 4)[1]).toBeUndefined();
  });

  test('follows the attribute without translation', () => {
    const made = new TestMachine('48-1g');
    expect(snooped(made, PAGE, true)).toEqual([false, false]);
    expect(snooped(made, PAGE, false)).toEqual([true, true]);
  });
});
