import { describe, expect, it } from 'vitest';
import type { Operation } from '../../../spec/interface/operations.js';
import type { Target } from '../../../spec/interface/target.js';
import { createEngineTarget } from '../../targets/engine.js';
import { createVerdict } from '../index.js';
import { ADMITTED_RULES, type MachineRules, USUAL_RULES } from './caches.js';
import { compare, mergeReasons } from './compare.js';
import { derivationOf } from './derive.js';
import { historiesOf } from './history.js';
import { admits, branchesOf } from './machine.js';
import { dataAddress, tinyProfile } from './platform.js';
import { worldOf } from './random.js';
import {
  alphabetOf,
  BLOCKED_BY_CONTEXT,
  BLOCKED_BY_PAGING,
  BLOCKED_BY_ROOT,
  CONTEXT,
  type Index,
  type Invalidation,
  LEVEL1,
  LEVEL2,
  LEVEL3,
  ROOT,
  SUPERPAGE,
  type TinyOperation,
  type TinyWorld,
} from './world.js';

const NO = BLOCKED_BY_PAGING;
const RW = 3;
const R = 1;

/**
 * r0 is in domain 1 with tree A, r1 in domain 2 with tree B; tables A2 → A1 → F0, F1 for pages 0 and 1, B2 → B1 → F2, F3,
 * C2 → C1 → F3, F2, both pages in one region.
 */
const MEMORY: readonly number[] = [
  1,
  ...[1, 4, 0, 0],
  ...[4 * 0 + RW, 4 * 1 + RW],
  ...[0 + RW, 0, 4 + RW, 0, 8 + RW, 0],
  ...[0 + RW, 4 + RW, 8 + RW, 12 + RW, 12 + RW, 8 + RW],
];

const change = (place: number, value: number): TinyOperation => ({ op: 'change', place, value });
const leaf = (page: number, value: number): TinyOperation => change(LEVEL1 + page, value);
const observe: TinyOperation = { op: 'observe' };
const read = (page: Index = 0, requester: Index = 0): TinyOperation => ({
  op: 'request',
  requester,
  page,
  access: 'read',
});
const write = (page: Index = 0): TinyOperation => ({ op: 'request', requester: 0, page, access: 'write' });

type Changes<T> = Partial<Omit<T, 'cache' | 'scope'>>;
type OfContext = Extract<Invalidation, { cache: 'context' }>;
type OfIotlb = Extract<Invalidation, { cache: 'iotlb' }>;
const context = (scope: OfContext['scope'], changes: Changes<OfContext> = {}): TinyOperation => ({
  op: 'submit',
  invalidation: { cache: 'context', scope, domain: 0, requester: 0, functionMask: 0, ...changes },
});
const iotlb = (scope: OfIotlb['scope'], changes: Changes<OfIotlb> = {}): TinyOperation => ({
  op: 'submit',
  invalidation: { cache: 'iotlb', scope, domain: 0, page: 0, wide: false, keepUpper: false, ...changes },
});

function worldWith(operations: readonly TinyOperation[], changes: Partial<TinyWorld> = {}): TinyWorld {
  return { seed: 0, through: 'registers', sameRegion: true, memory: MEMORY, operations, ...changes };
}

/** How the last request may end, whatever the others do. */
function last(
  operations: readonly TinyOperation[],
  changes: Partial<TinyWorld> = {},
  rules: MachineRules = USUAL_RULES,
): readonly number[] {
  const found = branchesOf(worldWith(operations, changes), rules).reduce(
    (mask, each) => mask | each.outcomes.at(-1)!,
    0,
  );
  return Array.from({ length: 8 }, (_, bit) => bit).filter((bit) => (found >> bit) & 1);
}

/** Whether all requests together may end like that. */
function together(
  operations: readonly TinyOperation[],
  outcomes: readonly number[],
  rules: MachineRules = USUAL_RULES,
): boolean {
  return branchesOf(worldWith(operations), rules).some((branch) => admits(branch, outcomes));
}

const memoryWith = (...changes: readonly (readonly [place: number, value: number])[]): readonly number[] => {
  const memory = [...MEMORY];
  for (const [place, value] of changes) memory[place] = value;
  return memory;
};

