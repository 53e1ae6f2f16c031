/**
 * Two pages under a changed entry, of which one is invalidated. What the other still leads to through the old entry
 * must not come back to the one.
 */

import type { Profile } from '../../spec/interface/profile.js';
import type { Built } from '../../src/harness/property.js';
import { change } from './cached-changes.js';
import type { CoverDraw } from './cached-cover.js';
import { Rounds } from './cached-rounds.js';
import { FRAME, type Platform, platformOf } from './capabilities.js';
import { covers } from './entries.js';

/** One swept case. */
export interface NeighbourPoint {
  /** Which of the platform's widths. */
  readonly width: number;
  /** Level of the entry that changes; it points to a table. */
  readonly level: number;
  /** The bit of the input address in which the pages differ. */
  readonly apart: bigint;
  /** Address mask of the invalidation, which never reaches the other page. */
  readonly mask: 'page' | 'block';
  /** Through the queue, where there is one. */
  readonly queued: boolean;
}

/** Neighbouring pages, pages of two blocks, and of two tables on each level. */
const APART: readonly bigint[] = [FRAME, 16n * FRAME, covers(2), covers(3), covers(4)];

/** Blocks are of 16 pages. */
const BLOCK_BITS = 4;

/** Every point for a platform: none where nothing is invalidated by page. */
export function neighbourPoints(platform: Platform): readonly NeighbourPoint[] {
  if (!platform.pageSelective) return [];
  return platform.widths.flatMap(({ levels }, width) =>
    Array.from({ length: levels - 1 }, (_, n) => n + 2).flatMap((level) =>
      APART.filter((apart) => apart < covers(level)).flatMap((apart, n) =>
        (['page', 'block'] as const)
          .filter((mask) => mask === 'page' || apart > FRAME)
          .map((mask): NeighbourPoint => ({ width, level, apart, mask, queued: platform.queue && n % 2 === 0 })),
      ),
    ),
  );
}

/** Exactly one page, or the block around it. */
function coverFor({ mask }: NeighbourPoint): CoverDraw {
  const flags = mask === 'page' ? 4 : 7;
  return { how: 'exact', context: 1, iotlb: 3, functionMask: 0, mask: BLOCK_BITS, flags };
}

/**
 * The scenario of a point: both pages while nothing is remembered, the change, the invalidation; then the other page,
 * a third one next to it, and the one.
 */
export function buildNeighbours(profile: Profile, point: NeighbourPoint): Built {
  const platform = platformOf(profile);
  const domain = { width: point.width, id: 0 };
  const world = {
    domains: [domain, domain],
    places: [{ upper: [0x0ab, 0x055, 0x02b, 0x017], share: 0, home: 2 }],
    attach: [[0, 0] as const],
    queue: point.queued ? 0 : 15,
  };
  const rounds = new Rounds(platform, { world, collect: 0, rounds: [] });
  const { memory, script } = rounds.world;
  const focus = rounds.focusOf({ who: 0, place: 0 });
  const { levels } = focus.domain.width;
  const other = focus.address ^ point.apart;
  const third = other ^ (2n * FRAME);
  for (const address of [other, third]) {
    rounds.world.fill(focus.domain, levels, focus.domain.top, address, focus.place);
  }
  rounds.world.flush();
  const read = (addresses: readonly bigint[]): void => {
    for (const address of addresses) {
      memory.commit(script);
      script.dma({ requester: focus.requester.id, direction: 'read', address: address & ~(FRAME - 1n), bytes: 16 });
      script.collect({ all: false, clearOverflow: false });
    }
  };
  read([other, focus.address]);
  const changed = change(rounds.world, focus, { at: 'table', level: levels - point.level, how: 7, pick: 0 });
  rounds.cover(changed, focus, { cover: coverFor(point), pace: 6, between: [] });
  read([other, third, focus.address]);
  rounds.count('made:neighbours');
  rounds.finish();
  return { scenario: { level: 'operations', start: 'ready', operations: script.operations }, labels: rounds.labels };
}
