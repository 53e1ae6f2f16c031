/** What happens in a {@link CachedWorld}: rounds of warming up, changing, asking for invalidations, looking. */

import { TOKEN_BYTES } from '../../spec/layout/tokens.js';
import { type ChangeDraw, type Changed, change, type Focus, heal } from './cached-changes.js';
import { type CoverDraw, coverOf } from './cached-cover.js';
import { CachedWorld, type CachedWorldDraw, DATA_FRAMES } from './cached-world.js';
import { FRAME, type Platform, type PlatformRequester } from './capabilities.js';
import { completeByRegister, descriptorOf, type InvalidationRequest, submitByRegister } from './invalidate.js';
import type { Queue } from './queue.js';

/** What is drawn of a request: by whom and where, most often that which the round is about. */
export interface AccessDraw {
  readonly who: number;
  readonly where: number;
  readonly offset: number;
  readonly length: number;
  readonly write: number;
}

/** What is drawn of a round. */
export interface RoundDraw {
  readonly who: number;
  readonly place: number;
  /** 0 to 15: whether the way is made good first, and everything flushed. */
  readonly fresh: number;
  readonly changes: readonly ChangeDraw[];
  readonly cover: CoverDraw;
  /** 0 to 15: how invalidations are handed over, and when they are seen complete. */
  readonly pace: number;
  readonly warm: readonly AccessDraw[];
  readonly before: readonly AccessDraw[];
  readonly between: readonly AccessDraw[];
  readonly after: readonly AccessDraw[];
}

/** Numbers below these name the requester that the round is about, its page, and the next page. */
const SAME_REQUESTER = 17;
const SAME_PLACE = 12;
const NEIGHBOUR = 14;

function isFocus({ who, where }: AccessDraw): boolean {
  return who < SAME_REQUESTER && where < SAME_PLACE;
}

/** The part of a round that invalidates. */
type CoverPart = Pick<RoundDraw, 'cover' | 'pace' | 'between'>;

export interface CachedCase {
  readonly world: CachedWorldDraw;
  readonly collect: number;
  readonly rounds: readonly RoundDraw[];
}

/** Performs rounds. */
export class Rounds {
  readonly world: CachedWorld;
  readonly labels: Record<string, number> = {};
  readonly #every: number;
  #uncollected = 0;
  /** Waits that were handed over and not looked at yet, in their order. */
  #open: (() => void)[] = [];

  constructor(platform: Platform, draw: CachedCase) {
    this.world = new CachedWorld(platform, draw.world);
    this.#every = 1 + (draw.collect % 3);
    this.world.start();
  }

  count(label: string): void {
    this.labels[label] = (this.labels[label] ?? 0) + 1;
  }

