import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DmaOperation, Operation, Reference, RegisterWriteOperation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import { paintWord } from '../../spec/layout/tokens.js';
import { SHAPE_NAMES, shapeOf } from '../../src/engine/index.js';
import type { Property } from '../../src/harness/property.js';
import { engineProfile } from '../../src/targets/engine-profile.js';
import { properties } from '../index.js';
import { platformOf } from './capabilities.js';
import { Stage } from './stage.js';

// Nothing here uses the plan's own tables of places or its walk: rules are written out again, plainly.

const PAGE = 4096n;

/** Memory as the stores leave it. */
class Memory {
  readonly words = new Map<bigint, bigint>();
  #zeroEnd = 0n;
  #zeroStart = 0n;

  read(address: bigint): bigint {
    const zeroed = address >= this.#zeroStart && address < this.#zeroEnd;
    return this.words.get(address) ?? (zeroed ? 0n : paintWord(address));
  }

  /** One large store of zeros, before anything else. */
  zero(start: bigint, bytes: bigint): void {
    if (this.words.size > 0 || this.#zeroEnd !== 0n) throw new Error('zeros after something else');
    this.#zeroStart = start;
    this.#zeroEnd = start + bytes;
  }
}

type Where = 'arena' | 'ram' | 'forbidden' | 'interrupt' | 'hole';

function where(profile: Profile, address: bigint): Where {
  const { base, bytes } = profile.arena;
  if (address >= base && address < base + BigInt(bytes)) return 'arena';
  if (address >> 20n === 0xfeen) return 'interrupt';
  const inside = profile.memory.filter((region) => address >= region.base && address < region.base + region.bytes);
  if (inside.some((region) => region.kind !== 'ram')) return 'forbidden';
  return inside.length > 0 ? 'ram' : 'hole';
}

/** A walk that checks presence only; gives the host-physical address, or `undefined` when something is absent. */
function walk(profile: Profile, memory: Memory, root: bigint, routingId: number, iova: bigint): bigint | undefined {
  const readable = (address: bigint): boolean => where(profile, address) === 'arena';
  const rootEntry = root + BigInt(routingId >> 8) * 16n;
  if (!readable(rootEntry) || (memory.read(rootEntry) & 1n) === 0n) return undefined;
  const contextEntry = (memory.read(rootEntry) & ~0xfffn) + BigInt(routingId & 0xff) * 16n;
  if (!readable(contextEntry) || (memory.read(contextEntry) & 1n) === 0n) return undefined;
  const low = memory.read(contextEntry);
  if (((low >> 2n) & 3n) === 2n) return iova;
  const aw = memory.read(contextEntry + 8n) & 7n;
  if (aw < 1n || aw > 3n || iova >> (30n + 9n * aw) !== 0n) return undefined;
  let table = low & ~0xfffn;
  for (let shift = 30n + 9n * aw - 9n; ; shift -= 9n) {
    const entryAddress = table + ((iova >> shift) & 511n) * 8n;
    if (!readable(entryAddress)) return undefined;
    const entry = memory.read(entryAddress);
    if ((entry & 3n) === 0n) return undefined;
    const target = entry & 0xf_ffff_ffff_f000n;
    const offset = (1n << shift) - 1n;
    if (shift === 12n || (shift <= 30n && (entry & 0x80n) !== 0n)) return (target & ~offset) | (iova & offset);
    table = target;
  }
}

const GLOBAL_CONTEXT = (1n << 63n) | (1n << 61n);
const GLOBAL_IOTLB = (1n << 63n) | (1n << 60n);

/** Follows a scenario and says what is wrong with it. */
class Checker {
  readonly memory = new Memory();
  readonly faults: string[] = [];
  #root = 0n;
  #latched = 0n;
  #enabled: boolean;
  #stale = false;
  /** How far the flush sequence has come: CCMD written, polled, IOTLB written. */
  #flush = 0;
  readonly #tokens = new Set<string>();
  readonly #pairFrames = new Set<bigint>();
  readonly #profile: Profile;

  constructor(profile: Profile, start: 'reset' | 'ready') {
    this.#profile = profile;
    this.#enabled = start === 'ready';
  }

  #inArena(address: bigint, bytes: bigint): boolean {
    const { base, bytes: size } = this.#profile.arena;
    return address >= base && address + bytes <= base + BigInt(size) && (address & 7n) === 0n;
  }

  /** One store is visible at one instant: what was present counts before any of it. */
  #store(address: bigint, values: readonly bigint[]): void {
    values.forEach((value, n) => {
      const at = address + BigInt(n * 8);
      const pair = this.#pairFrames.has(at & ~0xfffn);
      const present = pair ? this.memory.read(at & ~15n) & 1n : this.memory.read(at) & 3n;
      if (this.memory.read(at) !== value && present !== 0n) this.#stale = true;
    });
    values.forEach((value, n) => {
      const at = address + BigInt(n * 8);
      this.memory.words.set(at, value);
      if ((at & ~0xfffn) === this.#latched && (at & 8n) === 0n) this.#pairFrames.add(value & ~0xfffn);
    });
  }

