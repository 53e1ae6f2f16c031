import { CONTEXT_ENTRY, ROOT_ENTRY } from '../../spec/layout/vtd.js';
import { FRAME, type Platform, type PlatformRequester, type Width } from './capabilities.js';
import {
  ADDRESS_MASK,
  addressOf,
  contextEntry,
  covers,
  indexAt,
  leafEntry,
  PAGE_SIZE_BIT,
  POINTER_MASK,
  READ_WRITE,
  rootLow,
  tableEntry,
} from './entries.js';
import { ArenaMemory, FRAME_WORDS } from './memory.js';
import { Queue } from './queue.js';
import { overlapsInterruptRange } from './route.js';
import { Script } from './script.js';

/** Frames that leaves name: few, so that they are quickly looked at. */
export const DATA_FRAMES = 8;

/** Places whose drawn home is below are mapped by small pages at first. */
export const SMALL_HOMES = 24;

/** Positions of a table that drawn numbers stand for: two neighbours, both ends, and any. */
const POSITIONS = [0, 0, 1, 511, 510, 256] as const;

const ENTRY_WORDS = ROOT_ENTRY.bytes / 8;

/** What is drawn of an input address. */
export interface PlaceDraw {
  /** Table positions from level 2 up. */
  readonly upper: readonly number[];
  /** Number of upper levels shared with the first place. */
  readonly share: number;
  /** Which data frame a superpage around the address would map it to. */
  readonly home: number;
}

/** What is drawn of a domain. */
export interface CachedDomainDraw {
  readonly width: number;
  readonly id: number;
}

/** What is drawn of the world that a case starts in. */
export interface CachedWorldDraw {
  readonly domains: readonly CachedDomainDraw[];
  readonly places: readonly PlaceDraw[];
  /** For each requester: its domain under the one and the other context table. */
  readonly attach: readonly (readonly [number, number])[];
  /** 0 to 15: registers or queue. */
  readonly queue: number;
}

/** Tables of a domain: two for each level, of which any entry may name either. */
export interface CachedDomain {
  /** Two ids for the same tables. */
  readonly ids: readonly [bigint, bigint];
  readonly width: Width;
  /** Frames by level, from 1 up. */
  readonly tables: readonly (readonly [number, number])[];
  /** The top table in use. */
  top: 0 | 1;
}

/** What a context entry is meant to say. */
export interface ContextMeaning {
  readonly domain: CachedDomain;
  readonly id: 0 | 1;
  readonly faultDisable: boolean;
}

/** An entry on the way of a request. */
export interface Link {
  readonly kind: 'root' | 'context' | 'paging';
  readonly word: number;
  /** Level of a paging entry. */
  readonly level: number;
}

/** An input address: page 0 is the place itself, page 1 its neighbour. */
export interface Place {
  readonly draw: PlaceDraw;
  /** A 1 GiB page around it leads to data frames. */
  readonly huge: boolean;
  /** Number of its data frame. */
  readonly home: number;
}

/**
 * A world for caches: every level of every domain has two tables, every bus two context tables, and there are two root
 * tables. Whatever an entry names at any time lies on its level and ends at data frames, so that any mixture of old and
 * new entries stays harmless.
 */
export class CachedWorld {
  readonly platform: Platform;
  readonly memory: ArenaMemory;
  readonly script: Script;
  readonly queue: Queue | undefined;
  readonly domains: CachedDomain[] = [];
  readonly places: Place[];
  readonly roots: readonly [number, number];
  /** Root table in use. */
  latched: 0 | 1 = 0;
  readonly #contextTables = new Map<number, readonly [number, number]>();
  readonly #meanings = new Map<number, ContextMeaning>();
  readonly #idsUsed = new Set<bigint>();

  constructor(platform: Platform, draw: CachedWorldDraw) {
    this.platform = platform;
    this.memory = new ArenaMemory(platform);
    this.script = new Script(platform);
    const useQueue = platform.queue && draw.queue < 10;
    this.roots = this.#pair();
    for (const { routingId } of platform.requesters) {
      const bus = routingId >> 8;
      if (!this.#contextTables.has(bus)) this.#contextTables.set(bus, this.#pair());
    }
    this.queue = useQueue ? new Queue(this.script, this.memory) : undefined;
    this.places = draw.places.map((each) => this.#place(each));
    draw.domains.forEach((each, number) => {
      this.#addDomain(each, number);
    });
    this.memory.zeroTables(this.script);
    this.#setUp(draw);
  }

  #pair(): readonly [number, number] {
    return [this.memory.takeTable() ?? 0, this.memory.takeTable() ?? 0];
  }

  /** Host-physical address of a data frame. */
  dataAddress(pick: number): bigint {
    return this.memory.frameAddress(this.memory.tableFrames + (pick % DATA_FRAMES));
  }

  #place(draw: PlaceDraw): Place {
    const huge = this.platform.leafLevels.includes(3) && (draw.upper[1]! & 1) === 0;
    // The neighbour has a data frame, too.
    return { draw, huge, home: draw.home % (DATA_FRAMES - 1) };
  }

