/** Frames that go from one domain to another, in a {@link CachedWorld}. */

import { CONTEXT_ENTRY } from '../../spec/layout/vtd.js';
import { type Changed, type Focus, heal } from './cached-changes.js';
import type { CoverDraw } from './cached-cover.js';
import { type AccessDraw, Rounds } from './cached-rounds.js';
import { type CachedDomain, type CachedWorldDraw, DATA_FRAMES, SMALL_HOMES } from './cached-world.js';
import { FRAME, type Platform, type PlatformRequester } from './capabilities.js';
import { ADDRESS_MASK, covers, leafEntry, PAGE_SIZE_BIT, READ_WRITE } from './entries.js';
import { FRAME_WORDS } from './memory.js';

/** What is drawn of one frame's way. */
export interface ReuseDraw {
  readonly who: number;
  readonly place: number;
  readonly taker: number;
  /** How the frame is taken: its leaves go, or the requester does. */
  readonly how: number;
  readonly pick: number;
  readonly cover: CoverDraw;
  readonly pace: number;
  readonly warm: readonly AccessDraw[];
  readonly between: readonly AccessDraw[];
  readonly theirs: readonly AccessDraw[];
  readonly after: readonly AccessDraw[];
}

export interface ReuseCase {
  readonly world: CachedWorldDraw;
  readonly rounds: readonly ReuseDraw[];
}

/** What a frame held once it was given away, and who must not reach it; plain data. */
export interface Secret {
  /** Indices of operations between which it holds, and of the load that shows the frame. */
  readonly from: number;
  readonly until: number;
  readonly load: number;
  /** High half of every 64-bit word stored there. */
  readonly mark: number;
  /** Host-physical address of the frame. */
  readonly address: bigint;
  readonly strangers: readonly string[];
}

const MARK = 0x5ec2_e700;

/** Performs the rounds. */
export class FrameReuse {
  readonly rounds: Rounds;
  readonly secrets: Secret[] = [];
  #taken = 0;

  constructor(platform: Platform, { world }: ReuseCase) {
    const places = world.places.map((each) => ({ ...each, home: each.home % SMALL_HOMES }));
    this.rounds = new Rounds(platform, { world: { ...world, places }, collect: 0, rounds: [] });
  }

