import { CONTEXT_ENTRY, ROOT_ENTRY, SECOND_STAGE_ENTRY } from '../../../spec/layout/vtd.js';
import { compose, frameAddress, pageAddress, ROUTING_IDS, TABLES } from './platform.js';
import { HALF, type Pair, stored } from './steps.js';
import { CONTEXT, domainOf, LEVEL1, LEVEL2, LEVEL3, ROOT, SUPERPAGE, type TinyWorld, treeOf } from './world.js';

/** The entries of a world as words of memory. */

/** An entry's host-physical byte address and its words. */
interface Entry {
  readonly address: bigint;
  readonly words: readonly bigint[];
}

/** The store that gives an entry a value. */
export function entryStore(world: TinyWorld, place: number, value: number): Pair {
  const { address, words } = entryOf(world, place, value);
  return stored(address, words);
}

/** Stores that give every entry its first value, neighbours together. */
export function tableStores(world: TinyWorld): readonly Pair[] {
  const entries = world.memory.map((value, place) => entryOf(world, place, value));
  const runs: { readonly address: bigint; readonly words: bigint[] }[] = [];
  for (const { address, words } of entries.sort((a, b) => Number(a.address - b.address))) {
    const last = runs.at(-1);
    if (last !== undefined && last.address + BigInt(8 * last.words.length) === address) last.words.push(...words);
    else runs.push({ address, words: [...words] });
  }
  return runs.map(({ address, words }) => stored(address, words));
}

/** Facts 3.2, 3.4, 4.4. */
function entryOf(world: TinyWorld, place: number, value: number): Entry {
  if (place === ROOT) {
    const table = frameAddress(TABLES.context + value - 1) >> 12n;
    const entry = value === 0 ? 0n : compose(ROOT_ENTRY.fields, { P: 1, CTP: table });
    return { address: frameAddress(TABLES.root) + BigInt((ROUTING_IDS[0] >> 8) * 16), words: [entry, 0n] };
  }
  if (place < LEVEL3) {
    const index = place - CONTEXT;
    const address = frameAddress(TABLES.context + (index >> 1)) + BigInt((ROUTING_IDS[index & 1]! & 0xff) * 16);
    return { address, words: contextWords(value) };
  }
  return { address: pagingAddress(world, place), words: [pagingWord(place, value)] };
}

function contextWords(value: number): readonly bigint[] {
  if (value === 0) return [0n, 0n];
  const table = frameAddress(TABLES.level3 + treeOf(value)) >> 12n;
  const entry = compose(CONTEXT_ENTRY.fields, { P: 1, SSPTPTR: table, AW: 1, DID: domainOf(value) + 1 });
  return [entry & HALF, entry >> 64n];
}

function pagingAddress(world: TinyWorld, place: number): bigint {
  const { indexLow } = SECOND_STAGE_ENTRY;
  const slot = (frame: number, page: 0 | 1, level: 1 | 2 | 3): bigint =>
    frameAddress(frame) + ((pageAddress(world, page) >> BigInt(indexLow[level])) & 0x1ffn) * 8n;
  if (place < LEVEL2) return slot(TABLES.level3 + place - LEVEL3, 0, 3);
  if (place < LEVEL1) {
    // With both pages in one region the second entry of a table is one that no walk reads.
    const region = ((place - LEVEL2) & 1) as 0 | 1;
    const unused = world.sameRegion && region === 1 ? 8n : 0n;
    return slot(TABLES.level2 + ((place - LEVEL2) >> 1), region, 2) + unused;
  }
  return slot(TABLES.level1 + ((place - LEVEL1) >> 1), ((place - LEVEL1) & 1) as 0 | 1, 1);
}

function pagingWord(place: number, value: number): bigint {
  if ((value & 3) === 0) return 0n;
  const target = value >> 2;
  const large = place >= LEVEL2 && place < LEVEL1 && target === SUPERPAGE;
  const first = place < LEVEL2 ? TABLES.level2 : place < LEVEL1 ? TABLES.level1 : TABLES.data;
  const address = frameAddress(large ? 0 : first + target) >> 12n;
  return compose(SECOND_STAGE_ENTRY.fields, {
    R: value & 1,
    W: (value >> 1) & 1,
    PS: large ? 1 : 0,
    ADDR: address,
  });
}