describe('a leaf that changes', () => {
  it('is used as it is when nothing changed, and blocks what is not there', () => {
    expect(last([read()])).toEqual([0]);
    expect(last([read(1, 1)])).toEqual([3]);
    expect(last([read()], { memory: memoryWith([LEVEL1, 0]) })).toEqual([NO]);
    expect(last([read()], { memory: memoryWith([CONTEXT, 0]) })).toEqual([BLOCKED_BY_CONTEXT]);
    expect(last([read()], { memory: memoryWith([ROOT, 0]) })).toEqual([BLOCKED_BY_ROOT]);
  });

  it('is old or new before an invalidation (N1, N2)', () => {
    expect(last([leaf(0, 8 + RW), read()])).toEqual([0, 2]);
    expect(last([leaf(0, 0), read()])).toEqual([0, NO]);
  });

  it('may be old again after it was new: each request looks for itself (N1)', () => {
    expect(together([leaf(0, 8 + RW), read(), read()], [2, 0])).toBe(true);
  });

  it('is new at once when it was not present (N5)', () => {
    expect(last([leaf(0, 8 + RW), read()], { memory: memoryWith([LEVEL1, 0]) })).toEqual([2]);
  });

  it('may be any of the values it had', () => {
    expect(last([leaf(0, 8 + RW), leaf(0, 12 + RW), read()])).toEqual([0, 2, 3]);
  });

  it('is new once a covering invalidation was seen complete, and not before (VTD-CACHE-004)', () => {
    for (const covering of [iotlb('global'), iotlb('domain'), iotlb('page'), iotlb('page', { keepUpper: true })]) {
      expect(last([leaf(0, 8 + RW), covering, observe, read()])).toEqual([2]);
      expect(last([leaf(0, 8 + RW), covering, read()])).toEqual([0, 2]);
    }
  });

  it('may stay old after invalidations that do not cover it', () => {
    for (const other of [iotlb('domain', { domain: 1 }), iotlb('page', { page: 1 }), context('global')]) {
      expect(last([leaf(0, 8 + RW), other, observe, read()])).toEqual([0, 2]);
    }
  });

  it('is covered by the mask of another page (VTD-INV-004)', () => {
    const other = iotlb('page', { page: 1, wide: true });
    expect(last([leaf(0, 8 + RW), other, observe, read()])).toEqual([2]);
    expect(last([leaf(0, 8 + RW), other, observe, read()], { sameRegion: false })).toEqual([0, 2]);
  });

  it('may be old when the invalidation came before the change', () => {
    expect(last([iotlb('domain'), observe, leaf(0, 8 + RW), read()])).toEqual([0, 2]);
    expect(last([iotlb('domain'), leaf(0, 8 + RW), observe, read()])).toEqual([0, 2]);
  });
});

describe('one instant of effect', () => {
  const operations = [leaf(0, 8 + RW), iotlb('domain'), leaf(1, 12 + RW), read(0), observe, read(1)];

  it('cannot be late for one entry and early for another', () => {
    // Old page 0 means that the effect is still to come, and by then page 1 holds F3 alone.
    expect(together(operations, [0, 1])).toBe(false);
    expect(together(operations, [2, 1])).toBe(true);
    expect(together(operations, [0, 3])).toBe(true);
    expect(together(operations, [2, 3])).toBe(true);
  });

  it('is several where caches are dropped in turn, and stale entries still do not outlive it', () => {
    const rules: MachineRules = { ...USUAL_RULES, inTurn: true };
    expect(together(operations, [0, 1], rules)).toBe(true);
    expect(together([leaf(0, 8 + RW), iotlb('domain'), read(0), observe, read(0)], [0, 0], rules)).toBe(false);
    const moved = [change(LEVEL2, 4 + RW), iotlb('domain'), read(0), observe, read(0)];
    expect(together(moved, [0, 2], rules)).toBe(true);
    expect(together(moved, [0, 0], rules)).toBe(false);
  });
});

