/** Arbitraries of the intents. */

import fc, { type Arbitrary } from 'fast-check';
import { AIMS, type Aim } from './breaks.js';
import type { Platform } from './capabilities.js';
import { CORRUPTION_CLASSES, type Corruption } from './corrupt.js';
import {
  type Act,
  type AttachIntent,
  type CaseIntents,
  type DomainIntent,
  type InvalidationIntent,
  NO_BYTES,
  type PageIntent,
  type Recipe,
  type RequestIntent,
  type SlotIntent,
  type Step,
  SWARM,
} from './intents.js';

const TARGETS: Readonly<Record<RequestIntent['to'], number>> = { mapped: 84, slot: 6, beyond: 2, foreign: 6, wild: 2 };

function weighted<T extends string>(weights: Readonly<Partial<Record<T, number>>>): Arbitrary<T> {
  const values: T[] = [];
  for (const [value, weight] of Object.entries(weights) as [T, number][]) {
    for (let n = 0; n < weight; n++) values.push(value);
  }
  return fc.constantFrom(...values);
}

/** Requests, going where the weights say. */
export function requestArbitrary(
  recipe: Pick<Recipe, 'targets' | 'zeroLengthOneIn' | 'noSnoop'> = {},
): Arbitrary<RequestIntent> {
  const { targets, zeroLengthOneIn, noSnoop } = recipe;
  const length = fc.nat(NO_BYTES - 1);
  return fc.record({
    pick: fc.nat(63),
    to: weighted({ ...TARGETS, ...targets }),
    place: fc.constantFrom('inside', 'inside', 'inside', 'start', 'end', 'cross'),
    length:
      zeroLengthOneIn === undefined
        ? length
        : fc.tuple(fc.nat(zeroLengthOneIn - 1), length).map(([rare, some]) => (rare === 0 ? NO_BYTES : some)),
    offset: fc.nat(1023),
    write: fc.boolean(),
    ...(noSnoop === true ? { noSnoop: fc.boolean() } : {}),
  });
}

function pages(platform: Platform, recipe: Recipe): Arbitrary<PageIntent> {
  const sizes = platform.leafLevels.map((_, size) => size);
  const small = Array.from({ length: ((recipe.largePagesOneIn ?? 1) - 1) * sizes.length }, () => 0);
  return fc.record({
    slot: fc.nat(3),
    size: fc.constantFrom(...small, ...sizes),
    count: fc.integer({ min: 1, max: 3 }),
    rights: fc.nat(23),
  });
}

/** Input addresses. */
export function slotArbitrary(): Arbitrary<SlotIntent> {
  return fc.record({
    edge: fc.nat(7),
    share: fc.nat(5),
    indices: fc.tuple(fc.nat(767), fc.nat(767), fc.nat(767), fc.nat(767), fc.nat(767)),
  });
}

function attachments(quietOneIn: number): Arbitrary<AttachIntent> {
  return fc.record({ to: fc.nat(15), quiet: fc.nat(quietOneIn - 1) });
}

function domains(platform: Platform, recipe: Recipe): Arbitrary<DomainIntent> {
  return fc.record({
    width: fc.nat(platform.widths.length - 1),
    id: fc.nat(63),
    pages: fc.array(pages(platform, recipe), { minLength: 1, maxLength: 4, size: 'max' }),
  });
}

function corruptions(): Arbitrary<Corruption> {
  return fc.record({
    how: fc.constantFrom(...CORRUPTION_CLASSES),
    a: fc.integer({ min: 0, max: 0xffff_ffff }),
    b: fc.integer({ min: 0, max: 0xffff_ffff }),
  });
}

/** Invalidations of every cache and granularity. */
export function invalidationArbitrary(): Arbitrary<InvalidationIntent> {
  return fc.record({
    cache: fc.constantFrom('context', 'context', 'context', 'iotlb', 'iotlb', 'iotlb', 'iotlb', 'interrupt'),
    granularity: fc.integer({ min: 1, max: 3 }),
    domain: fc.nat(15),
    who: fc.nat(15),
    functionMask: fc.nat(3),
    pick: fc.nat(63),
    mask: fc.nat(63),
    flags: fc.nat(3),
  });
}

