import {
  BLOCKED_BY_CONTEXT,
  BLOCKED_BY_PAGING,
  BLOCKED_BY_ROOT,
  CONTEXT,
  domainOf,
  type Invalidation,
  LEVEL1,
  LEVEL2,
  LEVEL3,
  pagesIn,
  READ,
  ROOT,
  regionOf,
  SUPERPAGE,
  SUPERPAGE_FRAME,
  type TinyOperation,
  type TinyWorld,
  treeOf,
  WRITE,
} from './world.js';

/**
 * What may be cached at an instant: for every cache and key, a set of entries, as bits of a number.
 *
 * Any entry may be dropped at any time (facts 7.1, N2), anything that a walk could fetch may be fetched at any time
 * (7.2, N3), sizes and replacement are free (7.1), so what may be cached together is exactly every subset of what
 * may be cached. Two entries of one key are no contradiction: a unit may have several caches of a kind.
 *
 * Slots, with the bits of their sets:
 *
 * - `LATCHED + requester`: root entries that a walk under way has read; bit = context table.
 * - `CONTEXTS + requester`: the context cache (7.1: looked up by source-id); bit = context value.
 * - `UPPER + domain`, `MIDDLE + 2 * domain + region`: structure caches of levels 3 and 2 (7.1: looked up by domain-id
 *   and address); bit = 4 * next table + rights of all entries down to it.
 * - `LEAVES + 4 * requester + 2 * page + domain`: the IOTLB (7.1: looked up by source-id and address, dropped by
 *   domain-id); bit = 4 * frame + rights of all entries down to it. A 2 MiB page is kept in pieces of 4 KiB (7.2): whatever
 *   a whole entry gives, its pieces give, and they outlive more.
 */
export const LATCHED = 0;
export const CONTEXTS = 2;
export const UPPER = 4;
export const MIDDLE = 6;
export const LEAVES = 10;
export const SLOTS = 18;

export type Caches = Int32Array;

/** Where the facts leave a choice. */
export interface MachineRules {
  /** An IOTLB entry may serve another requester that is in its domain. Facts 7.1: no. */
  readonly sharedIotlb: boolean;
  /** A device invalidation has to drop only entries that have its domain-id as well. Facts 7.5: DID is used. */
  readonly deviceNamesDomain: boolean;
  /** Which context-cache invalidations stop a walk that has read the root entry only. Facts 7.3: a global one. */
  readonly rootLeftBy: 'global' | 'device';
}

export const USUAL_RULES: MachineRules = { sharedIotlb: false, deviceNamesDomain: true, rootLeftBy: 'global' };

/** Told of each entry that is filled, with the entry that the walk came from; entries are 32 * slot + bit. */
export type FillNote = (entry: number, from: number) => void;
/** Told of each way for a request to end, with the entry it was due to. */
export type OutcomeNote = (outcome: number, from: number, how: string) => void;

export const NOTHING = -1;

function add(caches: Caches, slot: number, bit: number, from: number, note: FillNote | undefined): void {
  if ((caches[slot]! >> bit) & 1) return;
  caches[slot]! |= 1 << bit;
  note?.(32 * slot + bit, from);
}

/** Domains that a requester may be taken for, as bits: a walk goes on from a cached or current context entry. */
function domainsOf(caches: Caches, requester: number): number {
  const contexts = caches[CONTEXTS + requester]!;
  return (contexts & 0b00110 ? 1 : 0) | (contexts & 0b11000 ? 2 : 0);
}

/** Everything that may be filled while memory holds this. Only present entries are cached (CM=0, 7.2). */
export function fill(caches: Caches, world: TinyWorld, memory: readonly number[], note?: FillNote): void {
  for (let requester = 0; requester < 2; requester++) {
    fillContexts(caches, requester, memory, note);
    fillUpper(caches, requester, memory, note);
  }
  for (let requester = 0; requester < 2; requester++) {
    for (let domain = 0; domain < 2; domain++) {
      if ((domainsOf(caches, requester) >> domain) & 1) fillMiddle(caches, world, requester, domain, memory, note);
    }
  }
  for (let requester = 0; requester < 2; requester++) {
    for (let domain = 0; domain < 2; domain++) {
      if ((domainsOf(caches, requester) >> domain) & 1) fillLeaves(caches, world, requester, domain, memory, note);
    }
  }
}