describe('permissions', () => {
  it('that were taken or given are old or new until the invalidation (7.3)', () => {
    expect(last([leaf(0, R), write()])).toEqual([0, NO]);
    const memory = memoryWith([LEVEL1, R]);
    expect(last([leaf(0, RW), write()], { memory })).toEqual([0, NO]);
    expect(last([leaf(0, RW), iotlb('page'), observe, write()], { memory })).toEqual([0]);
  });

  it('are those of every entry on the way', () => {
    expect(last([write()], { memory: memoryWith([LEVEL3, R]) })).toEqual([NO]);
    expect(last([write()], { memory: memoryWith([LEVEL2, R]) })).toEqual([NO]);
    expect(last([read()], { memory: memoryWith([LEVEL3, R], [LEVEL2, 2]) })).toEqual([NO]);
  });

  it('of upper entries stay in a structure cache that IH lets stand', () => {
    const kept = [change(LEVEL2, R), iotlb('page', { keepUpper: true }), observe, write()];
    expect(last(kept)).toEqual([0, NO]);
    expect(last([change(LEVEL2, R), iotlb('page'), observe, write()])).toEqual([NO]);
  });
});

describe('upper entries', () => {
  it('may be walked on with IH=1 as their table is now, and not with IH=0 (VTD-CACHE-011)', () => {
    const to = change(LEVEL2, 4 + RW);
    const kept = iotlb('page', { keepUpper: true });
    expect(last([to, leaf(0, 12 + RW), kept, observe, read()])).toEqual([2, 3]);
    expect(last([to, leaf(0, 12 + RW), iotlb('page'), observe, read()])).toEqual([2]);
  });

  it('are dropped with their domain and with everything', () => {
    const to = change(LEVEL2, 4 + RW);
    for (const covering of [iotlb('global'), iotlb('domain')])
      expect(last([to, covering, observe, read()])).toEqual([2]);
    expect(last([to, iotlb('domain', { domain: 1 }), observe, read()])).toEqual([0, 2]);
  });

  it('lead only to what could be read after them', () => {
    // C2 led to F3 before A3 named it: nobody can have read that.
    const operations = [change(LEVEL2 + 4, 4 + RW), change(LEVEL3, 8 + RW), read()];
    expect(last(operations)).toEqual([0, 2]);
  });

  it('are dropped for their own region by a page invalidation', () => {
    const memory = memoryWith([LEVEL2 + 1, 0 + RW]);
    const to = change(LEVEL2, 4 + RW);
    // Page 1 is in the other region and its own entry did not change; page 0's did.
    const other = [to, iotlb('page', { page: 1 }), observe, read()];
    expect(last(other, { memory, sameRegion: false })).toEqual([0, 2]);
    const third = [change(LEVEL3, 8 + RW), iotlb('page', { page: 1 }), observe, leaf(0, 4 + RW), read()];
    // The level-3 entry is dropped, the level-2 one of page 0's region is not: the old leaf table is walked.
    expect(last(third, { memory, sameRegion: false })).toEqual([0, 1, 3]);
  });

  it('split a 2 MiB page into pieces that outlive an invalidation of their neighbour (7.2, N7)', () => {
    const memory = memoryWith([LEVEL2, 4 * SUPERPAGE + RW]);
    const split = change(LEVEL2, 0 + RW);
    expect(last([split, read(1)], { memory })).toEqual([1, 4]);
    expect(last([split, iotlb('page'), observe, read(1)], { memory })).toEqual([1, 4]);
    expect(last([split, iotlb('page', { wide: true }), observe, read(1)], { memory })).toEqual([1]);
  });
});