/** The arbitrary of every act. */
function acts(platform: Platform, recipe: Recipe): { readonly [A in Act]: Arbitrary<Extract<Step, { act: A }>> } {
  const who = fc.nat(Math.max(platform.requesters.length - 1, 0));
  const pick = fc.nat(63);
  const request = requestArbitrary(recipe);
  const page = pages(platform, recipe);
  const aims = Object.fromEntries(AIMS.map((aim) => [aim, 1])) as Record<Aim, number>;
  return {
    dma: fc.record({ act: fc.constant('dma'), who, request }),
    map: fc.record({ act: fc.constant('map'), who, page }),
    unmap: fc.record({ act: fc.constant('unmap'), who, pick, rest: fc.nat(0xffff) }),
    rights: fc.record({ act: fc.constant('rights'), who, pick, level: fc.nat(4), rights: fc.nat(3) }),
    remap: fc.record({ act: fc.constant('remap'), who, pick }),
    attach: fc.record({ act: fc.constant('attach'), who, attach: attachments(recipe.quietOneIn ?? 16) }),
    detach: fc.record({ act: fc.constant('detach'), who, bus: fc.boolean() }),
    quiet: fc.record({ act: fc.constant('quiet'), who, on: fc.boolean() }),
    break: fc.record({
      act: fc.constant('break'),
      who,
      aim: weighted({ ...aims, ...recipe.aims }),
      detail: fc.nat(0xffff),
      keep: fc.nat(7).map((n) => n === 7),
      request,
    }),
    corrupt: fc.record({
      act: fc.constant('corrupt'),
      who,
      entry: fc.nat(7),
      corruption: corruptions(),
      keep: fc.boolean(),
      request,
    }),
    repair: fc.record({ act: fc.constant('repair') }),
    split: fc.record({ act: fc.constant('split'), who, pick }),
    reinterpret: fc.record({ act: fc.constant('reinterpret'), who, pick, request }),
    interrupt: fc.record({ act: fc.constant('interrupt'), who, page: fc.nat(15) }),
    reroot: fc.record({ act: fc.constant('reroot'), who, empty: fc.boolean(), request }),
    collect: fc.record({ act: fc.constant('collect'), overflow: fc.boolean() }),
    flush: fc.record({ act: fc.constant('flush') }),
    snoop: fc.record({ act: fc.constant('snoop'), who, pick, on: fc.nat(3).map((n) => n > 0) }),
    load: fc.record({ act: fc.constant('load'), frame: pick }),
    invalidate: fc.record({ act: fc.constant('invalidate'), what: invalidationArbitrary() }),
  };
}

/** Cases as a recipe wants them, for a platform. */
export function cases(platform: Platform, recipe: Recipe): Arbitrary<CaseIntents> {
  const all = acts(platform, recipe);
  const steps = (Object.entries(recipe.weights) as [Act, number][])
    .filter(([, weight]) => weight > 0)
    .map(([act, weight]) => ({ weight, arbitrary: all[act] as Arbitrary<Step> }));
  const { least, most } = recipe.steps ?? { least: 12, most: 24 };
  const seats = platform.requesters.length;
  // Numbers are only choices here; small ones and bounds mean nothing of their own.
  return fc.noBias(
    fc.record({
      features: fc.nat((1 << SWARM.length) - 1),
      start: fc.nat(999),
      collect: fc.nat(19),
      queue: fc.nat(15),
      slots: fc.array(slotArbitrary(), { minLength: 2, maxLength: 4, size: 'max' }),
      domains: fc.array(domains(platform, recipe), { minLength: 1, maxLength: 3, size: 'max' }),
      attach: fc.array(attachments(recipe.quietOneIn ?? 16), { minLength: seats, maxLength: seats, size: 'max' }),
      steps: fc.array(fc.oneof(...steps), { minLength: least, maxLength: most, size: 'max' }),
    }),
  );
}
