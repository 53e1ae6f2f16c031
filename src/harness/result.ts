import type { FindingIdentity } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Collector, KnownSeen } from './collector.js';
import { replayCommand } from './corpus.js';
import type { CampaignDependencies } from './dependencies.js';
import { identityKey, identityOf, sameIdentity } from './identity.js';
import { activeKnown } from './known.js';
import type { Property } from './property.js';
import { clauseLines, labelShares } from './statistics.js';
import type { CampaignOptions, CampaignResult, FoundDeviation, PropertyTotals } from './types.js';

/** What a campaign was. */
export interface CampaignFacts {
  readonly started: string;
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly target: string;
  readonly profile: Profile;
  readonly properties: readonly Property[];
  readonly options: CampaignOptions;
  readonly deps: CampaignDependencies;
}

/** What it found. */
export interface CampaignFindings {
  readonly collector: Collector;
  readonly deviations: readonly FoundDeviation[];
  /** Keys of identities whose stored case ran and ended as the specification says. */
  readonly lookedFor: ReadonlySet<string>;
  /** Sizes of the sweeps, by property. */
  readonly sweepSizes: ReadonlyMap<string, number>;
}

function totalsOf(property: Property, facts: CampaignFacts, findings: CampaignFindings): PropertyTotals {
  const { id, claim } = property;
  const { cases, swept } = findings.collector.tally(id);
  const notApplicable = property.notApplicable?.(facts.profile);
  if (notApplicable !== undefined) return { property: id, claim, cases, swept, sweepSize: 0, notApplicable };
  return { property: id, claim, cases, swept, sweepSize: findings.sweepSizes.get(id) ?? 0 };
}

function knownDeviation(seen: KnownSeen, facts: CampaignFacts): FoundDeviation {
  const { stored, known } = facts.options;
  const own = stored.find((entry) => sameIdentity(entry.stored.identity, seen.finding))?.file;
  const file = own ?? known.find((entry) => sameIdentity(entry, seen.finding))?.case ?? '';
  const command = replayCommand(file, facts.target, facts.deps.cwd ?? process.cwd());
  return { ...seen, confirmed: true, file, command, known: true };
}

/** Writes down a campaign's result. */
export function assemble(facts: CampaignFacts, findings: CampaignFindings): CampaignResult {
  const { profile, properties, options, deps, started, seconds, interrupted, target } = facts;
  const { collector, lookedFor } = findings;
  const known = [...collector.known.values()].map((seen) => knownDeviation(seen, facts));
  const deviations = [...findings.deviations, ...known];
  const stale: readonly FindingIdentity[] = activeKnown(options.known, profile.implementation, new Date())
    .filter((entry) => lookedFor.has(identityKey(entry)) && !collector.known.has(identityKey(entry)))
    .map(identityOf);
  const entries = properties.map((property) => ({
    property,
    applicable: property.notApplicable?.(profile) === undefined,
    tally: collector.tally(property.id),
  }));
  const clauses = clauseLines({
    catalogue: deps.catalogue,
    clauses: collector.clauses,
    deviations,
    stale,
    properties: entries,
    applies: (clause) => deps.clauseApplies?.(clause, profile) ?? true,
  });
  return {
    profile,
    target,
    seed: options.seed,
    started,
    seconds,
    interrupted,
    totals: collector.totals,
    properties: properties.map((property) => totalsOf(property, facts, findings)),
    clauses,
    deviations,
    stale,
    undecided: collector.undecided,
    labels: entries
      .filter(({ applicable }) => applicable)
      .flatMap(({ property, tally }) => labelShares(property, profile, tally)),
  };
}
