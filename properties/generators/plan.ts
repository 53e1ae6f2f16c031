import { ROOT_ENTRY } from '../../spec/layout/vtd.js';
import { Breakage } from './breakage.js';
import { FRAME, type Platform, type PlatformRequester, type Width } from './capabilities.js';
import {
  type ContextFields,
  contextEntry,
  covers,
  indexAt,
  leafEntry,
  PASS_THROUGH,
  rootLow,
  tableEntry,
} from './entries.js';
import { ArenaMemory, FRAME_WORDS } from './memory.js';

/** A page that the plan mapped. */
export interface Mapping {
  readonly iova: bigint;
  /** 1 for 4 KiB, 2 for 2 MiB, 3 for 1 GiB. */
  readonly level: number;
  /** Frame that the leaf names; aligned to the page's size. */
  out: bigint;
  /** Entries that translate it, as word numbers of the arena, from the top down. */
  readonly entries: readonly number[];
}

/** A set of paging tables with a domain id. */
export interface Domain {
  readonly id: bigint;
  readonly width: Width;
  readonly root: number;
  readonly mappings: Mapping[];
  /** Planned lower tables by entry; what is stored there may have been broken since. */
  readonly children: Map<number, number>;
}

/** What a requester's context entry was last meant to say. */
export interface Attachment {
  /** Number of the domain, or `undefined` for pass-through. */
  readonly domain: number | undefined;
  readonly faultDisable: boolean;
}

/** A requester with the place of its entries. */
export interface Seat {
  readonly requester: PlatformRequester;
  /** Word number of its root entry in the first root table. */
  readonly rootEntry: number;
  /** Word number of its context entry. */
  readonly contextEntry: number;
  attachment: Attachment | undefined;
}

const ENTRY_WORDS = ROOT_ENTRY.bytes / 8;

