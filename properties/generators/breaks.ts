/** Ways to break a good chain on purpose, each aiming at one thing that hardware has to notice. */

import { CONTEXT_ENTRY, INTERRUPT_RANGE, ROOT_ENTRY } from '../../spec/layout/vtd.js';
import { FRAME, type Platform, withField } from './capabilities.js';
import { addressOfClass, holeOf, replaceField } from './corrupt.js';
import { ADDRESS_MASK, covers, PAGE_SIZE_BIT, POINTER_MASK } from './entries.js';
import type { Mapping, Plan, Seat } from './plan.js';

/** What a break does. */
export type Aim =
  | 'rootAbsent'
  | 'rootReserved'
  | 'rootUnreadable'
  | 'contextAbsent'
  | 'contextReserved'
  | 'contextUnreadable'
  | 'width'
  | 'type'
  | 'topUnreadable'
  | 'lowerUnreadable'
  | 'entryReserved'
  | 'entryAbsent'
  | 'noRead'
  | 'noWrite'
  | 'outputInterrupt'
  | 'outputHole'
  | 'outputAbove'
  | 'beyondWidth'
  | 'interruptRange'
  | 'mode';

export const AIMS: readonly Aim[] = [
  'rootAbsent',
  'rootReserved',
  'rootUnreadable',
  'contextAbsent',
  'contextReserved',
  'contextUnreadable',
  'width',
  'type',
  'topUnreadable',
  'lowerUnreadable',
  'entryReserved',
  'entryAbsent',
  'noRead',
  'noWrite',
  'outputInterrupt',
  'outputHole',
  'outputAbove',
  'beyondWidth',
  'interruptRange',
  'mode',
];

/** What the request that follows a break must be like to meet it. */
export interface Probe {
  readonly write?: boolean;
  /** Input address of the request. */
  readonly address?: bigint;
  /** Input address of a request before it, for which nothing is broken: what it leads to may be remembered. */
  readonly before?: bigint;
  readonly bytes?: number;
}

interface Chain {
  readonly plan: Plan;
  readonly seat: Seat;
  readonly mapping: Mapping;
  /** A drawn number that chooses among the ways. */
  readonly detail: number;
}

/** A number drawn from the same detail, to choose something else. */
function part(detail: number, step: number): number {
  return detail >>> (4 * step);
}

function breakRoot({ plan, seat }: Chain, change: (low: bigint, high: bigint) => readonly [bigint, bigint]): Probe {
  const { memory } = plan;
  plan.breakPair(seat.rootEntry, ...change(memory.read(seat.rootEntry), memory.read(seat.rootEntry + 1)));
  return {};
}

/** Breaks a context entry. One that no longer agrees with another of its domain id gets an id of its own. */
export function breakContext(plan: Plan, seat: Seat, low: bigint, high: bigint): void {
  const { memory, platform } = plan;
  const mask = (1n << BigInt(platform.domainBits)) - 1n;
  const id = (high >> 8n) & mask;
  const disagrees = plan.seats.some((other) => {
    if (other === seat || (memory.read(other.contextEntry) & 1n) === 0n) return false;
    const otherHigh = memory.read(other.contextEntry + 1);
    if (((otherHigh >> 8n) & mask) !== id) return false;
    return ((memory.read(other.contextEntry) ^ low) & ~2n) !== 0n || ((otherHigh ^ high) & 7n) !== 0n;
  });
  const fresh = disagrees ? (high & ~(mask << 8n)) | (plan.freeDomainId(id) << 8n) : high;
  plan.breakPair(seat.contextEntry, low, fresh);
}

function changeContext({ plan, seat }: Chain, change: (low: bigint, high: bigint) => readonly [bigint, bigint]): Probe {
  const { memory } = plan;
  const [low, high] = change(memory.read(seat.contextEntry), memory.read(seat.contextEntry + 1));
  breakContext(plan, seat, low, high);
  return {};
}

