/** Changes of the tables of a {@link CachedWorld}, one for each kind of entry. */

import { CONTEXT_ENTRY } from '../../spec/layout/vtd.js';
import type { CachedDomain, CachedWorld, ContextMeaning, Link, Place } from './cached-world.js';
import type { PlatformRequester } from './capabilities.js';
import { ADDRESS_MASK, PAGE_SIZE_BIT, READ_WRITE, tableEntry } from './entries.js';

/** What is drawn of a change: which entry on the way, and what becomes of it. */
export interface ChangeDraw {
  /** Root pointer, root entry, context entry, entry of a level. */
  readonly at: 'pointer' | 'root' | 'context' | 'table' | 'leaf';
  readonly level: number;
  readonly how: number;
  readonly pick: number;
}

/** The requester and the address that a round is about. */
export interface Focus {
  readonly requester: PlatformRequester;
  readonly domain: CachedDomain;
  readonly place: Place;
  readonly address: bigint;
}

/** What was changed, as far as invalidations go. */
export interface Changed {
  readonly what: ChangeDraw['at'];
  /** Domain-ids under which the old entry may be remembered. */
  readonly ids: readonly bigint[];
  /** Level of a paging entry. */
  readonly level: number;
}

/** Reserved in every entry that points to a table; above the levels of superpages so is PS. */
const TABLE_RESERVED = 1n << 11n;
/** Bits 11:8 of an entry of which no right is set, and which nobody looks at. */
const LEFT_OVER = 0xf00n;

/** Whether an entry of a level is a leaf. */
function isLeaf(entry: bigint, level: number): boolean {
  return level === 1 || (entry & PAGE_SIZE_BIT) !== 0n;
}

/** What is put in place of a paging entry that is present. */
function replacement(world: CachedWorld, { domain, place }: Focus, link: Link, draw: ChangeDraw): bigint {
  const { platform, memory } = world;
  const { level } = link;
  const entry = memory.read(link.word);
  const leaf = isLeaf(entry, level);
  const large = level > 1 && platform.leafLevels.includes(level) && (level < 3 || place.huge);
  const move = (): bigint => {
    if (level === 1) return (entry & ~ADDRESS_MASK) | world.dataAddress(draw.pick);
    if (leaf) return tableTo(world, domain, level, draw.pick);
    const other = world.frameIn(entry) === domain.tables[level - 2]![0] ? 1 : 0;
    return (entry & 3n) | tableTo(world, domain, level, other);
  };
  switch (draw.how % 10) {
    case 0:
    case 1:
      return draw.pick & 1 ? 0n : entry & LEFT_OVER;
    case 2:
    case 3:
      // From both rights to one; from one to the other, or to both.
      return (entry & ~3n) | [1n, 2n, READ_WRITE].filter((rights) => rights !== (entry & 3n))[draw.pick & 1]!;
    case 4:
    case 5:
      return large && !leaf ? world.superpage(level, place, READ_WRITE) : move();
    case 6:
      return leaf && (level > 1 || platform.snoopControl) ? move() : entry | TABLE_RESERVED;
    default:
      return move();
  }
}

/** An entry of a level that points to one of the two tables below. */
function tableTo(world: CachedWorld, domain: CachedDomain, level: number, which: number): bigint {
  return tableEntry(world.memory.frameAddress(domain.tables[level - 2]![(which & 1) as 0 | 1]));
}

/** A paging entry that is not present, or faults, is one again. */
function linked(world: CachedWorld, { domain, place }: Focus, link: Link, draw: ChangeDraw): bigint {
  const { level } = link;
  if (level === 1) return world.dataAddress(draw.pick) | READ_WRITE;
  const large = world.platform.leafLevels.includes(level) && (level < 3 || place.huge);
  return large && draw.how & 1 ? world.superpage(level, place, READ_WRITE) : tableTo(world, domain, level, draw.pick);
}

function changePaging(world: CachedWorld, focus: Focus, link: Link, draw: ChangeDraw): Changed {
  const { memory } = world;
  const { domain, place, address } = focus;
  const present = (memory.read(link.word) & 3n) !== 0n;
  const next = present ? replacement(world, focus, link, draw) : linked(world, focus, link, draw);
  if (link.level > 1 && (next & 3n) !== 0n && !isLeaf(next, link.level)) {
    // The table is filled before it is linked.
    const which = world.frameIn(next) === domain.tables[link.level - 2]![0] ? 0 : 1;
    world.fill(domain, link.level - 1, which, address, place);
    memory.commit(world.script);
  }
  memory.set(link.word, next);
  return { what: isLeaf(next, link.level) ? 'leaf' : 'table', ids: world.idsUsed(domain), level: link.level };
}