  /** The requester that a number names; most are the one that the round is about. */
  #who({ requester }: Focus, pick: number): PlatformRequester {
    const { requesters } = this.world.platform;
    return pick < SAME_REQUESTER ? requester : requesters[pick % requesters.length]!;
  }

  /** Sends a request; returns the index of its operation, or -1. */
  access(focus: Focus, draw: AccessDraw, settled = false): number {
    const { world } = this;
    const { script, memory } = world;
    const requester = this.#who(focus, draw.who);
    const bytes = Math.min(4 * (1 + (draw.length & 15)), TOKEN_BYTES);
    const page = this.#page(focus, draw);
    const address = page + BigInt((draw.offset * 4) % (Number(FRAME) - bytes));
    const write = draw.write === 0;
    memory.commit(script);
    const at = script.dma({ requester: requester.id, direction: write ? 'write' : 'read', address, bytes });
    if (at < 0) return at;
    this.#uncollected++;
    if (this.#uncollected >= this.#every) this.collect();
    // Where a write went is settled at once: open questions multiply.
    if (write && !settled) script.load(world.dataAddress(0), DATA_FRAMES * Number(FRAME));
    return at;
  }

  #page({ domain, place, address }: Focus, { where }: AccessDraw): bigint {
    const { places } = this.world;
    const page = address & ~(FRAME - 1n);
    if (where < SAME_PLACE) return page;
    if (where < NEIGHBOUR) return page + FRAME;
    return this.world.address(domain, where < 15 ? places[where % places.length]! : place, where === 15);
  }

  collect(): void {
    this.world.script.collect({ all: this.#uncollected > 1, clearOverflow: this.#uncollected > 1 });
    this.#uncollected = 0;
  }

  focusOf({ who, place }: Pick<RoundDraw, 'who' | 'place'>): Focus {
    const { world } = this;
    const requester = world.platform.requesters[who % world.platform.requesters.length]!;
    const { domain } = world.meaning(world.contextOf(requester));
    const where = world.places[place % world.places.length]!;
    return { requester, domain, place: where, address: world.address(domain, where) };
  }

  /** Asks through registers: the next only when the one before is seen complete. */
  #byRegister(requests: readonly InvalidationRequest[], focus: Focus, between: readonly AccessDraw[]): void {
    const { script } = this.world;
    requests.forEach((request, nth) => {
      submitByRegister(script, request);
      for (const each of nth === requests.length - 1 ? between : between.slice(1)) this.#inFlight(focus, each);
      completeByRegister(script, request);
    });
  }

  /**
   * Asks through the queue: all with one wait, or each with a wait of its own, which are in flight together.
   * Returns whether all was seen complete; else it is looked at later.
   */
  #byQueue(
    queue: Queue,
    requests: readonly InvalidationRequest[],
    focus: Focus,
    { pace, between }: CoverPart,
  ): boolean {
    const groups = pace < 6 ? requests.map((each) => [each]) : [requests];
    const later = pace === 15;
    // One flag for all: with several waits in flight it does not tell which one it was.
    const event = !later && groups.length === 1 && this.#open.length === 0 && (pace & 3) === 3;
    const waits = groups.map((group) => {
      for (const each of group) {
        queue.put(descriptorOf(each, this.world.platform.largestIndexMask));
        if (pace & 1) queue.notify();
      }
      return queue.requestWait(event ? 'event' : 'status', (pace & 2) === 2);
    });
    // That the head met the tail proves nothing.
    if (pace & 8) this.world.script.read('IQH', 8);
    for (const each of between) this.#inFlight(focus, each);
    if (later) {
      this.#open.push(...waits);
      return false;
    }
    waits.forEach((complete, nth) => {
      complete();
      const more = between[nth];
      if (nth < waits.length - 1 && more !== undefined) this.#inFlight(focus, more);
    });
    return true;
  }

  /** Invalidates, with requests before it is seen complete; returns whether it was. */
  #invalidate(requests: readonly InvalidationRequest[], focus: Focus, draw: CoverPart): boolean {
    const { queue } = this.world;
    if (requests.length === 0) return true;
    if (queue !== undefined) return this.#byQueue(queue, requests, focus, draw);
    this.#byRegister(requests, focus, draw.between);
    return true;
  }

  /** Invalidates what was changed, or more, or something else; returns whether it was seen complete. */
  cover(changed: Changed, focus: Focus, draw: CoverPart): boolean {
    const { world } = this;
    const { platform, latched } = world;
    if (platform.modeSwitch && draw.cover.how !== 'beside' && draw.cover.flags % 5 === 0) {
      // There the root pointer takes everything with it, even when it is the same.
      world.latch(latched);
      return true;
    }
    return this.#invalidate(coverOf(platform, changed, focus, draw.cover), focus, draw);
  }

  #inFlight(focus: Focus, draw: AccessDraw): void {
    if (this.access(focus, draw) >= 0) this.count('made:in-flight');
  }

  /** One round. */
  round(draw: RoundDraw): void {
    const focus = this.focusOf(draw);
    const good = draw.fresh < 14;
    if (good) heal(this.world, focus);
    if (draw.fresh < 6) this.world.flush();
    let warmed = false;
    for (const each of draw.warm) {
      const at = this.access(focus, each, true);
      if (at >= 0 && isFocus(each)) warmed = good;
    }
    let done = true;
    let exact = true;
    draw.changes.forEach((each) => {
      const changed: Changed = change(this.world, focus, each);
      for (const access of draw.before) if (this.access(focus, access) >= 0) this.count('made:before');
      done = this.cover(changed, focus, draw) && done;
      exact &&= draw.cover.how !== 'beside';
      this.count(`made:${changed.what}`);
    });
    for (const each of draw.after) {
      if (this.access(focus, each) < 0) continue;
      if (done && exact && warmed && isFocus(each)) this.count('made:after-use');
    }
    if (draw.fresh & 1) this.#lookAtAll();
  }

  #lookAtAll(): void {
    for (const complete of this.#open) complete();
    this.#open = [];
  }

  /** The end of every case. */
  finish(): void {
    const { script, memory, queue } = this.world;
    memory.commit(script);
    this.#lookAtAll();
    script.collect({ all: true, clearOverflow: true });
    if (script.queueEnabled) queue?.disable();
    script.loadArena();
  }
}
