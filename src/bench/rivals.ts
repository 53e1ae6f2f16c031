import { ACCESS, OUTCOME, type PhysicalMemory, type RemappingUnit, type Shape } from '../engine/index.js';
import { BareIotlb, BareWalk } from './bare.js';
import { type Requests, ROUTING_ID, type Tables, unitOver } from './tables.js';

/** One way to translate all requests. */
export interface Rival {
  readonly name: string;
  /** What it is compared with; absent for those that the others are compared with. */
  readonly against?: string;
  /** Share of the other's speed that is aimed at. */
  readonly aim?: number;
  /** Translates every request once; gives the sum of the low halves of the host addresses, modulo 2^32. */
  sweep(): number;
}

export const BARE_WALK = 'bare walk';
export const BARE_HIT = 'bare IOTLB';

const WALK_AIM = 0.35;
const HIT_AIM = 0.7;

/** What the requests are made with; constants of other modules would be loaded for each of them. */
const REQUESTER = ROUTING_ID;
const READ = ACCESS.read;
const TRANSLATED = OUTCOME.translated;

/** Translates all by `RemappingUnit.translate`, which is what a device's request goes through. */
function sweepUnit(unit: RemappingUnit, { highs, lows }: Requests): number {
  let sum = 0;
  for (let n = 0; n < lows.length; n++) {
    if (unit.translate(REQUESTER, highs[n]!, lows[n]!, READ) === TRANSLATED) {
      sum = (sum + unit.outLow) | 0;
    }
  }
  return sum;
}

function sweepBareWalk(walk: BareWalk, { highs, lows }: Requests): number {
  let sum = 0;
  for (let n = 0; n < lows.length; n++) {
    if (walk.translate(highs[n]!, lows[n]!)) {
      sum = (sum + walk.outLow) | 0;
    }
  }
  return sum;
}

function sweepBareIotlb(iotlb: BareIotlb, { highs, lows }: Requests): number {
  let sum = 0;
  for (let n = 0; n < lows.length; n++) {
    if (iotlb.translate(highs[n]!, lows[n]!)) {
      sum = (sum + iotlb.outLow) | 0;
    }
  }
  return sum;
}

/** @throws Error when the frames do not lie one behind the other, which the bare walk relies on */
function bareWalk({ memory, top }: Tables): BareWalk {
  const { frames, words }: PhysicalMemory = memory;
  const first = frames[0]!;
  if (frames.some((start, frame) => start !== first + frame * 1024)) {
    throw new Error('the tables do not lie in one piece');
  }
  return new BareWalk(new Uint32Array(words.buffer), first, top);
}

function bareIotlb(walk: BareWalk, { highs, lows }: Requests): BareIotlb {
  const iotlb = new BareIotlb(2 ** Math.ceil(Math.log2(lows.length)));
  for (let n = 0; n < lows.length; n++) {
    walk.translate(highs[n]!, lows[n]!);
    iotlb.fill(highs[n]!, lows[n]!, walk.outHigh, walk.outLow);
  }
  return iotlb;
}

/**
 * Those that are compared over the same tables. Root and context entries are cached in every unit.
 *
 * @throws Error when one of them does not translate every request as the tables say
 */
export function rivalsOver(tables: Tables, shape: Shape): readonly Rival[] {
  const { requests, sum } = tables;
  const pages = requests.lows.length;
  const unit = (caches: Parameters<typeof unitOver>[2]) => {
    const made = unitOver(tables, shape, caches);
    return () => sweepUnit(made, requests);
  };
  const walk = bareWalk(tables);
  const iotlb = bareIotlb(walk, requests);
  const { caches } = shape;
  const walking = { against: BARE_WALK, aim: WALK_AIM };
  const rivals: readonly Rival[] = [
    { name: BARE_WALK, sweep: () => sweepBareWalk(walk, requests) },
    { name: 'walk, all 4 levels', ...walking, sweep: unit({ iotlb: 0, structure: 0 }) },
    { name: `walk, ${caches.structure} entries a level cached`, ...walking, sweep: unit({ iotlb: 0 }) },
    // An IOTLB that the pages do not fit: each is looked for, not found, walked for, and put there.
    ...(pages > caches.iotlb ? [{ name: `miss, IOTLB of ${caches.iotlb}`, ...walking, sweep: unit({}) }] : []),
    { name: BARE_HIT, sweep: () => sweepBareIotlb(iotlb, requests) },
    { name: 'hit', against: BARE_HIT, aim: HIT_AIM, sweep: unit({ iotlb: Math.max(caches.iotlb, pages) }) },
  ];
  for (const { name, sweep } of rivals) {
    // The second time caches are full.
    sweep();
    if (sweep() !== sum) throw new Error(`${name}, ${pages} pages: not what the tables say`);
  }
  return rivals;
}