function reservedBit(
  platform: Platform,
  entry: typeof ROOT_ENTRY | typeof CONTEXT_ENTRY,
  low: bigint,
  high: bigint,
  detail: number,
): readonly [bigint, bigint] {
  const fields = [...entry.reserved];
  const choice = detail % (fields.length + 2);
  const bits = fields[choice];
  const above = addressOfClass(platform, 'aboveHost', low & POINTER_MASK, part(detail, 1), 64);
  const spare = 16 - platform.domainBits;
  if (bits !== undefined) {
    const words = replaceField({ low, high }, bits, 1n << BigInt(part(detail, 1) % (bits[0] - bits[1] + 1)));
    return [words.low, words.high];
  }
  if (choice === fields.length && spare > 0 && entry === CONTEXT_ENTRY) {
    return [low, high | (1n << BigInt(8 + platform.domainBits + (part(detail, 1) % spare)))];
  }
  return above === undefined ? [low | (1n << 11n), high] : [(low & ~POINTER_MASK) | above, high];
}

/** Entry of a mapping that the detail chooses, with its level. */
function entryOf(
  { mapping, plan, detail }: Chain,
  lowest = 0,
): { word: number; level: number; value: bigint } | undefined {
  const count = mapping.entries.length - lowest;
  if (count <= 0) return undefined;
  const word = mapping.entries[detail % count]!;
  return { word, level: mapping.level + mapping.entries.length - 1 - (detail % count), value: plan.memory.read(word) };
}

function breakEntry(chain: Chain, change: (value: bigint) => bigint): Probe | undefined {
  const entry = entryOf(chain);
  if (entry === undefined) return undefined;
  chain.plan.breakEntry(entry.word, change(entry.value));
  return {};
}

/** Bits that no good entry of this level has, as far as layouts go. */
function oddBits(platform: Platform, level: number, leaf: boolean): number[] {
  const bits = [62];
  for (let bit = platform.hostBits; bit < 52; bit++) bits.push(bit);
  if (!leaf || !platform.snoopControl) bits.push(11);
  if (level >= 4) bits.push(7);
  if (!leaf && (level === 2 || level === 3) && !platform.leafLevels.includes(level)) bits.push(7);
  if (leaf) for (let bit = 12; bit < 12 + 9 * (level - 1); bit++) bits.push(bit);
  return bits;
}

function breakReserved(chain: Chain): Probe | undefined {
  const { plan, mapping, detail } = chain;
  const entry = entryOf(chain);
  if (entry === undefined) return undefined;
  const bits = oddBits(plan.platform, entry.level, entry.word === mapping.entries.at(-1));
  const bit = 1n << BigInt(bits[part(detail, 1) % bits.length]!);
  // A superpage of a size that does not exist: most often one that would be sound where it does.
  const page =
    bit === PAGE_SIZE_BIT && part(detail, 4) % 4 > 0 ? holeOf(plan.platform, covers(entry.level)) : undefined;
  plan.breakEntry(entry.word, (page === undefined ? entry.value : (entry.value & ~ADDRESS_MASK) | page) | bit);
  return {};
}

/** Makes the leaf name another page; returns the input address of `inside` that page. */
function moveLeaf({ plan, mapping }: Chain, target: bigint): Probe {
  const leaf = mapping.entries.at(-1)!;
  const size = covers(mapping.level);
  plan.breakEntry(leaf, (plan.memory.read(leaf) & ~ADDRESS_MASK) | (target & ~(size - 1n)));
  return { address: mapping.iova + (target & (size - 1n)), bytes: 4 };
}

/** Makes the leaf's page overlap FEExxxxxh; some requests to a superpage go beside the range, alone or before. */
function toInterruptRange(chain: Chain): Probe {
  const { detail, mapping } = chain;
  const probe = moveLeaf(chain, INTERRUPT_RANGE.first + BigInt(detail & 0xf) * FRAME);
  if (mapping.level === 1) return probe;
  const beside = probe.address! + BESIDE;
  const choice = part(detail, 1) % 4;
  return choice === 0 ? { ...probe, address: beside } : choice === 1 ? { ...probe, before: beside } : probe;
}