  #register(operation: RegisterWriteOperation): void {
    const { register, value } = operation;
    if (register === 'RTADDR') this.#root = value as bigint;
    if (register === 'GCMD') {
      if ((value as bigint) & (1n << 30n)) {
        this.#latched = this.#root & ~0xfffn;
        this.#stale = true;
      }
      if (this.#enabled && ((value as bigint) & (1n << 31n)) === 0n) this.faults.push('translation turned off');
      this.#enabled = ((value as bigint) & (1n << 31n)) !== 0n;
      for (let bus = 0n; bus < 256n; bus++) {
        if (!this.#inArena(this.#latched, PAGE)) break;
        this.#pairFrames.add(this.#latched);
        this.#pairFrames.add(this.memory.read(this.#latched + 16n * bus) & ~0xfffn);
      }
    }
    if (register === 'CCMD') this.#flush = value === GLOBAL_CONTEXT ? 1 : 0;
    if (register === 'IOTLB') {
      const plain = (value as bigint) & ~(3n << 48n);
      this.#flush = this.#flush === 2 && plain === GLOBAL_IOTLB ? 3 : 0;
    }
  }

  #dma(at: number, operation: DmaOperation): void {
    const { requester, direction, token, address, bytes } = operation;
    const key = `${requester}/${direction}/${token}`;
    const { limits, requesters } = this.#profile;
    if (this.#tokens.has(key) || token >= limits.tokens) this.faults.push(`${at}: token ${key}`);
    this.#tokens.add(key);
    if (bytes < 1 || bytes > limits.dmaBytes || address + BigInt(bytes) > 1n << 64n) this.faults.push(`${at}: length`);
    if (this.#stale && this.#enabled) this.faults.push(`${at}: request without flush`);
    const routingId = requesters.find((each) => each.id === requester)!.routingId;
    const firsts = new Set([address, (address + BigInt(bytes) - 1n) & ~0xfffn]);
    for (const first of firsts) {
      if (first < address && firsts.size > 1) continue;
      this.#piece(at, operation, first, routingId);
    }
  }

  #piece(at: number, operation: DmaOperation, first: bigint, routingId: number): void {
    const write = operation.direction === 'write';
    if (where(this.#profile, first) === 'interrupt') {
      const message = write && operation.bytes === 4 && (first & 3n) === 0n;
      const plain = (first & 0xfffn) === 0n && first < 0xfee1_0000n;
      if (message && !plain) this.faults.push(`${at}: odd interrupt message`);
      return;
    }
    const output = this.#enabled ? walk(this.#profile, this.memory, this.#latched, routingId, first) : first;
    if (output === undefined) return;
    const place = where(this.#profile, output);
    if (place === 'forbidden') this.faults.push(`${at}: reaches a device or reserved memory`);
    if (place === 'ram' && write) this.faults.push(`${at}: writes outside the arena`);
  }

  #reference(at: number, reference: Reference, operations: readonly Operation[]): void {
    const target = operations[reference.ref];
    if (reference.ref >= at || (target?.op !== 'regRead' && target?.op !== 'poll'))
      this.faults.push(`${at}: reference`);
  }

  check(at: number, operation: Operation, operations: readonly Operation[]): void {
    if ('index' in operation && typeof operation.index === 'object') this.#reference(at, operation.index, operations);
    switch (operation.op) {
      case 'store': {
        const { address, words, repeat = 1 } = operation;
        if (!this.#inArena(address, BigInt(words.length * repeat * 8)))
          this.faults.push(`${at}: store outside the arena`);
        if (repeat > 1 && words.length === 1 && words[0] === 0n) {
          this.memory.zero(address, BigInt(repeat * 8));
          this.#stale = true;
          break;
        }
        if (repeat > 1) throw new Error('only zeros are repeated');
        this.#store(address, words);
        break;
      }
      case 'load':
        if (!this.#inArena(operation.address, BigInt(operation.bytes)))
          this.faults.push(`${at}: load outside the arena`);
        break;
      case 'regWrite':
        this.#register(operation);
        break;
      case 'poll':
        if (operation.register === 'CCMD' && this.#flush === 1) this.#flush = 2;
        else if (operation.register === 'IOTLB' && this.#flush === 3) {
          this.#stale = false;
          this.#flush = 0;
        }
        break;
      case 'dma':
        this.#dma(at, operation);
        break;
      case 'regRead':
        break;
      default:
        this.faults.push(`${at}: operation ${operation.op}`);
    }
  }
}

function faultsOf(profile: Profile, start: 'reset' | 'ready', operations: readonly Operation[]): readonly string[] {
  const checker = new Checker(profile, start);
  operations.forEach((operation, at) => {
    checker.check(at, operation, operations);
  });
  const last = operations.at(-1);
  const { base, bytes } = profile.arena;
  if (last?.op !== 'load' || last.address !== base || last.bytes !== bytes) checker.faults.push('no final load');
  return checker.faults;
}

function check(profile: Profile, built: ReturnType<Property['build']>): void {
  const { scenario } = built;
  if (scenario.level !== 'operations') throw new Error('not a scenario of operations');
  const faults = faultsOf(profile, scenario.start, scenario.operations);
  expect(faults).toEqual([]);
}

const CASES = 60;

/** Devices where a flipped or a cut-off address easily lands. */
function crowded(profile: Profile): Profile {
  const device = (base: bigint, bytes: bigint) => ({ kind: 'device', base, bytes }) as const;
  const devices = [
    device(0x0408_0000n, 0x8_0000n),
    device(0x0500_0000n, 0x100_0000n),
    device(0x8000_0000n, 0x7e00_0000n),
  ];
  return { ...profile, memory: [...profile.memory, ...devices] };
}

test.each(properties)('$id stays away from devices all around', (property) => {
  const profile = crowded(engineProfile(shapeOf('57-1g')));
  let withheld = 0;
  const drawn = fc.sample(property.intents(profile), { seed: 12, numRuns: CASES });
  const sweep = property.sweep?.(profile);
  const swept = Array.from({ length: sweep?.size ?? 0 }, (_, index) => sweep!.at(index));
  for (const built of [...drawn.map((intents) => property.build(profile, intents)), ...swept]) {
    check(profile, built);
    withheld += built.labels['made:withheld'] ?? 0;
  }
  if (sweep !== undefined) expect(withheld).toBeGreaterThan(0);
});

describe.each(SHAPE_NAMES)('scenarios for the shape %s', (name) => {
  const profile = engineProfile(shapeOf(name));
  test.each(properties.filter((property) => property.notApplicable?.(profile) === undefined))('$id', (property) => {
    for (const intents of fc.sample(property.intents(profile), { seed: 11, numRuns: CASES })) {
      check(profile, property.build(profile, intents));
    }
    const sweep = property.sweep?.(profile);
    for (let index = 0; index < (sweep?.size ?? 0); index += 7) check(profile, sweep!.at(index));
  });

  test('a planned page is where the stored tables say', () => {
    const platform = platformOf(profile);
    for (const width of platform.widths) {
      for (const level of platform.leafLevels) {
        for (const edge of [0, 1]) {
          const indices = [0x155, 0x0ff, 0x1fe, 0x003, 0x101];
          const stage = new Stage(platform, [{ edge, share: 0, indices }], 0);
          const { plan } = stage;
          const domain = plan.addDomain(width, 5n)!;
          const frame = plan.memory.dataFrame(4);
          const iova = stage.slotAddress(domain, 0, level);
          const mapping = plan.map(domain, iova, level, 3n, plan.pageOfData(frame, level))!;
          plan.attach(plan.seat(1), { domain: 0, faultDisable: false });
          plan.memory.zeroTables(stage.script);
          stage.latchRoot(plan.rootAddress);
          const checker = new Checker(profile, 'ready');
          stage.script.operations.forEach((operation, at) => {
            checker.check(at, operation, stage.script.operations);
          });
          const target = plan.memory.frameAddress(frame) + 0x123n;
          const from = mapping.iova + (target - mapping.out);
          expect(from >> BigInt(width.inputBits)).toBe(0n);
          if (edge === 0)
            expect((mapping.iova + (1n << (12n + 9n * BigInt(level - 1)))) >> BigInt(width.inputBits)).toBe(1n);
          expect(walk(profile, checker.memory, plan.rootAddress, plan.seat(1).requester.routingId, from)).toBe(target);
          expect(mapping.entries).toHaveLength(width.levels - level + 1);
        }
      }
    }
  });
});

test('the checker sees a request without a flush', () => {
  const profile = engineProfile(shapeOf('39-4k'));
  const stage = new Stage(platformOf(profile), [{ edge: 1, share: 0, indices: [1, 2, 3, 4, 5] }], 0);
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  const domain = plan.addDomain(plan.platform.widths[0]!, 5n)!;
  const mapping = plan.map(domain, 0x7000n, 1, 3n, plan.memory.frameAddress(50))!;
  const seat = plan.seat(0);
  plan.attach(seat, { domain: 0, faultDisable: false });
  stage.latchRoot(plan.rootAddress);
  plan.putEntry(mapping.entries.at(-1)!, plan.memory.frameAddress(51) | 3n);
  const request = { address: mapping.iova, bytes: 8, write: false };
  stage.send(seat, request);
  stage.finish();
  expect(faultsOf(profile, 'ready', script.operations)).toEqual([]);
  const first = script.operations.findIndex((operation) => operation.op === 'dma');
  const cut = script.operations.filter((_, at) => at < first - 4 || at >= first);
  expect(faultsOf(profile, 'ready', cut).join()).toContain('request without flush');
});
