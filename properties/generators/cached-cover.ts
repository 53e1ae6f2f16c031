/** Which invalidations follow a change of a {@link CachedWorld}: what they cover, and in which order they come. */

import type { Changed, Focus } from './cached-changes.js';
import type { Platform } from './capabilities.js';
import { covers } from './entries.js';
import type { InvalidationRequest } from './invalidate.js';

/** What is drawn of the invalidations after a change. */
export interface CoverDraw {
  /** Exactly what changed, more than it, or something beside it. */
  readonly how: 'exact' | 'more' | 'beside';
  readonly context: number;
  readonly iotlb: number;
  readonly functionMask: number;
  readonly mask: number;
  readonly flags: number;
}

/** Granularities: global, domain, device or page. */
const GLOBAL = 1;
const DOMAIN = 2;
const FINEST = 3;

const NOTHING = {
  domain: 0n,
  source: 0,
  functionMask: 0,
  address: 0n,
  mask: 0,
  keepUpper: false,
  drain: false,
} as const;

/** A domain-id as a command names it: bits above the width do not count. */
function named(platform: Platform, id: bigint, { flags }: CoverDraw): bigint {
  return platform.domainBits < 16 && (flags & 3) === 3 ? id | (1n << BigInt(platform.domainBits)) : id;
}

function contextRequests(platform: Platform, { ids }: Changed, focus: Focus, draw: CoverDraw, granularity: number) {
  const source = focus.requester.routingId;
  return ids.slice(0, granularity === GLOBAL ? 1 : 2).map((id): InvalidationRequest => {
    const common = { ...NOTHING, cache: 'context', granularity } as const;
    if (granularity === GLOBAL) return common;
    const domain = named(platform, id, draw);
    if (granularity === DOMAIN) return { ...common, domain };
    // Bits of the source-id that FM leaves out may be anything.
    const ignored = [0, 4, 6, 7][draw.functionMask]!;
    return { ...common, domain, source: source ^ (ignored & draw.mask), functionMask: draw.functionMask };
  });
}

function iotlbRequests(platform: Platform, { ids, level }: Changed, focus: Focus, draw: CoverDraw, wanted: number) {
  const granularity = wanted === FINEST && !platform.pageSelective ? DOMAIN : wanted;
  const drain = platform.drain && (draw.flags & 12) === 12;
  return ids.slice(0, granularity === GLOBAL ? 1 : 2).map((id): InvalidationRequest => {
    const common = { ...NOTHING, cache: 'iotlb', granularity, drain } as const;
    if (granularity === GLOBAL) return common;
    const domain = named(platform, id, draw);
    if (granularity === DOMAIN) return { ...common, domain };
    const whole = 9 * Math.max(0, level - 1);
    const mask = Math.min([0, whole, whole, draw.mask % 10][draw.flags & 3]!, platform.largestMask);
    // The low bits of the page number do not count.
    const low = (BigInt(draw.mask) * 0x1111n * covers(1)) & ((1n << BigInt(12 + mask)) - 1n);
    const address = (focus.address & ~(covers(1) - 1n)) ^ low;
    return { ...common, domain, address, mask, keepUpper: level <= 1 && (draw.flags & 16) === 16 };
  });
}

/** Moves one invalidation to the side of what changed, or leaves some out. */
function beside(
  requests: readonly InvalidationRequest[],
  { functionMask, mask, flags }: CoverDraw,
): readonly InvalidationRequest[] {
  const context = requests.filter(({ cache }) => cache === 'context');
  const iotlb = requests.filter(({ cache }) => cache === 'iotlb');
  switch (flags % 7) {
    case 0:
      return context.length > 0
        ? context
        : requests.map((each) => ({ ...each, keepUpper: each.granularity === FINEST }));
    case 1:
      return iotlb.map((each) => ({ ...each, address: each.address ^ covers(1 + (mask % 4)) }));
    case 2:
      return requests.map((each) => ({ ...each, domain: each.domain ^ 1n }));
    case 3:
      return requests.map((each) => ({ ...each, source: each.source ^ (1 << functionMask) }));
    case 4:
      return [...iotlb, ...context];
    case 5:
      return iotlb.map((each) => ({ ...each, keepUpper: each.granularity === FINEST }));
    default:
      return [];
  }
}

/** The invalidations after a change, in their order. */
export function coverOf(
  platform: Platform,
  changed: Changed,
  focus: Focus,
  draw: CoverDraw,
): readonly InvalidationRequest[] {
  const paging = changed.what === 'leaf' || changed.what === 'table';
  const everything = changed.what === 'root' || changed.what === 'pointer';
  const more = draw.how === 'more' ? 1 : 0;
  const context = everything ? GLOBAL : Math.max(GLOBAL, draw.context - more);
  const least = everything ? GLOBAL : paging ? FINEST : DOMAIN;
  const iotlb = Math.min(least, Math.max(GLOBAL, draw.iotlb - more));
  const exact = [
    ...(paging && more === 0 ? [] : contextRequests(platform, changed, focus, draw, context)),
    ...iotlbRequests(platform, changed, focus, draw, iotlb),
  ];
  // A new root pointer takes everything with it where the unit says so.
  if (changed.what === 'pointer' && platform.modeSwitch && draw.how !== 'more') return [];
  return draw.how === 'beside' ? beside(exact, draw) : exact;
}