describe('context entries', () => {
  const move = change(CONTEXT, 4);

  it('are new after context, then domain invalidation (VTD-CACHE-013)', () => {
    expect(last([move, read()])).toEqual([0, 2]);
    expect(last([move, context('device'), observe, iotlb('domain'), observe, read()])).toEqual([2]);
  });

  it('are dropped by a domain invalidation of their own domain', () => {
    const after = [observe, iotlb('global'), observe, read()];
    expect(last([move, context('domain'), ...after])).toEqual([2]);
    expect(last([move, context('domain', { domain: 1 }), ...after])).toEqual([0, 2]);
  });

  it('may be old when the order was the other one: the IOTLB is filled again between', () => {
    expect(last([move, iotlb('domain'), observe, context('device'), observe, read()])).toEqual([0, 2]);
  });

  it('leave mappings in the IOTLB, but lead no walk any more', () => {
    // F3 came into the old tables after the context cache was clean.
    expect(last([move, context('device'), observe, leaf(0, 12 + RW), read()])).toEqual([0, 2]);
    expect(last([move, leaf(0, 12 + RW), context('device'), observe, read()])).toEqual([0, 2, 3]);
  });

  it('are covered by a mask of the other function', () => {
    const operations = (functionMask: 1 | 3): readonly TinyOperation[] => [
      move,
      context('device', { requester: 1, functionMask }),
      observe,
      iotlb('global'),
      observe,
      read(),
    ];
    expect(last(operations(3))).toEqual([2]);
    expect(last(operations(1))).toEqual([0, 2]);
  });

  it('of another domain-id may survive a device invalidation, if the domain-id is compared', () => {
    const operations = [move, context('device', { domain: 1 }), observe, iotlb('global'), observe, read()];
    expect(last(operations)).toEqual([0, 2]);
    expect(last(operations, {}, { ...USUAL_RULES, deviceNamesDomain: false })).toEqual([2]);
  });

  it('share structure caches with their domain, and no IOTLB entries (7.1)', () => {
    const join = change(CONTEXT + 1, 1);
    const memory = memoryWith([CONTEXT + 1, 0]);
    expect(last([leaf(0, 8 + RW), join, read(0, 1)], { memory })).toEqual([2]);
    expect(last([change(LEVEL2, 8 + RW), join, read(0, 1)], { memory })).toEqual([0, 3]);
    expect(last([leaf(0, 8 + RW), join, read(0, 1)], { memory }, { ...USUAL_RULES, sharedIotlb: true })).toEqual([
      0, 2,
    ]);
  });
});

describe('the root entry', () => {
  const memory = memoryWith([CONTEXT + 2, 4]);
  const to = change(ROOT, 2);

  it('is new after global context, then global IOTLB invalidation (7.3)', () => {
    expect(last([to, read()], { memory })).toEqual([0, 2]);
    expect(last([to, context('global'), observe, iotlb('global'), observe, read()], { memory })).toEqual([2]);
  });

  it('may have been read by a walk that reads the context entry later', () => {
    // The context entry in the old table is made present only after the root entry left it.
    const late = [to, change(CONTEXT, 4), read()];
    const start = memoryWith([CONTEXT, 0], [CONTEXT + 2, 1]);
    expect(last(late, { memory: start })).toEqual([0, 2]);
    const stopped = [to, context('global'), observe, change(CONTEXT, 4), read()];
    expect(last(stopped, { memory: start })).toEqual([0]);
  });

  it('stops no walk that has read it alone when only a device is invalidated, unless the rules say so', () => {
    const operations = [to, context('device'), observe, iotlb('global'), observe, read()];
    expect(last(operations, { memory })).toEqual([0, 2]);
    expect(last(operations, { memory }, { ...USUAL_RULES, rootLeftBy: 'device' })).toEqual([2]);
  });
});

describe('the queue', () => {
  const move = change(CONTEXT, 4);

  it('lets an IOTLB invalidation wait for context ones before it (VTD-QI-016)', () => {
    const operations = [move, context('device'), iotlb('domain'), observe, read()];
    expect(last(operations, { through: 'queue' })).toEqual([2]);
  });

  it('keeps no other order (N30)', () => {
    const operations = [move, iotlb('domain'), context('device'), observe, read()];
    expect(last(operations, { through: 'queue' })).toEqual([0, 2]);
  });
});

describe('a derivation', () => {
  it('names the instants and the entries', () => {
    const world = worldWith([leaf(0, 8 + RW), iotlb('page'), read(), observe, read()]);
    const lines = derivationOf(world, [0, 2], USUAL_RULES)?.join('\n') ?? '';
    expect(lines).toContain('before 3: iotlb page 0 AM=0 IH=0 domain 1 (submitted by 1) takes effect');
    expect(lines).toContain('IOTLB, r0, page 0, domain 1: frame F0 RW, filled at the start');
    expect(derivationOf(world, [0, 0], USUAL_RULES)).toBeUndefined();
  });
});

