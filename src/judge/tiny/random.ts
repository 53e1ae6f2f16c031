import {
  CONTEXT,
  domainOf,
  FRAMES,
  type Index,
  type Invalidation,
  LEVEL1,
  LEVEL2,
  LEVEL3,
  ROOT,
  SUPERPAGE,
  type TinyOperation,
  type TinyWorld,
  treeOf,
} from './world.js';

/** Most operations of a world. */
const MOST_OPERATIONS = 8;
/** Most requests of a world. */
const MOST_REQUESTS = 4;

/** Uniform random numbers from a seed (32 bits). */
class Dice {
  private state: number;
  constructor(seed: number) {
    this.state = (seed * 0x9e37_79b9 + 0x7f4a_7c15) | 0;
  }

  /** 0 to `below` - 1. */
  roll(below: number): number {
    this.state = (this.state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  }

  chance(percent: number): boolean {
    return this.roll(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.roll(items.length)]!;
  }

  index(): Index {
    return this.roll(2) as Index;
  }

  /** Mostly both rights. */
  rights(): number {
    return this.pick([3, 3, 3, 3, 3, 3, 3, 1, 1, 2]);
  }
}

export interface WorldOptions {
  /** Lets context entries that share a domain name different tables (N53). */
  readonly brokenSharing?: boolean;
}

/** The random world of a seed. */
export function worldOf(seed: number, options: WorldOptions = {}): TinyWorld {
  const dice = new Dice(seed);
  const sameRegion = dice.chance(50);
  const through = dice.chance(50) ? 'registers' : 'queue';
  const memory = firstMemory(dice, options);
  const focus = { requester: dice.index(), page: dice.index() };
  const draft: Draft = { dice, options, focus, sameRegion, through, memory: [...memory], outstanding: 0, requests: 0 };
  const length = 3 + dice.roll(MOST_OPERATIONS - 2);
  const operations: TinyOperation[] = [];
  while (operations.length < length - 1) operations.push(nextOperation(draft));
  operations.push(request(draft));
  return { seed, through, sameRegion, memory, operations };
}

interface Draft {
  readonly dice: Dice;
  readonly options: WorldOptions;
  /** The requester and the page that most operations are about, so that they meet. */
  readonly focus: { readonly requester: Index; readonly page: Index };
  readonly sameRegion: boolean;
  readonly through: TinyWorld['through'];
  readonly memory: number[];
  outstanding: number;
  requests: number;
}

function firstMemory(dice: Dice, options: WorldOptions): readonly number[] {
  const memory: number[] = [];
  memory[ROOT] = 1;
  const shared = dice.chance(40);
  for (let table = 0; table < 2; table++) {
    for (let requester = 0; requester < 2; requester++) {
      const own = shared ? 1 : 1 + 3 * requester;
      const place = CONTEXT + 2 * table + requester;
      memory[place] = dice.chance(93) ? own : 0;
      if (table === 1 && dice.chance(60)) memory[place] = contextValue(dice, memory, place, options);
    }
  }
  for (let tree = 0; tree < 2; tree++) memory[LEVEL3 + tree] = dice.chance(96) ? 4 * tree + dice.rights() : 0;
  for (let table = 0; table < 3; table++) {
    for (let region = 0; region < 2; region++) {
      const target = dice.chance(15) ? SUPERPAGE : dice.chance(75) ? table : dice.roll(3);
      memory[LEVEL2 + 2 * table + region] = dice.chance(95) ? 4 * target + dice.rights() : 0;
    }
  }
  for (let place = LEVEL1; place < LEVEL1 + 6; place++) {
    memory[place] = dice.chance(95) ? 4 * dice.roll(FRAMES) + dice.rights() : 0;
  }
  return memory;
}

function requester({ dice, focus }: Draft): Index {
  return dice.chance(80) ? focus.requester : dice.index();
}

function page({ dice, focus }: Draft): Index {
  return dice.chance(70) ? focus.page : dice.index();
}

function nextOperation(draft: Draft): TinyOperation {
  const { dice } = draft;
  const roll = dice.roll(100);
  if (roll < 42) return change(draft);
  if (roll < 58 && draft.requests < MOST_REQUESTS - 1) return request(draft);
  if (draft.outstanding > 0 && (draft.through === 'registers' || dice.chance(55))) {
    draft.outstanding = 0;
    return { op: 'observe' };
  }
  draft.outstanding++;
  return { op: 'submit', invalidation: invalidation(draft) };
}

function request(draft: Draft): TinyOperation {
  const { dice } = draft;
  draft.requests++;
  return { op: 'request', requester: requester(draft), page: page(draft), access: dice.chance(65) ? 'read' : 'write' };
}

/** Places that a walk reads now. */
function path(draft: Draft, who: number, where: number): readonly number[] {
  const { memory, sameRegion } = draft;
  const region = sameRegion ? 0 : where;
  const places = [ROOT];
  const root = memory[ROOT]!;
  if (root === 0) return places;
  const context = CONTEXT + 2 * (root - 1) + who;
  places.push(context);
  if (memory[context] === 0) return places;
  const level3 = LEVEL3 + treeOf(memory[context]!);
  places.push(level3);
  if ((memory[level3]! & 3) === 0) return places;
  const level2 = LEVEL2 + 2 * (memory[level3]! >> 2) + region;
  places.push(level2);
  const table = memory[level2]! >> 2;
  if ((memory[level2]! & 3) !== 0 && table !== SUPERPAGE) places.push(LEVEL1 + 2 * table + where);
  return places;
}

function change(draft: Draft): TinyOperation {
  const { dice, memory } = draft;
  const known = path(draft, requester(draft), page(draft));
  let place = dice.chance(80) ? dice.pick(known) : dice.roll(LEVEL1 + 6);
  // Changes of the root entry are one kind of many.
  if (place === ROOT && known.length > 1 && dice.chance(75)) place = known.at(-1)!;
  let value = newValue(draft, place);
  for (let tries = 0; tries < 4 && value === memory[place]; tries++) value = newValue(draft, place);
  memory[place] = value;
  return { op: 'change', place, value };
}

function newValue(draft: Draft, place: number): number {
  const { dice, memory } = draft;
  if (place >= LEVEL3 && dice.chance(25)) return 0;
  if (place === ROOT) return dice.roll(3);
  if (place < LEVEL3) return contextValue(dice, memory, place, draft.options);
  const rights = dice.rights();
  if (place < LEVEL2) return 4 * dice.roll(3) + rights;
  if (place < LEVEL1) return 4 * (dice.chance(30) ? SUPERPAGE : dice.roll(3)) + rights;
  return 4 * dice.roll(FRAMES) + rights;
}

/** A context entry; unless wanted otherwise, no other entry gives its domain another table. */
function contextValue(dice: Dice, memory: readonly number[], place: number, options: WorldOptions): number {
  const others = [0, 1, 2, 3].map((each) => CONTEXT + each).filter((each) => each !== place);
  const lawful = [1, 2, 3, 4].filter((value) =>
    others.every((other) => {
      const held = memory[other] ?? 0;
      return held === 0 || domainOf(held) !== domainOf(value) || treeOf(held) === treeOf(value);
    }),
  );
  return dice.pick([0, ...(options.brokenSharing === true ? [1, 2, 3, 4] : lawful)]);
}

function invalidation(draft: Draft): Invalidation {
  const { dice, memory } = draft;
  const who = requester(draft);
  const held = memory[CONTEXT + who]!;
  const domain = held !== 0 && dice.chance(75) ? domainOf(held) : dice.index();
  if (dice.chance(35)) {
    const scope = dice.pick(['global', 'domain', 'device', 'device'] as const);
    return { cache: 'context', scope, domain, requester: who, functionMask: dice.pick([0, 0, 1, 3] as const) };
  }
  const scope = dice.pick(['global', 'domain', 'domain', 'page', 'page', 'page'] as const);
  const flags = { wide: dice.chance(20), keepUpper: dice.chance(30) };
  return { cache: 'iotlb', scope, domain, page: page(draft), ...flags };
}
