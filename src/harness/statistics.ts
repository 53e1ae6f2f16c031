import type { Clause, FindingIdentity } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import { lowerTail } from './binomial.js';
import type { Tally } from './collector.js';
import { TARGET_CLAUSE } from './identity.js';
import type { Property } from './property.js';
import type { ClauseLine, ClauseVerdict, FoundDeviation, LabelShare } from './types.js';

/** How unlikely a count must be, were the share as large as the minimum, before it is called low. */
const SURE = 0.001;

/** Share of cases that may stay undecided. */
export const INCONCLUSIVE_SHARE = 0.005;

/**
 * Whether a label's share is below its minimum. The requests of one case resemble each other (one table depth, one page
 * size), so the number of independent trials is taken to be the number of cases, which never accuses wrongly.
 */
export function shareVerdict(share: number, minimum: number, cases: number): LabelShare['verdict'] {
  if (cases > 0 && share >= minimum) return 'ok';
  if (minimum <= 0) return 'too few';
  const least = Math.min(minimum, 1 - 1e-9);
  if (lowerTail(0, cases, least) >= SURE) return 'too few';
  return lowerTail(Math.min(share, 1) * cases, cases, least) < SURE ? 'low' : 'ok';
}

/** The labels that a property has minimum shares for, against what its random cases held. */
export function labelShares(property: Property, profile: Profile, tally: Tally): readonly LabelShare[] {
  return Object.entries(property.minimumShares(profile)).map(([label, minimum]) => {
    const count = tally.labels.get(label) ?? 0;
    const share = tally.requests === 0 ? 0 : count / tally.requests;
    const verdict = shareVerdict(share, minimum, tally.casesWithRequests);
    return { property: property.id, label, count, of: tally.requests, minimum, verdict };
  });
}

export interface ClauseInput {
  readonly catalogue: readonly Clause[];
  readonly clauses: ReadonlyMap<string, number>;
  readonly deviations: readonly FoundDeviation[];
  readonly stale: readonly FindingIdentity[];
  readonly properties: readonly {
    readonly property: Property;
    readonly applicable: boolean;
    readonly tally: Tally;
  }[];
  readonly applies: (clause: Clause) => boolean;
}

/** Most of a clause's properties' cases could not be decided. */
function undecided(tallies: readonly Tally[]): boolean {
  const cases = tallies.reduce((sum, tally) => sum + tally.cases + tally.swept, 0);
  const open = tallies.reduce((sum, tally) => sum + tally.inconclusive, 0);
  return open > cases * INCONCLUSIVE_SHARE;
}

function verdictFor(
  id: string,
  exercised: number,
  found: readonly FoundDeviation[],
  input: ClauseInput,
): ClauseVerdict {
  const fresh = found.filter((deviation) => !deviation.known);
  if (fresh.some(({ finding, confirmed }) => finding.certain && confirmed)) return 'FAIL';
  if (fresh.length > 0) return 'SUSPECT';
  if (found.length > 0) return 'KNOWN';
  if (input.stale.some(({ clause }) => clause === id)) return 'STALE';
  if (exercised > 0) return 'PASS';
  const naming = input.properties.filter(({ property }) => property.clauses.includes(id));
  const clause = input.catalogue.find((entry) => entry.id === id);
  if (clause !== undefined && !input.applies(clause)) return 'NOT APPLICABLE';
  if (naming.length > 0 && naming.every(({ applicable }) => !applicable)) return 'NOT APPLICABLE';
  return undecided(naming.map(({ tally }) => tally)) ? 'INCONCLUSIVE' : 'NOT EXERCISED';
}

/**
 * A line for every clause that a property names, that decided something, or that was found broken: in the catalogue's
 * order, ids it does not have at the end. A finding that is not certain or was not shown again is a suspect.
 */
export function clauseLines(input: ClauseInput): readonly ClauseLine[] {
  const wanted = new Set<string>([
    ...input.properties.flatMap(({ property }) => property.clauses),
    ...input.clauses.keys(),
    ...input.deviations.map(({ finding }) => finding.clause),
    ...input.stale.map(({ clause }) => clause),
  ]);
  wanted.delete(TARGET_CLAUSE);
  const listed = input.catalogue.map(({ id }) => id).filter((id) => wanted.delete(id));
  return [...listed, ...wanted].map((id) => {
    const exercised = input.clauses.get(id) ?? 0;
    const found = input.deviations.filter(({ finding }) => finding.clause === id);
    return { clause: id, verdict: verdictFor(id, exercised, found, input), exercised, findings: found.length };
  });
}