function fillContexts(caches: Caches, requester: number, memory: readonly number[], note?: FillNote): void {
  const root = memory[ROOT]!;
  if (root !== 0) add(caches, LATCHED + requester, root - 1, NOTHING, note);
  for (let table = 0; table < 2; table++) {
    if (((caches[LATCHED + requester]! >> table) & 1) === 0) continue;
    const context = memory[CONTEXT + 2 * table + requester]!;
    if (context !== 0) add(caches, CONTEXTS + requester, context, 32 * (LATCHED + requester) + table, note);
  }
}

function fillUpper(caches: Caches, requester: number, memory: readonly number[], note?: FillNote): void {
  for (let context = 1; context <= 4; context++) {
    if (((caches[CONTEXTS + requester]! >> context) & 1) === 0) continue;
    const entry = memory[LEVEL3 + treeOf(context)]!;
    if (entry & 3) add(caches, UPPER + domainOf(context), entry, 32 * (CONTEXTS + requester) + context, note);
  }
}

function fillMiddle(
  caches: Caches,
  world: TinyWorld,
  requester: number,
  domain: number,
  memory: readonly number[],
  note?: FillNote,
): void {
  const regions = world.sameRegion ? 1 : 2;
  for (let upper = 0; upper < 12; upper++) {
    if (((caches[UPPER + domain]! >> upper) & 1) === 0) continue;
    const from = 32 * (UPPER + domain) + upper;
    for (let region = 0; region < regions; region++) {
      const entry = memory[LEVEL2 + 2 * (upper >> 2) + region]!;
      if ((entry & 3) === 0) continue;
      const rights = entry & upper & 3;
      if (entry >> 2 !== SUPERPAGE) {
        add(caches, MIDDLE + 2 * domain + region, (entry & ~3) | rights, from, note);
      } else if (rights !== 0) {
        for (const page of pagesIn(world, region)) {
          add(caches, leafSlot(requester, page, domain), 4 * SUPERPAGE_FRAME + rights, from, note);
        }
      }
    }
  }
}

function fillLeaves(
  caches: Caches,
  world: TinyWorld,
  requester: number,
  domain: number,
  memory: readonly number[],
  note?: FillNote,
): void {
  for (let page = 0; page < 2; page++) {
    const slot = MIDDLE + 2 * domain + regionOf(world, page);
    for (let middle = 0; middle < 12; middle++) {
      if (((caches[slot]! >> middle) & 1) === 0) continue;
      const entry = memory[LEVEL1 + 2 * (middle >> 2) + page]!;
      const rights = entry & middle & 3;
      if (rights !== 0) add(caches, leafSlot(requester, page, domain), (entry & ~3) | rights, 32 * slot + middle, note);
    }
  }
}

function leafSlot(requester: number, page: number, domain: number): number {
  return LEAVES + 4 * requester + 2 * page + domain;
}

/** Drops what an invalidation covers, at one instant; a walk under way is dropped with the entries it has read (N3). */
export function drop(caches: Caches, world: TinyWorld, invalidation: Invalidation, rules: MachineRules): void {
  if (invalidation.cache === 'context') dropContexts(caches, invalidation, rules);
  else dropMappings(caches, world, invalidation);
}

/** Facts 7.1: by source-id, by domain-id, all. 7.6: nothing of the IOTLB. */
function dropContexts(
  caches: Caches,
  { scope, domain, requester, functionMask }: Extract<Invalidation, { cache: 'context' }>,
  rules: MachineRules,
): void {
  const named = domain === 0 ? 0b00110 : 0b11000;
  for (let each = 0; each < 2; each++) {
    if (scope === 'global') {
      caches[LATCHED + each] = 0;
      caches[CONTEXTS + each] = 0;
    } else if (scope === 'domain') {
      caches[CONTEXTS + each]! &= ~named;
    } else if (each === requester || functionMask === 3) {
      caches[CONTEXTS + each] = rules.deviceNamesDomain ? caches[CONTEXTS + each]! & ~named : 0;
      if (rules.rootLeftBy === 'device') caches[LATCHED + each] = 0;
    }
  }
}

