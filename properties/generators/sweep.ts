/** One change in one entry of an otherwise good chain: every bit of every entry type, every class of every field. */

import type { Profile } from '../../spec/interface/profile.js';
import { CONTEXT_ENTRY, ROOT_ENTRY } from '../../spec/layout/vtd.js';
import type { Built } from '../../src/harness/property.js';
import { type Platform, platformOf, type Width } from './capabilities.js';
import { ADDRESS_CLASSES, addressOfClass, type EntryWords, flip, holeOf, replaceField } from './corrupt.js';
import { ADDRESS_MASK, covers, PAGE_SIZE_BIT, POINTER_MASK, READ_WRITE } from './entries.js';
import type { Mapping, Seat } from './plan.js';
import { Stage } from './stage.js';

/** Which entry: the root entry, the context entry, or the paging entry of a level. */
type Where = 'root' | 'context' | number;

/** One swept case. */
export interface SweepPoint {
  readonly width: Width;
  /** Level of the chain's leaf. */
  readonly leaf: number;
  readonly where: Where;
  /** The entry has its rights before the change; without, it is not present. */
  readonly present: boolean;
  readonly change:
    | { readonly kind: 'bit'; readonly bit: number }
    | { readonly kind: 'field'; readonly field: 'AW' | 'TT' | 'DID'; readonly value: bigint }
    | { readonly kind: 'address'; readonly address: bigint }
    /** A superpage, sound but for its size, which the unit does not have. */
    | { readonly kind: 'superpage'; readonly address: bigint }
    /** Every bit is 1, as where nothing answers a read. */
    | { readonly kind: 'ones' };
}

/** Input address with another table position at each level. */
const INDICES = [0x155, 0x0aa, 0x101, 0x0fe, 0x07f] as const;

/** Points that belong together, made one at a time. */
export interface Section {
  readonly size: number;
  at(index: number): SweepPoint;
}

type Start = Omit<SweepPoint, 'change'>;

function bits(start: Start, size: number): Section {
  return { size, at: (bit) => ({ ...start, change: { kind: 'bit', bit } }) };
}

function listed(start: Start, changes: readonly SweepPoint['change'][]): Section {
  return { size: changes.length, at: (index) => ({ ...start, change: changes[index]! }) };
}

const ALL_ONES = 0xffff_ffff_ffff_ffffn;

function ones(start: Start): Section {
  return listed(start, [{ kind: 'ones' }]);
}

function addresses(platform: Platform, start: Start, top: number): Section {
  const changes: SweepPoint['change'][] = [];
  for (const kind of ADDRESS_CLASSES) {
    // The arena as a whole is met by the flipped bits; a table in the interrupt range would be a device.
    if (kind === 'arena' || (kind === 'interrupt' && start.where !== start.leaf)) continue;
    const address = addressOfClass(platform, kind, 0n, 0, top);
    if (address !== undefined) changes.push({ kind: 'address', address });
  }
  return listed(start, changes);
}

function fields(start: Start, platform: Platform): Section {
  const changes: SweepPoint['change'][] = [];
  const add = (field: 'AW' | 'TT' | 'DID', value: bigint): void => {
    changes.push({ kind: 'field', field, value });
  };
  for (let aw = 0n; aw < 8n; aw++) add('AW', aw);
  for (let type = 0n; type < 4n; type++) add('TT', type);
  const end = 1n << BigInt(platform.domainBits);
  for (const id of [0n, 1n, end - 1n, end >> 1n]) if (id !== 0n || !platform.cachingMode) add('DID', id);
  if (end <= 0xffffn) for (const id of [end, 0xffffn]) add('DID', id);
  return listed(start, changes);
}

function structures(platform: Platform, width: Width): Section[] {
  const root = { width, leaf: 1, where: 'root', present: true } as const;
  const context = { width, leaf: 1, where: 'context', present: true } as const;
  return [
    bits(root, ROOT_ENTRY.bytes * 8),
    addresses(platform, root, 64),
    ones(root),
    bits(context, CONTEXT_ENTRY.bytes * 8),
    fields(context, platform),
    addresses(platform, context, 64),
    ones(context),
  ];
}

function paging(platform: Platform, width: Width): Section[] {
  const each = (leaf: number, where: number): Section[] => [
    bits({ width, leaf, where, present: true }, 64),
    bits({ width, leaf, where, present: false }, 64),
    addresses(platform, { width, leaf, where, present: true }, 52),
    ones({ width, leaf, where, present: true }),
  ];
  const upper = Array.from({ length: width.levels - 1 }, (_, n) => width.levels - n);
  // Upper entries once, above a 4 KiB leaf; leaves at every level that has them.
  return [...upper.flatMap((level) => each(1, level)), ...platform.leafLevels.flatMap((leaf) => each(leaf, leaf))];
}