  /** The next frame of which nobody has heard. */
  #nextFrame(): bigint | undefined {
    const { memory, platform } = this.rounds.world;
    const frame = memory.tableFrames + DATA_FRAMES + this.#taken++;
    return frame < platform.frames ? memory.frameAddress(frame) : undefined;
  }

  /** Gives the frame to the page of the focus: by a small page, or a superpage that holds it. */
  #mapIn({ domain, requester, address, place }: Focus, frame: bigint, { how, pick }: ReuseDraw): bigint {
    const { world } = this.rounds;
    const link = world.chain(requester, address).findLast(({ kind }) => kind === 'paging')!;
    const small = world.chain(requester, address).at(-1)!;
    const large = [2, ...(place.huge ? [3] : [])].filter((level) => world.platform.leafLevels.includes(level));
    const level = large[pick % Math.max(1, large.length)];
    if (how % 3 === 0 && level !== undefined) {
      const words = world.chain(requester, address);
      const at = words.find((each) => each.level === level);
      if (at !== undefined) world.memory.set(at.word, world.superpage(level, place, READ_WRITE));
      // The frame itself lies elsewhere in the superpage.
      return address - (world.dataAddress(place.home) - frame);
    }
    if (small.level > 1) world.memory.set(link.word, 0n);
    world.fill(domain, domain.width.levels, domain.top, address, place);
    const leaf = world.chain(requester, address).at(-1)!;
    world.memory.set(leaf.word, leafEntry(frame, 1, READ_WRITE));
    return address;
  }

  /** Clears every leaf of the domain that leads to a frame; returns their levels. */
  #unmap(domain: CachedDomain, frame: bigint, rest: bigint): number[] {
    const { memory } = this.rounds.world;
    const levels: number[] = [];
    domain.tables.slice(0, 3).forEach((tables, below) => {
      for (const table of tables) {
        for (let word = table * FRAME_WORDS; word < (table + 1) * FRAME_WORDS; word++) {
          const entry = memory.read(word);
          const leaf = below === 0 || (entry & PAGE_SIZE_BIT) !== 0n;
          const page = entry & ADDRESS_MASK & ~(covers(below + 1) - 1n);
          if ((entry & 3n) === 0n || !leaf || frame < page || frame >= page + covers(below + 1)) continue;
          memory.set(word, rest);
          levels.push(below + 1);
        }
      }
    });
    return levels;
  }

  /** Takes the frame from the domain, or the requester from the domain; returns who lost it. */
  #take(focus: Focus, frame: bigint, draw: ReuseDraw): { readonly changed: Changed; readonly lost: readonly string[] } {
    const { world } = this.rounds;
    const { requester, domain } = focus;
    const ids = world.idsUsed(domain);
    if (draw.how < 8) {
      const levels = this.#unmap(domain, frame, draw.pick & 1 ? 0n : 0xf00n);
      const members = world.platform.requesters.filter(
        (each) => world.meaning(world.contextOf(each)).domain === domain,
      );
      const level = levels.length === 1 ? levels[0]! : 5;
      return { changed: { what: 'leaf', ids, level }, lost: members.map(({ id }) => id) };
    }
    const word = world.contextOf(requester);
    const present = 1n << BigInt(CONTEXT_ENTRY.fields.P[1]);
    world.spoilContext(word, world.memory.read(word) & ~present, world.memory.read(word + 1));
    return { changed: { what: 'context', ids, level: 0 }, lost: [requester.id] };
  }

  /** The one who gets the frame, attached to another domain than the focus. */
  #taker({ requester, domain }: Focus, { taker }: ReuseDraw): PlatformRequester | undefined {
    const { world } = this.rounds;
    const others = world.platform.requesters.filter((each) => each !== requester);
    const other = others[taker % Math.max(1, others.length)];
    const theirs = world.domains[(world.domains.indexOf(domain) + 1) % world.domains.length]!;
    if (other === undefined || theirs === domain) return undefined;
    const which = world.contextTableInUse(other);
    if (which === undefined) world.setRoot(world.latched, other, 0);
    world.setContext(world.contextWord(other, which ?? 0), { domain: theirs, id: 0, faultDisable: false });
    return other;
  }

  /** One frame: used by the first, taken, invalidated, given to the second, and looked for by the first. */
  round(draw: ReuseDraw): void {
    const { rounds } = this;
    const { world } = rounds;
    const { script, memory } = world;
    const drawn = rounds.focusOf(draw);
    const frame = this.#nextFrame();
    const taker = this.#taker(drawn, draw);
    if (taker === undefined || frame === undefined) return;
    heal(world, drawn);
    const focus = { ...drawn, address: this.#mapIn(drawn, frame, draw) };
    world.flush();
    for (const each of draw.warm) rounds.access(focus, each, true);
    const { changed, lost } = this.#take(focus, frame, draw);
    memory.commit(script);
    rounds.cover(changed, focus, { ...draw, pace: draw.pace % 15, cover: this.#whole(draw.cover, changed) });
    const from = script.operations.length;
    const mark = MARK + this.secrets.length;
    const words = Array.from({ length: FRAME_WORDS }, (_, n) => (BigInt(mark) << 32n) | BigInt(n));
    script.store(frame, words);
    const theirs = this.#giveTo(taker, frame);
    for (const each of draw.theirs) {
      if (theirs !== undefined && rounds.access(theirs, { ...each, who: 0, where: 0 }, true) >= 0)
        rounds.count('made:theirs');
    }
    const strangers = lost.filter((id) => id !== taker.id);
    for (const each of draw.after) if (rounds.access(focus, each, true) >= 0) rounds.count('made:taken');
    const load = script.operations.length;
    script.load(frame, Number(FRAME));
    this.secrets.push({ from, until: load, load, mark, address: frame, strangers });
  }

  /** A cover of everything that was taken: places may share the leaf, and then one page is not all. */
  #whole(cover: CoverDraw, { level }: Changed): CoverDraw {
    const pages = level === 1 && this.rounds.world.places.length === 1;
    const how = cover.how === 'beside' ? 'exact' : cover.how;
    return { ...cover, how, iotlb: pages ? cover.iotlb : Math.min(2, cover.iotlb) };
  }

  /** Maps the frame for the taker where nothing was mapped. */
  #giveTo(requester: PlatformRequester, frame: bigint): Focus | undefined {
    const { world } = this.rounds;
    const { domain } = world.meaning(world.contextOf(requester));
    const place = world.places[0]!;
    for (let page = 2n; page < 12n; page++) {
      const address = world.address(domain, place) ^ (page << 12n);
      const focus = { requester, domain, place, address };
      world.fill(domain, domain.width.levels, domain.top, world.address(domain, place), place);
      const last = world.chain(requester, address).at(-1)!;
      if (last.level !== 1 || (world.memory.read(last.word) & 3n) !== 0n) continue;
      world.memory.set(last.word, leafEntry(frame, 1, READ_WRITE));
      world.memory.commit(world.script);
      return focus;
    }
    return undefined;
  }
}
