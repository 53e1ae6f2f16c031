/**
 * A tiny world: two requesters on one bus, two domains with 39-bit tables of three levels, two pages, and up to eight
 * operations. Everything is a small number, so that a machine can enumerate what hardware may do with it.
 *
 * Memory is the few words in play, by place:
 *
 * - `ROOT`: the root entry of the bus. 0 is not present, otherwise 1 + context table.
 * - `CONTEXT + 2 * table + requester`. 0 is not present, otherwise 1 + 2 * domain + tree.
 * - `LEVEL3 + tree`: 4 * level-2 table + rights.
 * - `LEVEL2 + 2 * table + region`: 4 * level-1 table + rights; table {@link SUPERPAGE} is a 2 MiB page.
 * - `LEVEL1 + 2 * table + page`: 4 * frame + rights.
 *
 * Rights: bit 0 read, bit 1 write; an entry without any is not present (facts 4.4).
 */

export const ROOT = 0;
export const CONTEXT = 1;
export const LEVEL3 = 5;
export const LEVEL2 = 7;
export const LEVEL1 = 13;
/** Number of words of memory. */
export const PLACES = 19;

/** "Table" of a level-2 entry that maps a 2 MiB page. */
export const SUPERPAGE = 3;
/** Frames that level-1 entries point to: 0 to 3. */
export const FRAMES = 4;
/** The frame inside the 2 MiB page that a page falls on. */
export const SUPERPAGE_FRAME = 4;

export const READ = 1;
export const WRITE = 2;

/** Where a request ended: a frame, 0 to 4, or why it was blocked (facts 5.4: 5h or 6h, 2h, 1h). */
export const BLOCKED_BY_PAGING = 5;
export const BLOCKED_BY_CONTEXT = 6;
export const BLOCKED_BY_ROOT = 7;

export type Index = 0 | 1;

/** What an invalidation asks for. */
export type Invalidation =
  | {
      readonly cache: 'context';
      readonly scope: 'global' | 'domain' | 'device';
      readonly domain: Index;
      readonly requester: Index;
      /** FM: 3 covers both requesters. */
      readonly functionMask: 0 | 1 | 3;
    }
  | {
      readonly cache: 'iotlb';
      readonly scope: 'global' | 'domain' | 'page';
      readonly domain: Index;
      readonly page: Index;
      /** AM=9 instead of 0: the whole 2 MiB region of the page. */
      readonly wide: boolean;
      /** IH. */
      readonly keepUpper: boolean;
    };

export type TinyOperation =
  | { readonly op: 'change'; readonly place: number; readonly value: number }
  | { readonly op: 'submit'; readonly invalidation: Invalidation }
  /** Software sees that everything submitted so far is complete. */
  | { readonly op: 'observe' }
  | { readonly op: 'request'; readonly requester: Index; readonly page: Index; readonly access: 'read' | 'write' };

export interface TinyWorld {
  readonly seed: number;
  /** How invalidations are given. Through registers, one is outstanding at most (facts 2.2, N29). */
  readonly through: 'registers' | 'queue';
  /** Both pages lie in one 2 MiB region, or in two of one 1 GiB region. */
  readonly sameRegion: boolean;
  /** Memory at the start, when every cache is empty. */
  readonly memory: readonly number[];
  readonly operations: readonly TinyOperation[];
}

/** The region of a page. */
export function regionOf(world: TinyWorld, page: number): number {
  return world.sameRegion ? 0 : page;
}

/** Pages in a region. */
export function pagesIn(world: TinyWorld, region: number): readonly Index[] {
  return ([0, 1] as const).filter((page) => regionOf(world, page) === region);
}

/** The domain and the tree of a present context entry. */
export function domainOf(context: number): Index {
  return ((context - 1) >> 1) as Index;
}
export function treeOf(context: number): Index {
  return ((context - 1) & 1) as Index;
}

/** The requests of a world, in order. */
export function requestsOf(world: TinyWorld): readonly Extract<TinyOperation, { op: 'request' }>[] {
  return world.operations.filter((each) => each.op === 'request');
}

/** Every outcome of a page's requests that some entry of the world speaks of, and blocked ones. */
export function alphabetOf(world: TinyWorld): readonly number[] {
  const found = new Set<number>();
  const note = (place: number, value: number): void => {
    if ((value & 3) === 0) return;
    if (place >= LEVEL1) found.add(value >> 2);
    else if (place >= LEVEL2 && value >> 2 === SUPERPAGE) found.add(SUPERPAGE_FRAME);
  };
  world.memory.forEach((value, place) => {
    note(place, value);
  });
  for (const each of world.operations) if (each.op === 'change') note(each.place, each.value);
  return [...[...found].sort(), BLOCKED_BY_PAGING, BLOCKED_BY_CONTEXT, BLOCKED_BY_ROOT];
}
