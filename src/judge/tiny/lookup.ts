import {
  type Caches,
  CONTEXTS,
  domainsOf,
  LATCHED,
  leafSlot,
  type MachineRules,
  MIDDLE,
  NOTHING,
  UPPER,
} from './caches.js';
import {
  BLOCKED_BY_CONTEXT,
  BLOCKED_BY_PAGING,
  BLOCKED_BY_ROOT,
  CONTEXT,
  LEVEL1,
  LEVEL2,
  LEVEL3,
  READ,
  ROOT,
  regionOf,
  type TinyOperation,
  type TinyWorld,
  treeOf,
  WRITE,
} from './world.js';

/** Told of each way for a request to end, with the entry it was due to. */
export type OutcomeNote = (outcome: number, from: number, how: string) => void;

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