/** Superpages of sizes that exist elsewhere, but not here: at the start of memory, and where nothing is. */
function superpages(platform: Platform, width: Width): Section[] {
  return [2, 3]
    .filter((level) => !platform.leafLevels.includes(level))
    .map((level) => {
      const addresses = [0n, holeOf(platform, covers(level))].filter((address) => address !== undefined);
      const changes = addresses.map((address) => ({ kind: 'superpage', address }) as const);
      return listed({ width, leaf: 1, where: level, present: true }, changes);
    });
}

function sizeOf(sections: readonly Section[]): number {
  return sections.reduce((sum, section) => sum + section.size, 0);
}

/** Every point of the sweep for a platform; the first ones each stand for a rule of their own. */
export function sweepPoints(platform: Platform): Section & { readonly first: number } {
  const [narrowest] = platform.widths;
  const upper = narrowest === undefined ? [] : structures(platform, narrowest);
  const large = platform.widths.flatMap((width) => superpages(platform, width));
  const sections = [...large, ...upper, ...platform.widths.flatMap((width) => paging(platform, width))];
  const size = sizeOf(sections);
  const at = (index: number): SweepPoint => {
    let rest = index;
    for (const section of sections) {
      if (rest < section.size) return section.at(rest);
      rest -= section.size;
    }
    throw new Error(`sweep point ${index} of ${size} does not exist`);
  };
  return { size, first: sizeOf(large), at };
}

function changed(words: EntryWords, point: SweepPoint): EntryWords {
  const { change, where } = point;
  if (change.kind === 'ones') return { low: ALL_ONES, high: ALL_ONES };
  if (change.kind === 'bit') return flip(words, change.bit);
  if (change.kind === 'field') return replaceField(words, CONTEXT_ENTRY.fields[change.field], change.value);
  if (change.kind === 'superpage') {
    return { low: (words.low & ~ADDRESS_MASK) | change.address | PAGE_SIZE_BIT, high: words.high };
  }
  const mask = typeof where === 'number' ? ADDRESS_MASK : POINTER_MASK;
  const offset = point.leaf === where ? covers(point.leaf) - 1n : 0n;
  return { low: (words.low & ~mask) | (change.address & mask & ~offset), high: words.high };
}

function applyTo(stage: Stage, seat: Seat, mapping: Mapping, point: SweepPoint): void {
  const { memory } = stage.plan;
  if (typeof point.where === 'number') {
    const word = mapping.entries[mapping.entries.length - 1 - (point.where - point.leaf)]!;
    const good = memory.read(word);
    const low = point.present ? good : good & ~READ_WRITE;
    memory.set(word, changed({ low, high: 0n }, point).low);
    return;
  }
  const word = point.where === 'root' ? seat.rootEntry : seat.contextEntry;
  const { low, high } = changed({ low: memory.read(word), high: memory.read(word + 1) }, point);
  memory.setPair(word, low, high);
}

/** Input address that makes a changed leaf's output the address it was given, where that matters. */
function target(mapping: Mapping, point: SweepPoint): bigint {
  if (point.change.kind !== 'address' || point.where !== point.leaf) return mapping.iova;
  return mapping.iova + (point.change.address & (covers(mapping.level) - 1n));
}

/** The scenario of a point: build, latch, read and write with faults collected, load everything. */
export function buildPoint(profile: Profile, point: SweepPoint, index: number): Built {
  const platform = platformOf(profile);
  const slot = { edge: 1, share: 0, indices: INDICES };
  const stage = new Stage(platform, [slot], 0);
  const { plan, script } = stage;
  plan.memory.zeroTables(script);
  const domain = plan.addDomain(point.width, plan.freeDomainId(5n))!;
  const iova = stage.slotAddress(domain, 0, point.leaf);
  const data = plan.memory.dataFrame(3 + (index % 8));
  const mapping = plan.map(domain, iova, point.leaf, READ_WRITE, plan.pageOfData(data, point.leaf))!;
  const seat = plan.seat(index);
  plan.attach(seat, { domain: 0, faultDisable: false });
  applyTo(stage, seat, mapping, point);
  stage.latchRoot(plan.rootAddress);
  const moved = point.change.kind === 'address' && point.where === point.leaf;
  const page = moved ? target(mapping, point) : mapping.iova + (plan.memory.frameAddress(data) - mapping.out);
  for (const write of [false, true]) {
    stage.send(seat, { address: page + BigInt(moved ? 0 : 0x40), bytes: moved ? 4 : 16, write });
  }
  stage.finish();
  return { scenario: { level: 'operations', start: 'ready', operations: script.operations }, labels: stage.labels };
}