function latest(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** What the generator built and means: tables, domains, who is attached where. It knows no rule of the hardware. */
export class Plan {
  readonly platform: Platform;
  readonly memory: ArenaMemory;
  readonly rootFrame: number;
  /** Root table in use. */
  latchedRoot: bigint;
  readonly domains: Domain[] = [];
  readonly seats: Seat[] = [];
  readonly #contextTables = new Map<number, number>();
  readonly #broken: Breakage;

  constructor(platform: Platform) {
    this.platform = platform;
    this.memory = new ArenaMemory(platform);
    this.#broken = new Breakage(this.memory);
    this.rootFrame = this.memory.takeTable() ?? 0;
    this.latchedRoot = this.rootAddress;
    for (const requester of platform.requesters) this.seats.push(this.#seat(requester));
  }

  get rootAddress(): bigint {
    return this.memory.frameAddress(this.rootFrame);
  }

  #seat(requester: PlatformRequester): Seat {
    const bus = requester.routingId >> 8;
    let table = this.#contextTables.get(bus);
    if (table === undefined) {
      table = this.memory.takeTable() ?? 0;
      this.#contextTables.set(bus, table);
    }
    return {
      requester,
      rootEntry: this.rootFrame * FRAME_WORDS + bus * ENTRY_WORDS,
      contextEntry: table * FRAME_WORDS + (requester.routingId & 0xff) * ENTRY_WORDS,
      attachment: undefined,
    };
  }

  /** Seat that a drawn number names. */
  seat(pick: number): Seat {
    return this.seats[pick % this.seats.length]!;
  }

  /** Domain that a requester is attached to. */
  domainOf(seat: Seat): Domain | undefined {
    const number = seat.attachment?.domain;
    return number === undefined ? undefined : this.domains[number];
  }

  /** A new domain without mappings; `undefined` when no frame is left for its top table. */
  addDomain(width: Width, id: bigint): Domain | undefined {
    const root = this.memory.takeTable();
    if (root === undefined) return undefined;
    const domain = { id, width, root, mappings: [], children: new Map<number, number>() };
    this.domains.push(domain);
    return domain;
  }

  /** A domain id near the wanted one that no domain and no context entry uses. */
  freeDomainId(wanted: bigint): bigint {
    const used = new Set([this.passThroughId, ...this.domains.map((domain) => domain.id), ...this.#domainIdsInUse()]);
    const count = 1n << BigInt(this.platform.domainBits);
    let id = wanted & (count - 1n);
    // Caching mode keeps 0 for itself.
    while (used.has(id) || (id === 0n && this.platform.cachingMode)) id = (id + 1n) & (count - 1n);
    return id;
  }

  *#domainIdsInUse(): Generator<bigint> {
    for (const seat of this.seats) {
      if (this.memory.read(seat.contextEntry) & 1n) yield (this.memory.read(seat.contextEntry + 1) >> 8n) & 0xffffn;
    }
  }

  /** Fields of the context entry for an attachment. */
  contextFields(attachment: Attachment): ContextFields {
    const { faultDisable } = attachment;
    const domain = attachment.domain === undefined ? undefined : this.domains[attachment.domain];
    if (domain !== undefined) {
      const table = this.memory.frameAddress(domain.root);
      return { type: 0, faultDisable, table, aw: domain.width.aw, domainId: domain.id };
    }
    const aw = Math.max(...this.platform.widths.map((width) => width.aw));
    // Every pass-through entry is alike, so that they may share an id; it is one that no domain gets.
    // No table is read; one who reads it all the same finds no memory there, and so the requests may write.
    return { type: PASS_THROUGH, faultDisable, table: this.platform.hole ?? 0n, aw, domainId: this.passThroughId };
  }

  /** Domain id of pass-through entries. */
  get passThroughId(): bigint {
    return (1n << BigInt(this.platform.domainBits)) - 2n;
  }

  /** Points a requester's entries where the attachment says; repairs both entries. */
  attach(seat: Seat, attachment: Attachment): void {
    seat.attachment = attachment;
    const [low, high] = contextEntry(this.contextFields(attachment));
    this.putContext(seat, low, high);
    this.linkBus(seat);
  }

  /** Makes the root entry of a requester's bus point to its context table. */
  linkBus(seat: Seat): void {
    const table = this.#contextTables.get(seat.requester.routingId >> 8) ?? 0;
    this.#broken.forgetPair(seat.rootEntry);
    this.memory.setPair(seat.rootEntry, rootLow(this.memory.frameAddress(table)), 0n);
  }

  /** Stores a context entry that is meant to stay. */
  putContext(seat: Seat, low: bigint, high: bigint): void {
    this.#broken.forgetPair(seat.contextEntry);
    this.memory.setPair(seat.contextEntry, low, high);
  }

  /** Stores a paging entry that is meant to stay. */
  putEntry(word: number, value: bigint): void {
    this.#broken.forget(word);
    this.memory.set(word, value);
  }

  /** Breaks one paging entry, to be repaired later. */
  breakEntry(word: number, value: bigint): void {
    this.#broken.breakEntry(word, value);
  }

  /** Breaks a root or context entry, to be repaired later. */
  breakPair(word: number, low: bigint, high: bigint): void {
    this.#broken.breakPair(word, low, high);
  }

  /** Puts back every broken entry. */
  repair(): void {
    this.#broken.repair();
  }

  /**
   * Maps a page, making the tables on the way; replaces what the leaf held.
   * Returns `undefined` when tables ran out or a page of another size is in the way.
   */
  map(domain: Domain, iova: bigint, level: number, rights: bigint, out: bigint): Mapping | undefined {
    const entries: number[] = [];
    let frame = domain.root;
    for (let at = domain.width.levels; at > level; at--) {
      const word = frame * FRAME_WORDS + indexAt(iova, at);
      entries.push(word);
      const next = domain.children.get(word) ?? this.#grow(domain, word);
      if (next === undefined) return undefined;
      frame = next;
    }
    const leaf = frame * FRAME_WORDS + indexAt(iova, level);
    if (domain.children.has(leaf)) return undefined;
    entries.push(leaf);
    this.putEntry(leaf, leafEntry(out, level, rights));
    const mapping = { iova: iova & ~(covers(level) - 1n), level, out, entries };
    const old = domain.mappings.findIndex((other) => other.entries.at(-1) === leaf);
    if (old >= 0) domain.mappings[old] = mapping;
    else domain.mappings.push(mapping);
    return mapping;
  }

  /** A new table under an entry that holds none. */
  #grow(domain: Domain, word: number): number | undefined {
    if (domain.mappings.some((mapping) => mapping.entries.at(-1) === word)) return undefined;
    const table = this.memory.takeTable();
    if (table === undefined) return undefined;
    domain.children.set(word, table);
    this.putEntry(word, tableEntry(this.memory.frameAddress(table)));
    return table;
  }

  /** Takes a mapping out of the plan and clears its leaf, leaving `rest` of the entry's other bits. */
  unmap(domain: Domain, mapping: Mapping, rest = 0n): void {
    const at = domain.mappings.indexOf(mapping);
    if (at >= 0) domain.mappings.splice(at, 1);
    this.putEntry(mapping.entries.at(-1)!, rest);
  }

  /**
   * Replaces a superpage by a table of the next smaller pages that map the same.
   * Returns the table's frame, or `undefined` when none is left.
   */
  split(domain: Domain, mapping: Mapping): number | undefined {
    const leaf = mapping.entries.at(-1)!;
    if (mapping.level === 1 || domain.children.has(leaf)) return undefined;
    const table = this.memory.takeTable();
    if (table === undefined) return undefined;
    const rights = this.memory.read(leaf) & 3n;
    const level = mapping.level - 1;
    const step = covers(level);
    domain.mappings.splice(domain.mappings.indexOf(mapping), 1);
    domain.children.set(leaf, table);
    const words: bigint[] = [];
    const flags = leafEntry(0n, level, rights);
    for (let index = 0, out = mapping.out; index < FRAME_WORDS; index++, out += step) words.push(out | flags);
    this.memory.fill(table, words);
    this.#adoptPieces(domain, mapping, table);
    this.putEntry(leaf, tableEntry(this.memory.frameAddress(table)));
    return table;
  }

  /** Remembers as mappings those pieces of a split superpage that hold data frames. */
  #adoptPieces(domain: Domain, mapping: Mapping, table: number): void {
    const level = mapping.level - 1;
    const step = covers(level);
    const first = latest(this.pageOfData(this.memory.tableFrames, level), mapping.out);
    const end = this.memory.frameAddress(this.platform.frames);
    for (let out = first; out < end && out < mapping.out + covers(mapping.level); out += step) {
      const word = table * FRAME_WORDS + Number((out - mapping.out) / step);
      domain.mappings.push({
        iova: mapping.iova + (out - mapping.out),
        level,
        out,
        entries: [...mapping.entries, word],
      });
    }
  }

  /** Start of the page of a level in which a data frame lies. */
  pageOfData(frame: number, level: number): bigint {
    return this.memory.frameAddress(frame) & ~(covers(level) - 1n);
  }

  /** First input address that a domain's width does not allow. */
  limit(domain: Domain): bigint {
    return 1n << BigInt(domain.width.inputBits);
  }

  /** Data frames inside a page, as the address of the `pick`-th one; `undefined` when it has none. */
  dataIn(mapping: Mapping, pick: number): bigint | undefined {
    const first = this.memory.frameAddress(this.memory.tableFrames);
    const end = this.memory.frameAddress(this.platform.frames);
    const pageEnd = mapping.out + covers(mapping.level);
    const from = latest(mapping.out, first);
    const to = -latest(-pageEnd, -end);
    if (to <= from) return undefined;
    return from + (BigInt(pick) % ((to - from) / FRAME)) * FRAME;
  }
}
