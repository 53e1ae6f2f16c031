/**
 * Where a request might end up, were every check left out. This guards the
 * target's own devices and memory against requests that a broken table, or a
 * target that ignores it, would send there; it says nothing of what is right.
 */

import { ADDRESS_WIDTHS, INTERRUPT_RANGE } from '../../spec/layout/vtd.js';
import { pageOf, placeOfPage } from './capabilities.js';
import { ADDRESS_MASK, PAGE_SIZE_BIT, PASS_THROUGH, POINTER_MASK, translationType } from './entries.js';
import { FRAME_WORDS } from './memory.js';
import type { Plan, Seat } from './plan.js';

/**
 * What a request may touch, from harmless to not allowed: nothing, data frames, a
 * hole, tables of the arena, memory outside the arena, the interrupt range, a device or what nobody knows.
 */
export type Reach = 'nothing' | 'data' | 'hole' | 'table' | 'outside' | 'interrupt' | 'forbidden';

const ORDER: readonly Reach[] = ['nothing', 'data', 'hole', 'table', 'outside', 'interrupt', 'forbidden'];

/** The worse of two. */
export function worse(a: Reach, b: Reach): Reach {
  return ORDER.indexOf(a) > ORDER.indexOf(b) ? a : b;
}

/** Frames that DMA may have written; as tables, nobody knows what they hold. */
export type Written = ReadonlySet<number>;

interface Walk {
  readonly plan: Plan;
  readonly written: Written;
  /** Number of host-physical pages. */
  readonly hostPages: number;
  /** Data frames found at the end of a way. */
  readonly frames: number[];
}

/** What a request may touch, and which data frames are among it. */
export interface Route {
  readonly reach: Reach;
  readonly frames: readonly number[];
}

/** Page that an entry names. */
function pageIn(entry: bigint, mask: bigint): number {
  return pageOf(entry & mask);
}

function kindOf(walk: Walk, page: number): Reach {
  const { platform, memory } = walk.plan;
  const place = placeOfPage(platform, page % walk.hostPages);
  if (place === 'hole' || place === 'forbidden' || place === 'interrupt') return place;
  if (place === 'ram') return 'outside';
  return memory.isTable((page % walk.hostPages) - platform.basePage) ? 'table' : 'data';
}

function endOf(walk: Walk, page: number): Reach {
  const kind = kindOf(walk, page);
  if (kind === 'data') walk.frames.push((page % walk.hostPages) - walk.plan.platform.basePage);
  return kind;
}

/** Frame of a table to read, or what reading there amounts to. */
function tableOf(walk: Walk, page: number): number | Reach {
  const kind = kindOf(walk, page);
  if (kind === 'hole') return 'nothing';
  if (kind === 'outside') return 'outside';
  if (kind !== 'table' && kind !== 'data') return 'forbidden';
  const frame = (page % walk.hostPages) - walk.plan.platform.basePage;
  return walk.written.has(frame) ? 'forbidden' : frame;
}

function descend(walk: Walk, table: number, level: number, page: number): Reach {
  const frame = tableOf(walk, table);
  if (typeof frame !== 'number') return frame;
  const pages = 512 ** (level - 1);
  const entry = walk.plan.memory.read(frame * FRAME_WORDS + (Math.floor(page / pages) % 512));
  if ((entry & 3n) === 0n) return 'nothing';
  const target = pageIn(entry, ADDRESS_MASK);
  if (level === 1) return endOf(walk, target);
  if (level > 3 || (entry & PAGE_SIZE_BIT) === 0n) return descend(walk, target, level - 1, page);
  const leaf = endOf(walk, target - (target % pages) + (page % pages));
  // Where the unit has no such superpages, one that does not look takes it for a table.
  return walk.plan.platform.leafLevels.includes(level) ? leaf : worse(leaf, descend(walk, target, level - 1, page));
}

function throughContext(walk: Walk, word: number, page: number): Reach {
  const low = walk.plan.memory.read(word);
  if ((low & 1n) === 0n) return 'nothing';
  const aw = Number(walk.plan.memory.read(word + 1) & 7n) as keyof typeof ADDRESS_WIDTHS;
  const identity = translationType(low) === PASS_THROUGH ? endOf(walk, page) : 'nothing';
  const width = ADDRESS_WIDTHS[aw];
  if (width === undefined) return identity;
  // Above the width, a target that does not look would cut the address off.
  return worse(identity, descend(walk, pageIn(low, POINTER_MASK), width.levels, page % 2 ** (width.bits - 12)));
}

function onePage(walk: Walk, seat: Seat, page: number): Reach {
  const { routingId } = seat.requester;
  const { memory } = walk.plan;
  const root = tableOf(walk, pageOf(walk.plan.latchedRoot));
  if (typeof root !== 'number') return root;
  const low = memory.read(root * FRAME_WORDS + 2 * (routingId >> 8));
  if ((low & 1n) === 0n) return 'nothing';
  const context = tableOf(walk, pageIn(low, POINTER_MASK));
  if (typeof context !== 'number') return context;
  return throughContext(walk, context * FRAME_WORDS + 2 * (routingId & 0xff), page);
}

/** Where a request may end up, were nothing checked. */
export function routeOf(plan: Plan, written: Written, seat: Seat, address: bigint, bytes: number): Route {
  const frames: number[] = [];
  const walk = { plan, written, hostPages: 2 ** (plan.platform.hostBits - 12), frames };
  const page = pageOf(address);
  const first = onePage(walk, seat, page);
  if (Number(address & 0xfffn) + bytes <= 4096) return { reach: first, frames };
  return { reach: worse(first, onePage(walk, seat, page + 1)), frames };
}

/** How a request lies to the interrupt range. */
export function overlapsInterruptRange(address: bigint, bytes: number): 'no' | 'inside' | 'partly' {
  const last = address + BigInt(Math.max(bytes, 1)) - 1n;
  if (last < INTERRUPT_RANGE.first || address > INTERRUPT_RANGE.last) return 'no';
  return address >= INTERRUPT_RANGE.first && last <= INTERRUPT_RANGE.last ? 'inside' : 'partly';
}
