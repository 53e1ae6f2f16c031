import type { FindingIdentity } from '../../spec/interface/judgement.js';
import type { IsKnown } from '../judge/index.js';
import { identityKey } from './identity.js';
import type { KnownDeviation } from './types.js';

const DAY = 86_400_000;

function expired(entry: KnownDeviation, today: Date): boolean {
  if (entry.expires === undefined) return false;
  const dateOnly = /^\d{4}-\d{2}-\d{2}$/.test(entry.expires);
  return today.getTime() >= Date.parse(entry.expires) + (dateOnly ? DAY : 0);
}

/**
 * The entries that count for an implementation today. A plain date in `expires` counts to the end of that day (UTC).
 *
 * @param implementation `Profile.implementation`
 */
export function activeKnown(
  known: readonly KnownDeviation[],
  implementation: string,
  today: Date,
): readonly KnownDeviation[] {
  return known.filter((entry) => new RegExp(entry.implementation).test(implementation) && !expired(entry, today));
}

/**
 * A predicate on identities: whether a deviation is known for this implementation today. `undefined` when none is, which
 * spares the judge the search for known departures.
 */
export function matchKnown(
  known: readonly KnownDeviation[],
  implementation: string,
  today: Date = new Date(),
): IsKnown | undefined {
  const active = activeKnown(known, implementation, today);
  if (active.length === 0) return undefined;
  const clauses = new Set(active.map(({ clause }) => clause));
  const keys = new Set(active.map(identityKey));
  // Most identities asked about are of clauses that no entry names.
  const isKnown = (identity: FindingIdentity): boolean =>
    clauses.has(identity.clause) && keys.has(identityKey(identity));
  return Object.assign(isKnown, { kinds: new Set(active.map(({ kind }) => kind)) });
}