/** The operations of a world's history, run on a target; gives the outcome of each request. */
async function outcomesOn(target: Target, world: TinyWorld): Promise<readonly number[]> {
  const requests = world.operations.filter((each) => each.op === 'request');
  const write = historiesOf(world, tinyProfile(), { reasons: false });
  const operations: readonly Operation[] = write(requests.map(() => NO)).steps.map((step) => step.operation);
  await target.begin('ready');
  const { observations, failure } = await target.run(operations);
  await target.finish();
  if (failure !== undefined) throw new Error(failure.message);
  const frames = alphabetOf(world).filter((outcome) => outcome < NO);
  return operations.flatMap((operation, at) => {
    if (operation.op !== 'dma') return [];
    const shown = observations[at]!;
    if (shown.of !== 'dma') throw new Error('no observation of a request');
    if (shown.status !== 'ok') return [NO];
    const request = requests.find((_, number) => number === operation.token)!;
    const offset = operation.address & 0xfffn;
    const paints = frames.map((frame) => Number((dataAddress(frame, request.page) + offset) >> 3n) & 0xff_ffff);
    if (shown.data !== undefined) {
      const word = new DataView(shown.data.buffer).getUint32(0, true) >>> 8;
      return [frames[paints.indexOf(word)] ?? -1];
    }
    const loads = observations.slice(at + 1, at + 1 + frames.length);
    const hit = loads.findIndex((load) => load.of === 'load' && load.data?.[0] !== 0x5a);
    return [frames[hit] ?? -1];
  });
}

describe('tiny worlds as histories', () => {
  it('do on a unit what the machine can do', async () => {
    const target = createEngineTarget({ shape: '39-2m' });
    for (let seed = 1; seed <= 500; seed++) {
      const world = worldOf(seed);
      const outcomes = await outcomesOn(target, world);
      const branches = branchesOf(world, USUAL_RULES).map(mergeReasons);
      expect(
        branches.some((branch) => admits(branch, outcomes)),
        `seed ${seed}: ${outcomes.join()}`,
      ).toBe(true);
    }
  });

  it('show a judge that accuses everything, and one that admits everything', () => {
    const profile = tinyProfile();
    const world = worldWith([leaf(0, 8 + RW), iotlb('page'), read(), observe, read()]);
    const options = { reasons: false, rules: USUAL_RULES };
    const all = compare(world, () => 'conformant', profile, options);
    // F2 alone is possible at the end, and at first F0 or F2.
    expect(all.disagreements.map((each) => each.kind)).not.toContain('refused');
    expect(all.disagreements).toContainEqual({ kind: 'admitted', outcomes: [0, 0] });
    expect(all.disagreements).toContainEqual({ kind: 'admitted', outcomes: [1] });
    const none = compare(world, () => 'deviant', profile, options);
    expect(none.disagreements.map((each) => [each.kind, each.outcomes])).toEqual([
      ['refused', [0, 2]],
      ['refused', [2, 2]],
    ]);
    expect(none.possible).toBe(2);
  });

  it('are judged as the machine does: nothing it can do is refused, and hardly anything else is admitted', {
    timeout: 120_000,
  }, () => {
    const verdictOn = createVerdict();
    const profile = tinyProfile();
    const WORLDS = 2000;
    let judged = 0;
    let admitted = 0;
    for (let seed = 1; seed <= WORLDS; seed++) {
      const options = { reasons: seed % 2 === 0, rules: ADMITTED_RULES };
      const comparison = compare(worldOf(seed), verdictOn, profile, options);
      const kinds = comparison.disagreements.map((each) => each.kind);
      expect(kinds, `seed ${seed}`).not.toContain('refused');
      expect(comparison.reasons, `seed ${seed}`).toEqual([]);
      if (kinds.includes('admitted')) admitted++;
      judged += comparison.judged;
    }
    expect(judged).toBeGreaterThan(10_000);
    // What one invalidation did before two requests is not followed from one to the other.
    expect(admitted).toBeLessThanOrEqual(0.002 * WORLDS);
  });
});
