import { describe, expect, test } from 'vitest';
import { ACCESS, type Access } from './access.js';
import { createCaches } from './caches.js';
import { capabilitiesOf } from './capabilities.js';
import { Chance } from './chance.js';
import { ContextLookup } from './context.js';
import { Found } from './found.js';
import { ENTRY, Iotlb } from './iotlb.js';
import { PhysicalMemory } from './memory.js';
import { ResumedWalk } from './resumed-walk.js';
import { type ShapeName, shapeOf } from './shapes.js';
import { StraightWalk } from './straight-walk.js';
import { ExactWalk } from './walk.js';

const FRAMES = 24;
const ROUTING_ID = 0x0110;
const ROUNDS = 60;
const ACCESSES: readonly Access[] = [ACCESS.read, ACCESS.write, ACCESS.zeroLengthRead, ACCESS.dwordWrite];

/** Bits that make an entry one that is not straight, or ignored ones; each is set in some entries. */
const ODD_BITS = [7, 11, 38, 40, 42, 43, 46, 51, 52, 61, 62, 63].map((bit) => 1n << BigInt(bit));

/** A walk with parts of its own over the memory. */
function partsOver(memory: PhysicalMemory, name: ShapeName, structure: number) {
  const capabilities = capabilitiesOf(shapeOf(name));
  const found = new Found();
  const iotlb = new Iotlb(0, capabilities.zeroLengthReads, found);
  const caches = createCaches({ root: 0, context: 4, structure, iotlb: 0 }, iotlb);
  const context = new ContextLookup(memory, capabilities, caches.roots, caches.contexts);
  const exact = new ExactWalk(memory, capabilities, context, caches, found);
  return { found, context, exact, caches, memory };
}

/** An entry that mostly leads to one of the tables. */
function entry(chance: Chance): bigint {
  const permissions = chance.once(4) ? BigInt(chance.below(4)) : 3n;
  const odd = chance.once(6) ? ODD_BITS[chance.below(ODD_BITS.length)]! : 0n;
  const frame = chance.once(12) ? 0xfee00n + BigInt(chance.below(2)) * 0x100n : BigInt(2 + chance.below(FRAMES));
  return (frame << 12n) | permissions | odd;
}

/** Tables full of random entries, all of which hold 8 entries, at the indexes that the addresses below use. */
function fill(memory: PhysicalMemory, chance: Chance, width: bigint): void {
  memory.writeWords(16 * (ROUTING_ID >> 8), [0x1001n]);
  const type = chance.once(12) ? 8n : 0n;
  memory.writeWords(0x1000 + 16 * (ROUTING_ID & 0xff), [0x2001n | type, (5n << 8n) | width]);
  for (let frame = 2; frame < FRAMES; frame++) {
    memory.writeWords(
      frame * 4096,
      Array.from({ length: 8 }, () => entry(chance)),
    );
  }
}

function address(chance: Chance): { readonly high: number; readonly low: number } {
  let value = BigInt(chance.below(4096));
  for (const shift of [12n, 21n, 30n, 39n, 48n]) value |= BigInt(chance.below(chance.once(3) ? 8 : 2)) << shift;
  if (chance.once(20)) value |= 1n << BigInt(57 + chance.below(7));
  return { high: Number(BigInt.asIntN(32, value >> 32n)), low: Number(BigInt.asIntN(32, value)) };
}

const SHAPES = [
  ['39-4k', 1n],
  ['48-2m', 2n],
  ['48-1g', 2n],
  ['57-2m', 3n],
  ['57-1g', 1n],
  ['57-1g', 3n],
] as const;

describe.each(SHAPES)('shape %s, width %i', (name, width) => {
  test.each([
    ['straight', StraightWalk, 0],
    ['resumed', ResumedWalk, 4],
  ] as const)('a %s walk ends like the exact one', (_, Walk, structure) => {
    const memory = new PhysicalMemory([{ base: 0, bytes: FRAMES * 4096 }]);
    const ends = new Set<number>();
    for (let round = 0; round < ROUNDS; round++) {
      const chance = new Chance(round + 1);
      fill(memory, chance, width);
      const judged = partsOver(memory, name, 0);
      const parts = partsOver(memory, name, structure);
      const walk = new Walk(memory, parts.context, parts.caches, parts.exact, parts.found);
      for (let n = 0; n < 200; n++) {
        const { high, low } = address(chance);
        const access = ACCESSES[chance.below(4)]!;
        const reason = judged.context.lookUp(ROUTING_ID) || judged.exact.walk(ROUTING_ID, high, low, access);
        ends.add(reason);
        expect(walk.resolve(ROUTING_ID, high, low, access)).toBe(reason);
        if (reason === 0) {
          const shown = [parts.found.high, parts.found.low, parts.found.flags & ENTRY.snoop];
          expect(shown).toEqual([judged.found.high, judged.found.low, judged.found.flags & ENTRY.snoop]);
        }
      }
    }
    expect([...ends]).toEqual(expect.arrayContaining([0, 4, 5, 6, 7, 0xc, 0xe]));
  });
});

test('a walk is not resumed from what other requesters of the domain had cached where its own context forbids it', () => {
  const memory = new PhysicalMemory([{ base: 0, bytes: FRAMES * 4096 }]);
  const contextAt = (routingId: number) => 0x1000 + 16 * (routingId & 0xff);
  const [narrow, passing] = [ROUTING_ID + 1, ROUTING_ID + 2];
  memory.writeWords(16 * (ROUTING_ID >> 8), [0x1001n]);
  memory.writeWords(contextAt(ROUTING_ID), [0x2001n, (5n << 8n) | 2n]);
  memory.writeWords(contextAt(narrow), [0x2001n, (5n << 8n) | 1n]);
  memory.writeWords(contextAt(passing), [0x2009n, (5n << 8n) | 2n]);
  // Every entry of every table leads to the same next table, and every leaf to the same page.
  for (const [frame, next] of [2, 3, 4, 5].map((table) => [table, BigInt(table + 1)] as const)) {
    memory.writeWords(frame * 4096, [(next << 12n) | 3n, (next << 12n) | 3n]);
  }
  const { context, caches, exact, found } = partsOver(memory, '48-1g', 4);
  const walk = new ResumedWalk(memory, context, caches, exact, found);
  const high = 0x80;
  for (let time = 0; time < 2; time++) {
    expect(walk.resolve(ROUTING_ID, high, 0x123, ACCESS.read)).toBe(0);
    expect([found.high, found.low]).toEqual([0, 0x6123]);
  }
  expect(walk.resolve(narrow, high, 0x123, ACCESS.read)).toBe(4);
  expect(walk.resolve(passing, 0x40, 0x123, ACCESS.read)).toBe(0);
  expect([found.high, found.low]).toEqual([0x40, 0x123]);
  expect(walk.resolve(ROUTING_ID, 0x0, 0x123, ACCESS.read)).toBe(0);
  expect(walk.resolve(passing, 0x0, 0x123, ACCESS.read)).toBe(0);
  expect([found.high, found.low]).toEqual([0, 0x123]);
});
