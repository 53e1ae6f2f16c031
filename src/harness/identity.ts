import type { Clause, FindingIdentity } from '../../spec/interface/judgement.js';

/** The clause that stands for a target that failed to do its work. */
export const TARGET_CLAUSE = 'TARGET';

/** The part of a finding that says which finding it is. */
export function identityOf(finding: FindingIdentity): FindingIdentity {
  return { clause: finding.clause, kind: finding.kind, discriminator: finding.discriminator };
}

/** One string per identity. */
export function identityKey(identity: FindingIdentity): string {
  return JSON.stringify([identity.clause, identity.kind, identity.discriminator]);
}

/** Whether two findings are the same one. */
export function sameIdentity(a: FindingIdentity, b: FindingIdentity): boolean {
  return a.clause === b.clause && a.kind === b.kind && a.discriminator === b.discriminator;
}

/**
 * Says of a clause id whether a claim that rests on it may be certain: a MUST with tag 2, 1S or d.
 * Ids that the catalogue does not have are taken as certain, so that a misspelt one is seen.
 */
export function certainClauses(catalogue: readonly Clause[]): (clause: string) => boolean {
  const weak = new Set(
    catalogue.filter((c) => c.obligation !== 'MUST' || !['2', '1S', 'd'].includes(c.tag)).map((c) => c.id),
  );
  return (clause) => !weak.has(clause);
}
