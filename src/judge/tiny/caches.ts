import {
  CONTEXT,
  domainOf,
  type Invalidation,
  LEVEL1,
  LEVEL2,
  LEVEL3,
  pagesIn,
  ROOT,
  regionOf,
  SUPERPAGE,
  SUPERPAGE_FRAME,
  type TinyWorld,
  treeOf,
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
  /**
   * An invalidation takes effect on one cache after the other, upper levels first, and not at one instant. N1 promises
   * nothing before completion.
   */
  readonly inTurn: boolean;
}

export const USUAL_RULES: MachineRules = {
  sharedIotlb: false,
  deviceNamesDomain: true,
  rootLeftBy: 'global',
  inTurn: false,
};

/**
 * What the judge is to admit: a unit that finds translations by domain-id and address, too. N1 promises nothing before
 * an invalidation, and it drops them by domain-id in any case.
 */
export const ADMITTED_RULES: MachineRules = { ...USUAL_RULES, sharedIotlb: true };

/** Told of each entry that is filled, with the entry that the walk came from; entries are 32 * slot + bit. */
export type FillNote = (entry: number, from: number) => void;

export const NOTHING = -1;

function add(caches: Caches, slot: number, bit: number, from: number, note: FillNote | undefined): void {
  if ((caches[slot]! >> bit) & 1) return;
  caches[slot]! |= 1 << bit;
  note?.(32 * slot + bit, from);
}

/** Domains that a requester may be taken for, as bits: a walk goes on from a cached or current context entry. */
export function domainsOf(caches: Caches, requester: number): number {
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

export function leafSlot(requester: number, page: number, domain: number): number {
  return LEAVES + 4 * requester + 2 * page + domain;
}

/** In how many parts an invalidation may take effect. */
export function partsOf(invalidation: Invalidation, rules: MachineRules): number {
  if (!rules.inTurn) return 1;
  return invalidation.cache === 'context' ? 2 : 4;
}

/** All parts of an invalidation. */
export const WHOLE = -1;

/**
 * Drops what an invalidation covers, at one instant; a walk under way is dropped with the entries it has read (N3).
 *
 * @param part of a context invalidation: 0 and 1 are its requesters; of an IOTLB one: 0 the level-3 cache, 1 the level-2 cache,
 *   2 and 3 the IOTLB entries of pages 0 and 1
 */
export function drop(
  caches: Caches,
  world: TinyWorld,
  invalidation: Invalidation,
  rules: MachineRules,
  part: number = WHOLE,
): void {
  if (invalidation.cache === 'iotlb') dropMappings(caches, world, invalidation, part);
  else for (let each = 0; each < 2; each++) if (takes(part, each)) dropContexts(caches, each, invalidation, rules);
}

function takes(part: number, which: number): boolean {
  return part === WHOLE || part === which;
}

/** Facts 7.1: by source-id, by domain-id, all. 7.6: nothing of the IOTLB. */
function dropContexts(
  caches: Caches,
  each: number,
  { scope, domain, requester, functionMask }: Extract<Invalidation, { cache: 'context' }>,
  rules: MachineRules,
): void {
  const named = domain === 0 ? 0b00110 : 0b11000;
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

/** Facts 7.6; nothing of the context cache. */
function dropMappings(
  caches: Caches,
  world: TinyWorld,
  { scope, domain, page, wide, keepUpper }: Extract<Invalidation, { cache: 'iotlb' }>,
  part: number,
): void {
  const region = regionOf(world, page);
  const whole = scope !== 'page';
  for (let each = 0; each < 2; each++) {
    if (scope !== 'global' && each !== domain) continue;
    if (takes(part, 0) && (whole || !keepUpper)) caches[UPPER + each] = 0;
    for (let other = 0; other < 2; other++) {
      const touched = whole || (!keepUpper && other === region);
      if (takes(part, 1) && touched) caches[MIDDLE + 2 * each + other] = 0;
      const inside = whole || other === page || (wide && regionOf(world, other) === region);
      if (!takes(part, 2 + other) || !inside) continue;
      for (let requester = 0; requester < 2; requester++) caches[leafSlot(requester, other, each)] = 0;
    }
  }
}
