/**
 * The frames that a requester's tables could ever map, taken generously: every value that any entry
 * of any table on the way ever had, in any mixture. Bits that ought to be zero are not looked at.
 */

import type { Profile } from '../../spec/interface/profile.js';
import type { Step } from '../../spec/interface/scenario.js';
import { ADDRESS_WIDTHS, CONTEXT_ENTRY } from '../../spec/layout/vtd.js';
import { FRAME, type Platform, placeOf, platformOf } from './capabilities.js';
import { ADDRESS_MASK, covers, PAGE_SIZE_BIT, PASS_THROUGH, POINTER_MASK, translationType } from './entries.js';
import type { Versions } from './versions.js';

/** A painted word, as a paging entry, names the frame at 32 times its own address; a frame's words name this many bytes. */
const PAINT_SCALE = 5n;
const PAINT_SPAN = 0x2_0000n;

/** What is known of a requester: the frames it may touch, the frames that served as its tables. */
export interface Reachable {
  readonly everything: boolean;
  readonly frames: ReadonlySet<number>;
  readonly tables: ReadonlySet<number>;
}

/** Root table addresses that were ever programmed; `undefined` when one was not a plain 64-bit write. */
export function rootsOf(steps: readonly Step[]): bigint[] | undefined {
  const roots: bigint[] = [];
  for (const { operation } of steps) {
    if (operation.op !== 'regWrite' || operation.register !== 'RTADDR') continue;
    if (operation.size !== 8 || typeof operation.value !== 'bigint') return undefined;
    roots.push(operation.value & POINTER_MASK);
  }
  return roots;
}

class Explorer {
  everything = false;
  readonly frames = new Set<number>();
  readonly tables = new Set<number>();
  readonly #seen = new Set<number>();
  readonly #platform: Platform;
  readonly #versions: Versions;
  readonly #hostMask: bigint;

  constructor(platform: Platform, versions: Versions) {
    this.#platform = platform;
    this.#versions = versions;
    this.#hostMask = (1n << BigInt(platform.hostBits)) - 1n;
  }

  /** Arena frame of a table, or `undefined` when nothing can be read there. */
  #tableAt(pointer: bigint): number | undefined {
    const address = pointer & this.#hostMask;
    const place = placeOf(this.#platform, address);
    // What memory outside the arena holds is not known.
    if (place === 'ram' || place === 'forbidden') this.everything = true;
    if (place !== 'arena') return undefined;
    const frame = Number((address - this.#platform.base) / FRAME);
    this.tables.add(frame);
    return frame;
  }

  #markRange(from: bigint, to: bigint): void {
    const { base, frames } = this.#platform;
    const first = from > base ? Number((from - base) / FRAME) : 0;
    const end = to < base ? 0n : (to - base + FRAME - 1n) / FRAME;
    for (let frame = first; frame < frames && BigInt(frame) < end; frame++) this.frames.add(frame);
  }

  #paging(pointer: bigint, level: number): void {
    const frame = this.#tableAt(pointer);
    if (frame === undefined || this.#seen.has(frame * 8 + level)) return;
    this.#seen.add(frame * 8 + level);
    const painted = (this.#platform.base + BigInt(frame) * FRAME) << PAINT_SCALE;
    this.#markRange(painted, painted + PAINT_SPAN);
    for (const values of this.#versions.of(frame).values()) for (const value of values) this.#entry(value, level);
  }

  #entry(value: bigint, level: number): void {
    if ((value & 3n) === 0n) return;
    const target = value & ADDRESS_MASK & this.#hostMask;
    const large = level > 1 && level <= 3 && (value & PAGE_SIZE_BIT) !== 0n;
    if (large || level === 1) {
      const from = target & ~(covers(level) - 1n);
      this.#markRange(from, from + covers(level));
    }
    if (level > 1) this.#paging(target, level - 1);
  }

  #context(lows: readonly bigint[], highs: readonly bigint[]): void {
    for (const low of lows) {
      if ((low & 1n) === 0n) continue;
      if (translationType(low) === PASS_THROUGH) this.everything = true;
      for (const high of highs) {
        const aw = Number(high & 7n) as keyof typeof ADDRESS_WIDTHS;
        const levels = ADDRESS_WIDTHS[aw]?.levels;
        if (levels !== undefined) this.#paging(low & POINTER_MASK, levels);
      }
    }
  }

  /** Follows a root table for a routing ID. */
  root(pointer: bigint, routingId: number): void {
    const frame = this.#tableAt(pointer);
    if (frame === undefined) return;
    for (const low of this.#versions.of(frame).get(2 * (routingId >> 8)) ?? []) {
      if ((low & 1n) === 0n) continue;
      const table = this.#tableAt(low & POINTER_MASK);
      if (table === undefined) continue;
      const word = (CONTEXT_ENTRY.bytes / 8) * (routingId & 0xff);
      const values = this.#versions.of(table);
      this.#context(values.get(word) ?? [], [0n, ...(values.get(word + 1) ?? [])]);
    }
  }
}

/** What a requester could ever reach, given the stores so far and the root tables programmed so far. */
export function reachable(
  profile: Profile,
  versions: Versions,
  roots: readonly bigint[],
  routingId: number,
): Reachable {
  const explorer = new Explorer(platformOf(profile), versions);
  for (const root of roots) explorer.root(root, routingId);
  const { everything, frames, tables } = explorer;
  return { everything, frames, tables };
}