function beyondWidth({ plan, seat, mapping, detail }: Chain): Probe {
  const bits = plan.domainOf(seat)?.width.inputBits ?? 57;
  const above = 64 - bits;
  if (detail & 1) return { address: mapping.iova | (1n << BigInt(bits + (part(detail, 1) % above))) };
  return { address: (1n << BigInt(bits)) + BigInt(part(detail, 1) & 0xff) * 16n };
}

/** Requests to FEExxxxxh that are no interrupt requests. */
function interruptRange({ detail }: Chain): Probe {
  const address = INTERRUPT_RANGE.first + BigInt(part(detail, 1) & 0xff) * FRAME + BigInt(part(detail, 3) & 0xf) * 16n;
  return { address, bytes: detail & 1 ? 8 : 4, write: (detail & 1) === 1 };
}

/** From FEExxxxxh to behind it: its size. */
const BESIDE = INTERRUPT_RANGE.last + 1n - INTERRUPT_RANGE.first;

/**
 * Breaks the chain of a mapping. Returns what the request must be like, or `undefined`
 * when this cannot be done here. `rootUnreadable` and `mode` are done by the caller.
 */
export function breakChain(chain: Chain, aim: Aim): Probe | undefined {
  const { plan, mapping, detail } = chain;
  const { platform } = plan;
  const { hole } = platform;
  const garbage = detail & 1 ? 0xff0n & ~2n : 0n;
  switch (aim) {
    case 'rootAbsent':
      return breakRoot(chain, (low, high) => [(low & ~1n) | garbage, detail & 2 ? ~high & 0xffn : high]);
    case 'rootReserved':
      return breakRoot(chain, (low, high) => reservedBit(platform, ROOT_ENTRY, low, high, detail));
    case 'contextUnreadable':
      return hole === undefined ? undefined : breakRoot(chain, (_, high) => [hole | 1n, high]);
    case 'contextAbsent':
      return changeContext(chain, (low, high) => [(low & ~1n) | garbage, high]);
    case 'contextReserved':
      return changeContext(chain, (low, high) => reservedBit(platform, CONTEXT_ENTRY, low, high, detail));
    case 'width': {
      const bad = [0, 1, 2, 3, 4, 5, 6, 7].filter((aw) => platform.widths.every((width) => width.aw !== aw));
      return changeContext(chain, (low, high) => [low, (high & ~7n) | BigInt(bad[detail % bad.length]!)]);
    }
    case 'type': {
      const bad = [3, ...(platform.deviceTlb ? [] : [1]), ...(platform.passThrough ? [] : [2])];
      const type = BigInt(bad[detail % bad.length]!);
      return changeContext(chain, (low, high) => [withField(low, CONTEXT_ENTRY.fields.TT, type), high]);
    }
    case 'topUnreadable':
      return hole === undefined ? undefined : changeContext(chain, (low, high) => [(low & ~POINTER_MASK) | hole, high]);
    case 'lowerUnreadable': {
      const entry = entryOf(chain, 1);
      if (entry === undefined || hole === undefined) return undefined;
      plan.breakEntry(entry.word, (entry.value & ~ADDRESS_MASK) | hole);
      return {};
    }
    case 'entryReserved':
      return breakReserved(chain);
    case 'entryAbsent':
      return breakEntry(chain, (value) => (value & ~3n) | (garbage & ~3n));
    case 'noRead':
      return { ...breakEntry(chain, (value) => (value & ~3n) | 2n), write: false };
    case 'noWrite':
      return { ...breakEntry(chain, (value) => (value & ~3n) | 1n), write: true };
    case 'outputInterrupt':
      return toInterruptRange(chain);
    case 'outputHole':
      return hole === undefined ? undefined : moveLeaf(chain, hole + BigInt(part(detail, 1)) * 64n * FRAME);
    case 'outputAbove': {
      const above = addressOfClass(platform, 'aboveHost', mapping.out, detail);
      return above === undefined ? undefined : { ...moveLeaf(chain, above), address: mapping.iova };
    }
    case 'beyondWidth':
      return beyondWidth(chain);
    case 'interruptRange':
      return interruptRange(chain);
    case 'rootUnreadable':
    case 'mode':
      return {};
  }
}