function changeContext(world: CachedWorld, focus: Focus, link: Link, draw: ChangeDraw): Changed {
  const { memory } = world;
  const meaning = world.meaning(link.word);
  const changed: Changed = { what: 'context', ids: [meaning.domain.ids[meaning.id]], level: 0 };
  const put = (more: Partial<ContextMeaning>): void => {
    world.setContext(link.word, { ...meaning, ...more });
  };
  const low = memory.read(link.word);
  const present = 1n << BigInt(CONTEXT_ENTRY.fields.P[1]);
  if ((low & present) === 0n) {
    put({});
    return changed;
  }
  switch (draw.how % 9) {
    case 0:
      world.spoilContext(link.word, low & ~present, memory.read(link.word + 1));
      break;
    case 1:
      put({ faultDisable: !meaning.faultDisable });
      break;
    case 2:
      put({ id: meaning.id === 0 ? 1 : 0 });
      break;
    case 3:
    case 4: {
      const { domain } = meaning;
      const ids = world.idsUsed(domain);
      world.fill(domain, domain.width.levels, domain.top === 0 ? 1 : 0, focus.address, focus.place);
      memory.commit(world.script);
      world.exchangeTop(domain);
      return { ...changed, ids };
    }
    case 5:
      // TT=11b is reserved in every unit.
      world.spoilContext(link.word, low | 0xcn, memory.read(link.word + 1));
      break;
    default: {
      const { domains } = world;
      const domain = domains[(domains.indexOf(meaning.domain) + 1 + (draw.pick % 2)) % domains.length]!;
      const fits = focus.address >> BigInt(domain.width.inputBits) === 0n;
      if (fits && draw.how > 8) {
        world.fill(domain, domain.width.levels, domain.top, focus.address, focus.place);
        memory.commit(world.script);
      }
      put({ domain });
    }
  }
  return changed;
}

function changeRoot(world: CachedWorld, { requester, domain }: Focus, draw: ChangeDraw): Changed {
  const { memory } = world;
  const word = world.rootWord(requester);
  const which = world.contextTableInUse(requester);
  if (which !== undefined && draw.how % 4 === 0) memory.setPair(word, memory.read(word) & ~1n, memory.read(word + 1));
  else world.setRoot(world.latched, requester, which === 0 ? 1 : 0);
  return { what: 'root', ids: world.idsUsed(domain), level: 0 };
}

/** Another root table is latched: one in which the bus has another context table, or none. */
function changePointer(world: CachedWorld, { requester, domain }: Focus, draw: ChangeDraw): Changed {
  const { memory } = world;
  const next = world.latched === 0 ? 1 : 0;
  const word = world.rootWord(requester, next);
  if (draw.how % 6 === 0) memory.setPair(word, memory.read(word) & ~1n, memory.read(word + 1));
  else world.setRoot(next, requester, (draw.how & 1) as 0 | 1);
  memory.commit(world.script);
  world.latch(next);
  return { what: 'pointer', ids: world.idsUsed(domain), level: 0 };
}

/** The entry that a draw means, among those on the way. */
function linkFor(links: readonly Link[], draw: ChangeDraw): Link {
  const paging = links.filter(({ kind }) => kind === 'paging');
  if (paging.length === 0) return links.at(-1)!;
  if (draw.at === 'leaf') return paging.at(-1)!;
  return paging[draw.level % Math.max(1, paging.length - 1)]!;
}

/** Changes an entry on the way of the focus; stores are written. */
export function change(world: CachedWorld, focus: Focus, draw: ChangeDraw): Changed {
  const links = world.chain(focus.requester, focus.address);
  const changed = ((): Changed => {
    if (draw.at === 'pointer') return changePointer(world, focus, draw);
    if (draw.at === 'root' || links.length === 1) return changeRoot(world, focus, draw);
    if (draw.at === 'context' || links.length === 2) return changeContext(world, focus, links[1]!, draw);
    const { domain } = world.meaning(links[1]!.word);
    return changePaging(world, { ...focus, domain }, linkFor(links, draw), draw);
  })();
  world.memory.commit(world.script);
  return changed;
}

/** Makes the way of the focus good again, down to a leaf with both rights; stores are written. */
export function heal(world: CachedWorld, { requester, address, place }: Focus): void {
  const { memory } = world;
  const which = world.contextTableInUse(requester);
  if (which === undefined) world.setRoot(world.latched, requester, 0);
  const context = world.contextWord(requester, which ?? 0);
  const { domain } = world.meaning(context);
  world.setContext(context, world.meaning(context));
  if (address >> BigInt(domain.width.inputBits) !== 0n) return;
  world.fill(domain, domain.width.levels, domain.top, address, place);
  for (const { kind, word } of world.chain(requester, address)) {
    if (kind === 'paging') memory.set(word, (memory.read(word) & ~TABLE_RESERVED) | READ_WRITE);
  }
  memory.commit(world.script);
}
