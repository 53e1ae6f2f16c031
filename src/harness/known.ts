import type { FindingIdentity } from '../../spec/interface/judgement.js';
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

/** A predicate on identities: whether a deviation is known for this implementation today. */
export function matchKnown(
  known: readonly KnownDeviation[],
  implementation: string,
  today: Date = new Date(),
): (identity: FindingIdentity) => boolean {
  const keys = new Set(activeKnown(known, implementation, today).map(identityKey));
  return (identity) => keys.has(identityKey(identity));
}
