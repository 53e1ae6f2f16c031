import { SECOND_STAGE_ENTRY } from '../../spec/layout/vtd.js';
import { compose } from './fields.js';
import { clear, type FramePool } from './frames.js';
import type { Forgotten, Invalidator } from './invalidation.js';
import { issue, type Task } from './task.js';

/** A table as the hypervisor keeps it in mind: what it stored, by index. */
interface Table {
  readonly frame: bigint;
  readonly entries: Map<number, Table | bigint>;
}

const READ_WRITE = compose([SECOND_STAGE_ENTRY.fields.R, 1], [SECOND_STAGE_ENTRY.fields.W, 1]);

type Level = 1 | 2 | 3 | 4 | 5;

/** Index into the table of a level for a guest-physical page number. */
function indexOf(page: number, level: number): number {
  const low = SECOND_STAGE_ENTRY.indexLow[level as Level] - SECOND_STAGE_ENTRY.indexLow[1];
  return Math.floor(page / 2 ** low) % 2 ** SECOND_STAGE_ENTRY.indexBits;
}

/** The second-stage tables of one VM: guest-physical pages of 4 KiB to frames. Used by one task at a time. */
export class GuestTables {
  private readonly levels: number;
  private readonly domain: number;
  private readonly pool: FramePool;
  private readonly invalidator: Invalidator;
  private readonly top: Table;

  constructor(levels: number, domain: number, pool: FramePool, invalidator: Invalidator) {
    this.levels = levels;
    this.domain = domain;
    this.pool = pool;
    this.invalidator = invalidator;
    this.top = { frame: pool.take(), entries: new Map() };
  }

  /** Frame of the topmost table. */
  get root(): bigint {
    return this.top.frame;
  }

  /** Makes the topmost table empty; before it is used. */
  *prepare(): Task<void> {
    yield* clear(this.root);
  }

  /** The frame that a page is mapped to. */
  frameOf(page: number): bigint | undefined {
    const leaf = this.path(page).at(-1)?.entries.get(indexOf(page, 1));
    return typeof leaf === 'bigint' ? leaf : undefined;
  }

  /** Maps a page that is not mapped. Nothing that is not present is remembered, so that nothing need be forgotten. */
  *map(page: number, frame: bigint): Task<void> {
    let table = this.top;
    for (let level = this.levels; level > 1; level--) table = yield* this.tableBelow(table, indexOf(page, level));
    yield* this.store(table, indexOf(page, 1), frame);
    table.entries.set(indexOf(page, 1), frame);
  }

  /** Puts another frame in the place of a page's; the old one is unreachable when it ends. */
  *replace(page: number, frame: bigint): Task<void> {
    const table = this.path(page).at(-1)!;
    yield* this.store(table, indexOf(page, 1), frame);
    table.entries.set(indexOf(page, 1), frame);
    yield* this.invalidator.forget([this.leafOf(page)]);
  }

  /** Unmaps a page and takes tables down that are empty then; page and tables are unreachable when it ends. */
  *unmap(page: number): Task<void> {
    const path = this.path(page);
    yield* this.clearEntry(path.at(-1)!, indexOf(page, 1));
    const empty: Table[] = [];
    for (let level = 2; level <= this.levels && path.at(1 - level)!.entries.size === 0; level++) {
      empty.push(path.at(1 - level)!);
      yield* this.clearEntry(path.at(-level)!, indexOf(page, level));
    }
    // A table that goes may be remembered on behalf of any page that it once led to, not of this one alone.
    yield* this.invalidator.forget([empty.length === 0 ? this.leafOf(page) : { what: 'domain', domain: this.domain }]);
    for (const { frame } of empty) this.pool.give(frame);
  }

  private leafOf(page: number): Forgotten {
    return { what: 'leaf', domain: this.domain, address: BigInt(page) << 12n };
  }

  /** The tables from the topmost one to the one that holds a page's leaf, as far as they are there. */
  private path(page: number): readonly Table[] {
    const path = [this.top];
    for (let level = this.levels; level > 1; level--) {
      const next = path.at(-1)!.entries.get(indexOf(page, level));
      if (next === undefined || typeof next === 'bigint') return [];
      path.push(next);
    }
    return path;
  }

  /** The table that an entry points to; made, empty before it is reachable, where there is none. */
  private *tableBelow(table: Table, index: number): Task<Table> {
    const known = table.entries.get(index);
    if (known !== undefined && typeof known !== 'bigint') return known;
    const made: Table = { frame: this.pool.take(), entries: new Map() };
    yield* clear(made.frame);
    yield* this.store(table, index, made.frame);
    table.entries.set(index, made);
    return made;
  }

  private *store(table: Table, index: number, frame: bigint): Task<void> {
    yield* issue({ op: 'store', address: table.frame + BigInt(index * 8), words: [frame | READ_WRITE] });
  }

  private *clearEntry(table: Table, index: number): Task<void> {
    yield* issue({ op: 'store', address: table.frame + BigInt(index * 8), words: [0n] });
    table.entries.delete(index);
  }
}