/** Facts 7.6; nothing of the context cache. */
function dropMappings(
  caches: Caches,
  world: TinyWorld,
  { scope, domain, page, wide, keepUpper }: Extract<Invalidation, { cache: 'iotlb' }>,
): void {
  if (scope === 'global') {
    caches.fill(0, UPPER);
    return;
  }
  const region = regionOf(world, page);
  const whole = scope === 'domain';
  if (whole || !keepUpper) {
    caches[UPPER + domain] = 0;
    for (let each = 0; each < 2; each++) if (whole || each === region) caches[MIDDLE + 2 * domain + each] = 0;
  }
  for (let each = 0; each < 2; each++) {
    if (!whole && each !== page && !(wide && regionOf(world, each) === region)) continue;
    for (let requester = 0; requester < 2; requester++) caches[leafSlot(requester, each, domain)] = 0;
  }
}

/**
 * Every way for a request to end, as bits, when `caches` is all that may be cached and has been filled. A lookup that
 * hits does not look further (7.2), one that misses reads memory, so each entry on the way is a cached or the current
 * one. What is not present is never cached and is found only in memory (CM=0, 7.2, N5); a permission that is missing
 * may be missing in a cached entry (7.3: adding a permission needs an invalidation).
 */
export function outcomesOf(
  caches: Caches,
  world: TinyWorld,
  memory: readonly number[],
  request: Extract<TinyOperation, { op: 'request' }>,
  rules: MachineRules,
  note?: OutcomeNote,
): number {
  const { requester, page } = request;
  const search: Search = { caches, memory, need: request.access === 'read' ? READ : WRITE, found: 0, note };
  const domains = domainsOf(caches, requester);
  for (let domain = 0; domain < 2; domain++) {
    searchLeaves(search, leafSlot(requester, page, domain));
    if ((domains >> domain) & 1) {
      if (rules.sharedIotlb) searchLeaves(search, leafSlot(1 - requester, page, domain));
      searchTables(search, domain, regionOf(world, page), page);
    }
  }
  searchContexts(search, requester);
  return search.found;
}

interface Search {
  readonly caches: Caches;
  readonly memory: readonly number[];
  /** The permission that is needed. */
  readonly need: number;
  found: number;
  readonly note: OutcomeNote | undefined;
}

function end(search: Search, outcome: number, from: number, how: string): void {
  if (((search.found >> outcome) & 1) === 0) search.note?.(outcome, from, how);
  search.found |= 1 << outcome;
}

function searchLeaves(search: Search, slot: number): void {
  for (let leaf = 1; leaf < 20; leaf++) {
    if (((search.caches[slot]! >> leaf) & 1) === 0) continue;
    if (leaf & search.need) end(search, leaf >> 2, 32 * slot + leaf, 'through this IOTLB entry');
    else end(search, BLOCKED_BY_PAGING, 32 * slot + leaf, 'this IOTLB entry lacks the permission');
  }
}

/** Facts 5.7, steps 6 and 7. */
function searchContexts(search: Search, requester: number): void {
  const { caches, memory } = search;
  if (memory[ROOT] === 0) end(search, BLOCKED_BY_ROOT, NOTHING, 'the root entry in memory is not present');
  for (let table = 0; table < 2; table++) {
    if ((caches[LATCHED + requester]! >> table) & 1 && memory[CONTEXT + 2 * table + requester] === 0) {
      end(search, BLOCKED_BY_CONTEXT, 32 * (LATCHED + requester) + table, 'its context entry in memory is not present');
    }
  }
  for (let context = 1; context <= 4; context++) {
    if ((caches[CONTEXTS + requester]! >> context) & 1 && (memory[LEVEL3 + treeOf(context)]! & 3) === 0) {
      end(
        search,
        BLOCKED_BY_PAGING,
        32 * (CONTEXTS + requester) + context,
        'the level-3 entry in memory is not present',
      );
    }
  }
}

/** Facts 5.7, step 12, from entries of the structure caches; what they do not hold is read from memory. */
function searchTables(search: Search, domain: number, region: number, page: number): void {
  const { caches, memory, need } = search;
  for (const [slot, places] of [
    [UPPER + domain, LEVEL2 + region],
    [MIDDLE + 2 * domain + region, LEVEL1 + page],
  ] as const) {
    for (let entry = 0; entry < 12; entry++) {
      if (((caches[slot]! >> entry) & 1) === 0) continue;
      const next = memory[places + 2 * (entry >> 2)]!;
      if ((entry & need) === 0) end(search, BLOCKED_BY_PAGING, 32 * slot + entry, 'this entry lacks the permission');
      else if ((next & need) === 0) {
        end(search, BLOCKED_BY_PAGING, 32 * slot + entry, 'the entry below it in memory lacks the permission');
      }
    }
  }
}
