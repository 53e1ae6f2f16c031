/** Arbitraries of {@link CachedCase}. */

import fc, { type Arbitrary } from 'fast-check';
import type { ChangeDraw } from './cached-changes.js';
import type { CoverDraw } from './cached-cover.js';
import type { AccessDraw, CachedCase, RoundDraw } from './cached-rounds.js';
import type { CachedWorldDraw, PlaceDraw } from './cached-world.js';

export function accessDraws(): Arbitrary<AccessDraw> {
  return fc.record({
    who: fc.nat(19),
    where: fc.nat(15),
    offset: fc.nat(1023),
    length: fc.nat(15),
    write: fc.nat(5),
  });
}

function placeDraws(): Arbitrary<PlaceDraw> {
  const position = fc.nat(1023);
  return fc.record({ upper: fc.tuple(position, position, position, position), share: fc.nat(5), home: fc.nat(63) });
}

/** @param most domains, at most */
export function worldDraws(most = 3): Arbitrary<CachedWorldDraw> {
  const domain = fc.record({ width: fc.nat(2), id: fc.nat(0xffff) });
  const seat = fc.tuple(fc.nat(15), fc.nat(15));
  return fc.record({
    domains: fc.array(domain, { minLength: 2, maxLength: most, size: 'max' }),
    places: fc.array(placeDraws(), { minLength: 1, maxLength: 3, size: 'max' }),
    attach: fc.array(seat, { minLength: 1, maxLength: 4, size: 'max' }),
    queue: fc.nat(15),
  });
}

export function changeDraws(): Arbitrary<ChangeDraw> {
  return fc.record({
    at: fc.constantFrom(
      'pointer',
      'root',
      'root',
      'context',
      'context',
      'context',
      'table',
      'table',
      'table',
      'leaf',
      'leaf',
      'leaf',
    ),
    level: fc.nat(11),
    how: fc.nat(35),
    pick: fc.nat(63),
  });
}

export function coverDraws(): Arbitrary<CoverDraw> {
  return fc.record({
    how: fc.constantFrom('exact', 'exact', 'exact', 'exact', 'exact', 'more', 'more', 'beside'),
    context: fc.integer({ min: 1, max: 3 }),
    iotlb: fc.constantFrom(1, 2, 3, 3, 3),
    functionMask: fc.nat(3),
    mask: fc.nat(63),
    flags: fc.nat(0xffff),
  });
}

function roundDraws(): Arbitrary<RoundDraw> {
  const some = (least: number, most: number): Arbitrary<AccessDraw[]> =>
    fc.array(accessDraws(), { minLength: least, maxLength: most, size: 'max' });
  return fc.record({
    who: fc.nat(7),
    place: fc.nat(2),
    fresh: fc.nat(15),
    changes: fc.array(changeDraws(), { minLength: 1, maxLength: 2, size: 'max' }),
    cover: coverDraws(),
    pace: fc.nat(15),
    warm: some(1, 2),
    before: some(0, 2),
    between: some(0, 2),
    after: some(2, 4),
  });
}

/** Cases of some rounds. */
export function cachedCases(): Arbitrary<CachedCase> {
  return fc.noBias(
    fc.record({
      world: worldDraws(),
      collect: fc.nat(5),
      rounds: fc.array(roundDraws(), { minLength: 2, maxLength: 6, size: 'max' }),
    }),
  );
}
