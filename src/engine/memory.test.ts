import { expect, test } from 'vitest';
import { PhysicalMemory } from './memory.js';

const IMAGE_BASE = 0x4000;

function memory() {
  const made = new PhysicalMemory([
    { base: 0, bytes: 0x1_0000 },
    { base: 0x1_2000, bytes: 0x100_0000 },
  ]);
  made.setImage(IMAGE_BASE, new Int32Array(2048).fill(0x0707_0707));
  return made;
}

test('bytes are kept where they were written, across frames and holes', () => {
  const ram = memory();
  const bytes = Uint8Array.from({ length: 0x4000 }, (_, n) => (n * 7) & 0xff);
  ram.write(0xf123, bytes, 0, bytes.length);
  const expected = bytes.slice().fill(0xff, 0x1_0000 - 0xf123, 0x1_2000 - 0xf123);
  const back = new Uint8Array(bytes.length);
  ram.read(0xf123, back, 0, back.length);
  expect(back).toEqual(expected);
  expect(ram.copy(0xf123, bytes.length)).toEqual(expected);
  expect(ram.copy(0xf123, 5)).toEqual(expected.slice(0, 5));
});

test('holes and places far away read as ones and drop writes', () => {
  const ram = memory();
  for (const address of [0x1_0000, 0x200_0000, 2 ** 52, 2 ** 64 - 4096]) {
    ram.write(address, Uint8Array.of(1, 2), 0, 2);
    expect(ram.copy(address, 2)).toEqual(Uint8Array.of(0xff, 0xff));
  }
});

test('reset brings back image and zeros, whatever was written and however much', () => {
  const ram = memory();
  for (let round = 0; round < 3; round++) {
    ram.writeWord(IMAGE_BASE + 0x1008, 1, 2);
    for (let frame = 0; frame < 300; frame++) {
      ram.writeWords(0x1_2000 + frame * 4096, [1n, 2n ** 64n - 1n]);
    }
    expect(ram.copy(0x1_2000 + 299 * 4096, 16)).toEqual(
      Uint8Array.from({ length: 16 }, (_, n) => (n < 8 ? +(n < 1) : 255)),
    );
    expect(ram.copy(IMAGE_BASE + 0x1008, 8)).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0));
    ram.reset();
    expect(ram.copy(0x1_2000, 300 * 4096).every((byte) => byte === 0)).toBe(true);
    expect(ram.copy(IMAGE_BASE, 8192)).toEqual(new Uint8Array(8192).fill(7));
  }
});

test('fresh frames are zero after others were given up', () => {
  const ram = memory();
  ram.writeWords(0x2_0000, new Array<bigint>(512).fill(5n));
  ram.reset();
  ram.writeWord(0x8_0008, 1, 0);
  expect(ram.copy(0x8_0000, 4096).reduce((sum, byte) => sum + byte, 0)).toBe(1);
});

test('a word is filled in across frames, over holes and into the image, and undone', () => {
  const ram = memory();
  ram.fillWords(0xfff0, -1n, 2 + 1024 + 1);
  expect(ram.copy(0xffe8, 24)).toEqual(Uint8Array.from({ length: 24 }, (_, n) => (n < 8 ? 0 : 255)));
  expect(ram.copy(0x1_2000, 16)).toEqual(Uint8Array.from({ length: 16 }, (_, n) => (n < 8 ? 255 : 0)));
  ram.fillWords(IMAGE_BASE + 8, 1n, 1);
  expect(ram.copy(IMAGE_BASE, 24)).toEqual(
    Uint8Array.from({ length: 24 }, (_, n) => (n < 8 || n > 15 ? 7 : +(n === 8))),
  );
  ram.reset();
  expect(ram.copy(0x1_2000, 8)).toEqual(new Uint8Array(8));
  expect(ram.copy(IMAGE_BASE, 24)).toEqual(new Uint8Array(24).fill(7));
});

test('half words go to fresh frames, into the image and nowhere else', () => {
  const ram = memory();
  ram.writeHalfWord(0x2_0004, 0x0403_0201);
  ram.writeHalfWord(IMAGE_BASE + 4, -1);
  ram.writeHalfWord(0x1_1000, -1);
  ram.writeHalfWord(2 ** 50, -1);
  expect(ram.copy(0x2_0000, 12)).toEqual(Uint8Array.of(0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0));
  expect(ram.copy(0x3_0000, 12)).toEqual(new Uint8Array(12));
  ram.reset();
  expect(ram.copy(0x2_0000, 12)).toEqual(new Uint8Array(12));
  expect(ram.copy(IMAGE_BASE, 8)).toEqual(new Uint8Array(8).fill(7));
});

test('another image takes the place of the first', () => {
  const ram = memory();
  ram.setImage(0x5000, new Int32Array(1024).fill(1));
  expect(ram.copy(0x4000, 4096).every((byte) => byte === 0)).toBe(true);
  expect(ram.copy(0x5000, 4)).toEqual(Uint8Array.of(1, 0, 0, 0));
});

test('regions and images that cannot be are refused', () => {
  expect(() => new PhysicalMemory([{ base: 1, bytes: 4096 }])).toThrow(/not whole frames/);
  expect(() => new PhysicalMemory([{ base: 2 ** 43, bytes: 4096 }])).toThrow(/below 2\^43/);
  expect(() => memory().setImage(0xf000, new Int32Array(2048))).toThrow(/not whole frames of RAM/);
  expect(() => memory().setImage(0x2_0000, new Int32Array(10))).toThrow(/not whole frames of RAM/);
  expect(() => memory().setImage(2 ** 40, new Int32Array(1024))).toThrow(/not whole frames of RAM/);
});
