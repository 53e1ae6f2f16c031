/** A world for protected memory: regions in the arena, and every data frame in reach of each way to memory. */

import { PMEN_FIELDS } from '../../spec/layout/vtd.js';
import { FRAME, type Platform } from './capabilities.js';
import { READ_WRITE } from './entries.js';
import type { RequestIntent, SlotIntent } from './intents.js';
import type { Seat } from './plan.js';
import { Stage } from './stage.js';

/** The low region and the high one. */
export type RegionName = 'L' | 'H';

/** Unit in which bases and limits are programmed. A target's own may be larger; reading back tells. */
const UNIT = 0x1_0000n;

const EPM = 1n << BigInt(PMEN_FIELDS.EPM[1]);
const PRS = 1n << BigInt(PMEN_FIELDS.PRS[1]);

/** Most pages that are mapped one after the other. */
const MOST_PAGES = 512n;

/** The regions that the unit has. */
export function regionNames(platform: Platform): readonly RegionName[] {
  return [...(platform.protectedLow ? (['L'] as const) : []), ...(platform.protectedHigh ? (['H'] as const) : [])];
}

/** Addresses at which regions begin and end: the arena's ends, and the borders between units among its data frames. */
export function bordersOf(platform: Platform, firstData: bigint): readonly bigint[] {
  const end = platform.base + BigInt(platform.frames) * FRAME;
  const borders = [platform.base & ~(UNIT - 1n)];
  for (let border = (firstData & ~(UNIT - 1n)) + UNIT; border < end; border += UNIT) borders.push(border);
  return [...borders, (end + UNIT - 1n) & ~(UNIT - 1n)];
}

/** A case in the making. */
export class ProtectionCase {
  readonly stage: Stage;
  readonly borders: readonly bigint[];
  readonly #first: bigint;
  readonly #end: bigint;
  readonly #iova: bigint;
  #protected = false;

  /** @param queued flushes go through the invalidation queue, where there is one */
  constructor(platform: Platform, slot: SlotIntent, start: 'reset' | 'ready', queued: boolean) {
    this.stage = new Stage(platform, [slot], 0, queued && platform.queue ? 'status' : undefined);
    const { plan, script } = this.stage;
    const { memory } = plan;
    this.#first = memory.frameAddress(memory.tableFrames);
    this.#end = memory.frameAddress(platform.frames);
    this.borders = bordersOf(platform, this.#first);
    memory.zeroTables(script);
    const domain = plan.addDomain(platform.widths.at(-1)!, plan.freeDomainId(3n))!;
    // Neighbouring frames have neighbouring inputs, so that requests can go across a border.
    this.#iova = this.stage.slotAddress(domain, 0, 1) & ~(MOST_PAGES * FRAME - 1n);
    for (let at = this.#first; at < this.#end && at - this.#first < MOST_PAGES * FRAME; at += FRAME) {
      plan.map(domain, this.#iova + (at - this.#first), 1, READ_WRITE, at);
    }
    plan.seats.forEach((seat, n) => {
      const straight = platform.passThrough && n % 3 === 1;
      plan.attach(seat, { domain: straight ? undefined : 0, faultDisable: false });
    });
    memory.commit(script);
    this.stage.enabled = start === 'ready';
    if (this.stage.enabled) this.stage.latchRoot(plan.rootAddress);
  }

  /** Turns translation on, when the case began from reset. */
  translate(): void {
    if (this.stage.enabled) return;
    this.stage.latchRoot(this.stage.plan.rootAddress);
    this.stage.script.enable();
  }

  #writeBound(register: string, value: bigint, halves: boolean): void {
    const { script } = this.stage;
    if (register.startsWith('PL')) script.write(register, 4, value & 0xffff_ffffn);
    else if (halves) {
      script.write(register, 4, value & 0xffff_ffffn);
      script.write(register, 4, value >> 32n, { offset: 4 });
    } else script.write(register, 8, value);
  }

  /** Writes ones to base and limit and reads them back; ends with both 0. */
  discover(region: RegionName): void {
    this.#unprotected(() => {
      const { script } = this.stage;
      for (const register of [`P${region}MBASE`, `P${region}MLIMIT`]) {
        this.#writeBound(register, (1n << 64n) - 1n, false);
        script.read(register, region === 'L' ? 4 : 8);
        this.#writeBound(register, 0n, false);
      }
    });
  }

  /** Programs a region from border number `from` up to border number `to`; the same or a lower one than `from`: one unit, or none. */
  program(region: RegionName, from: number, to: number, halves: boolean): void {
    this.#unprotected(() => {
      const base = this.borders[from % this.borders.length]!;
      const end = this.borders[to % this.borders.length]!;
      this.#writeBound(`P${region}MBASE`, base, halves);
      this.#writeBound(`P${region}MLIMIT`, end > base ? end - UNIT : end, halves);
      if (end < base) this.stage.count('made:limit-below-base');
    });
  }

  /** Base and limit must not change while the regions are protected. */
  #unprotected(change: () => void): void {
    const before = this.#protected;
    this.protect(false);
    change();
    this.protect(before);
  }

  /** Turns protection on or off and sees it done. */
  protect(on: boolean): void {
    if (on === this.#protected) return;
    this.#protected = on;
    const { script } = this.stage;
    script.write('PMEN', 4, on ? EPM : 0n);
    script.poll('PMEN', 4, PRS, on ? PRS : 0n);
  }

  /** A request to a data frame: by the frame's own address, or by the input that is mapped there. */
  #toFrame(seat: Seat, address: bigint): bigint {
    const straight = !this.stage.enabled || seat.attachment?.domain === undefined;
    return straight ? address : this.#iova + (address - this.#first);
  }

  /** A request just before, at, across or after a border. One that would leave the data frames is left out. */
  probe(who: number, border: number, side: 'before' | 'at' | 'across' | 'beside', request: RequestIntent): void {
    const seat = this.stage.plan.seat(who);
    const at = this.borders[border % this.borders.length]!;
    const bytes = request.length < 64 ? 4 * (1 + (request.length & 15)) : 1 + (request.length & 3);
    const far = BigInt(request.offset) * 64n;
    const address = { before: at - BigInt(bytes), at, across: at - BigInt(bytes >> 1), beside: at + (far & ~63n) }[
      side
    ];
    if (address < this.#first || address + BigInt(bytes) > this.#end) return;
    if (this.#protected) this.stage.count('made:protected');
    if (side === 'across') this.stage.count('made:across');
    this.stage.send(seat, { address: this.#toFrame(seat, address), bytes, write: request.write });
    // An older unit may block either part: what was written is looked at before the choices multiply.
    if (side === 'across') this.stage.script.load(address & ~7n, 8 * (Math.ceil(bytes / 8) + 1));
  }
}