  #addDomain(draw: CachedDomainDraw, number: number): void {
    const { widths, domainBits } = this.platform;
    const width = widths[draw.width % widths.length]!;
    if (this.memory.tableFrames - this.#taken() < 2 * width.levels) return;
    const count = 1n << BigInt(domainBits);
    const taken = new Set(this.domains.flatMap(({ ids }) => ids));
    const free = (wanted: bigint): bigint => {
      let id = wanted % count;
      while (taken.has(id) || (id === 0n && this.platform.cachingMode)) id = (id + 1n) % count;
      taken.add(id);
      return id;
    };
    const wanted = [BigInt(number + 1), count - 1n, count >> 1n, 0n, BigInt(draw.id)][draw.id % 5]!;
    const ids = [free(wanted), free(wanted ^ 4n)] as const;
    const tables = Array.from({ length: width.levels }, () => this.#pair());
    this.domains.push({ ids, width, tables, top: 0 });
  }

  #taken(): number {
    const tables = this.domains.reduce((sum, { width }) => sum + 2 * width.levels, 0);
    return 2 + 2 * this.#contextTables.size + (this.queue === undefined ? 0 : 2) + tables;
  }

  #setUp(draw: CachedWorldDraw): void {
    this.platform.requesters.forEach((requester, number) => {
      const picks = draw.attach[number % draw.attach.length]!;
      for (const which of [0, 1] as const) {
        const domain = this.domains[picks[which] % this.domains.length]!;
        this.setContext(this.contextWord(requester, which), { domain, id: 0, faultDisable: picks[which] > 13 });
      }
      for (const root of [0, 1] as const) this.setRoot(root, requester, root & (draw.queue & 1) ? 1 : 0);
    });
    for (const domain of this.domains) {
      for (const place of this.places) this.fill(domain, domain.width.levels, 0, this.address(domain, place), place);
    }
  }

  /** Latches the first root table, flushes everything, turns the queue on if one is used. */
  start(): void {
    this.memory.commit(this.script);
    this.queue?.enable();
    this.latch(0);
    this.flush();
  }

  /** Latches a root table; nothing is flushed. */
  latch(which: 0 | 1): void {
    this.memory.commit(this.script);
    this.latched = which;
    this.script.latchRoot(this.memory.frameAddress(this.roots[which]), 0);
  }

  /** Global invalidation of both caches, seen complete. */
  flush(): void {
    this.memory.commit(this.script);
    if (this.queue === undefined) this.script.flush();
    else this.queue.flush('status');
    this.memory.stale = false;
  }

  /** Input address of a place for a domain. */
  address(domain: CachedDomain, place: Place, neighbour = false): bigint {
    const { width } = domain;
    const home = this.dataAddress(place.home);
    const first = this.places[0]?.draw ?? place.draw;
    const indices = [indexAt(home, 1)];
    for (let level = 2; level <= 5; level++) {
      const from = level > 5 - place.draw.share ? first : place.draw;
      const value = from.upper[level - 2]!;
      indices.push(value > 511 ? POSITIONS[value % POSITIONS.length]! : value);
    }
    // Superpages around places that share a table position must lead to the same frames.
    if (place.huge) indices[1] = indexAt(home, 2);
    indices[2] = place.huge ? indices[2]! & ~1 : indices[2]! | 1;
    const address = addressOf(indices, width.levels) & ((1n << BigInt(width.inputBits)) - 1n);
    const shifted = overlapsInterruptRange(address, 2 * Number(FRAME)) === 'no' ? address : address ^ (4n << 30n);
    return shifted + (neighbour ? FRAME : 0n);
  }

  wordOf(frame: number, level: number, address: bigint): number {
    return frame * FRAME_WORDS + indexAt(address, level);
  }

  /** Frame of the table that an entry points to. */
  frameIn(entry: bigint, mask = ADDRESS_MASK): number {
    return this.memory.wordAt(entry & mask) / FRAME_WORDS;
  }

  /** Makes the entries from a table down that are missing, for one address; nothing that exists changes. */
  fill(domain: CachedDomain, level: number, which: 0 | 1, address: bigint, place: Place): void {
    for (let at = level, frame = domain.tables[level - 1]![which]; at >= 1; at--) {
      const word = this.wordOf(frame, at, address);
      const next = at > 1 ? domain.tables[at - 2]![which] : 0;
      if ((this.memory.read(word) & 3n) === 0n && which === 0 && at === this.#leafLevel(place) && at > 1) {
        this.memory.set(word, this.superpage(at, place, READ_WRITE));
      } else if ((this.memory.read(word) & 3n) === 0n) {
        const out = this.dataAddress(place.home + 3 * which + 2 * Number(domain.ids[0] & 3n) + indexAt(address, 2));
        this.memory.set(word, at > 1 ? tableEntry(this.memory.frameAddress(next)) : leafEntry(out, 1, READ_WRITE));
      }
      const entry = this.memory.read(word);
      if (at === 1 || (entry & PAGE_SIZE_BIT) !== 0n) return;
      frame = this.frameIn(entry);
    }
  }

  /** Level at which a place is mapped at first. */
  #leafLevel({ draw, huge }: Place): number {
    const wanted = draw.home < SMALL_HOMES ? 1 : draw.home < 44 || !huge ? 2 : 3;
    return this.platform.leafLevels.includes(wanted) ? wanted : 1;
  }

  /** A superpage around an address that leads to data frames. */
  superpage(level: number, place: Place, rights: bigint): bigint {
    return leafEntry(this.dataAddress(place.home) & ~(covers(level) - 1n), level, rights);
  }

  contextWord({ routingId }: PlatformRequester, which: 0 | 1): number {
    return this.#contextTables.get(routingId >> 8)![which] * FRAME_WORDS + (routingId & 0xff) * ENTRY_WORDS;
  }

  rootWord({ routingId }: PlatformRequester, which = this.latched): number {
    return this.roots[which] * FRAME_WORDS + (routingId >> 8) * ENTRY_WORDS;
  }

  /** Makes a root entry point to one of the bus's context tables. */
  setRoot(root: 0 | 1, requester: PlatformRequester, which: 0 | 1): void {
    const frame = this.#contextTables.get(requester.routingId >> 8)![which];
    this.memory.setPair(this.rootWord(requester, root), rootLow(this.memory.frameAddress(frame)), 0n);
  }

  /** Which of the bus's context tables a root entry names; `undefined` when it is not present. */
  contextTableInUse(requester: PlatformRequester): 0 | 1 | undefined {
    const low = this.memory.read(this.rootWord(requester));
    if ((low & 1n) === 0n) return undefined;
    return this.frameIn(low, POINTER_MASK) === this.#contextTables.get(requester.routingId >> 8)![0] ? 0 : 1;
  }

  setContext(word: number, meaning: ContextMeaning): void {
    this.#meanings.set(word, meaning);
    const { domain, id, faultDisable } = meaning;
    this.#idsUsed.add(domain.ids[id]);
    const table = this.memory.frameAddress(domain.tables.at(-1)![domain.top]);
    const [low, high] = contextEntry({
      type: 0,
      faultDisable,
      table,
      aw: domain.width.aw,
      domainId: domain.ids[id],
    });
    this.memory.setPair(word, low, high);
  }

  /** Stores other bits in a context entry, which then means what it meant before. */
  spoilContext(word: number, low: bigint, high: bigint): void {
    this.memory.setPair(word, low, high);
  }

  /** What a context entry was last meant to say, present or not. */
  meaning(word: number): ContextMeaning {
    return this.#meanings.get(word)!;
  }

  /** The context entry in use for a requester: of the table that its root entry names, or named last. */
  contextOf(requester: PlatformRequester): number {
    return this.contextWord(requester, this.contextTableInUse(requester) ?? 0);
  }

  /** Ids under which the tables of a domain were ever in use. */
  idsUsed(domain: CachedDomain): readonly bigint[] {
    return domain.ids.filter((id) => this.#idsUsed.has(id));
  }

  /** Exchanges the top tables of a domain: every context entry that names it changes at once. */
  exchangeTop(domain: CachedDomain): void {
    domain.top = domain.top === 0 ? 1 : 0;
    for (const [word, meaning] of this.#meanings) {
      const present = (this.memory.read(word) & 1n) !== 0n;
      if (meaning.domain === domain && present) this.setContext(word, meaning);
    }
  }

  /** The entries on the way of an address, as memory holds them now, from the root entry down. */
  chain(requester: PlatformRequester, address: bigint): readonly Link[] {
    const { memory } = this;
    const links: Link[] = [{ kind: 'root', word: this.rootWord(requester), level: 0 }];
    const which = this.contextTableInUse(requester);
    if (which === undefined) return links;
    const context = this.contextWord(requester, which);
    links.push({ kind: 'context', word: context, level: 0 });
    if ((memory.read(context) & (1n << BigInt(CONTEXT_ENTRY.fields.P[1]))) === 0n) return links;
    const { domain } = this.meaning(context);
    let frame = domain.tables.at(-1)![domain.top];
    for (let level = domain.width.levels; level >= 1; level--) {
      const word = this.wordOf(frame, level, address);
      links.push({ kind: 'paging', word, level });
      const entry = memory.read(word);
      if ((entry & 3n) === 0n || (level > 1 && (entry & PAGE_SIZE_BIT) !== 0n)) return links;
      frame = level > 1 ? this.frameIn(entry) : 0;
    }
    return links;
  }
}
