import type { Finding, FindingIdentity, Judgement } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History, Scenario } from '../../spec/interface/scenario.js';

/** Version of the formats written by this release. */
export const FORMAT_VERSION = 1;

/** One counterexample, as kept in a file. */
export interface StoredCase {
  readonly format: 'iovcheck-case';
  readonly version: 1;
  /** File name without ".json": clause, kind and a hash of the identity. */
  readonly id: string;
  readonly property: string;
  readonly identity: FindingIdentity;
  readonly profile: Profile;
  readonly scenario: Scenario;
  readonly expected: string;
  readonly observed: string;
  /** What was found first: where the random case came from. */
  readonly origin: { readonly seed: number; readonly index: number; readonly sweep: boolean };
  readonly tool: { readonly name: string; readonly version: string };
  readonly target: { readonly id: string; readonly implementation: string };
  /** The history that showed it, for people and for judging without a target. */
  readonly history: History;
  /** For a claim beyond conformance: what the property's claim was made of (`Built.expectation`); plain JSON data. */
  readonly expectation?: unknown;
}

/** Where a case came from: enough to make it again. */
export interface CaseOrigin {
  readonly kind: 'random' | 'sweep' | 'stored';
  readonly property: string;
  /** Seed of the campaign. */
  readonly seed: number;
  /** Number of the case in its property's random cases or in its sweep. */
  readonly index: number;
  /** Path of a stored case. */
  readonly file?: string;
}

/** What `in-flight.json` holds while a case of a property runs; while shrinking it holds the candidate, as a case file. */
export interface InFlightRecord extends CaseOrigin {
  readonly format: 'iovcheck-in-flight';
  readonly version: 1;
  /** Id of the target. */
  readonly target: string;
  /** Name and implementation of its profile: with the property's code they make the case again. */
  readonly profile: string;
  readonly implementation: string;
}

/** A deviation that is known for a target and admitted so that exploration goes past it. */
export interface KnownDeviation extends FindingIdentity {
  /** Implementations it applies to, as a regular expression over `Profile.implementation`. */
  readonly implementation: string;
  /** Row of the facts that is broken, and its tag (2 or 1S). */
  readonly facts: { readonly row: string; readonly tag: '2' | '1S' };
  /** Rows of lawful choice considered, each with why it does not admit the behaviour. */
  readonly lawfulChoices: readonly { readonly row: string; readonly why: string }[];
  /** Stored case that reproduces it on a cold start: path relative to the list's folder. */
  readonly case: string;
  readonly reason: string;
  readonly link?: string;
  /** ISO date after which the entry no longer counts. */
  readonly expires?: string;
}

/** Outcome of running one scenario. */
export interface CaseOutcome {
  readonly history: History;
  readonly judgement: Judgement;
  /** The judgement's finding, or the failed target, or the property's own claim; never one that is known. */
  readonly finding?: Finding;
  /** The failed target, when the judgement had a finding before it. */
  readonly also?: Finding;
  /** Known deviations that happened: those of the judgement, a known failure, a known claim. */
  readonly known: readonly Finding[];
}

export type ClauseVerdict =
  | 'PASS'
  | 'FAIL'
  | 'SUSPECT'
  | 'KNOWN'
  | 'STALE'
  | 'NOT EXERCISED'
  | 'NOT APPLICABLE'
  | 'INCONCLUSIVE';

export interface ClauseLine {
  readonly clause: string;
  readonly verdict: ClauseVerdict;
  /** How often the clause decided something. */
  readonly exercised: number;
  readonly findings: number;
}

/** A distinct finding of a campaign. */
export interface FoundDeviation {
  readonly finding: Finding;
  readonly property: string;
  /** How many cases showed it. */
  readonly hits: number;
  /** Shown again by its shrunk case after a cold restart. */
  readonly confirmed: boolean;
  /** Path of the stored case; empty when it could not be written. */
  readonly file: string;
  readonly operations: number;
  /** Command that reproduces it. */
  readonly command: string;
  /** Known for this target. */
  readonly known: boolean;
}

export interface LabelShare {
  readonly property: string;
  readonly label: string;
  readonly count: number;
  readonly of: number;
  readonly minimum: number;
  /** `low`: below the minimum with enough requests to be sure. */
  readonly verdict: 'ok' | 'low' | 'too few';
}

/** Why cases could not be decided. */
export interface UndecidedReason {
  readonly reason: string;
  readonly cases: number;
  /** The first of them: property, and which case of it. */
  readonly first: string;
}

export interface PropertyTotals {
  readonly property: string;
  readonly claim: string;
  readonly cases: number;
  readonly swept: number;
  readonly sweepSize: number;
  readonly notApplicable?: string;
}

/** Everything a campaign found; what the report is written from. */
export interface CampaignResult {
  readonly profile: Profile;
  readonly target: string;
  readonly seed: number;
  readonly started: string;
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly totals: {
    readonly cases: number;
    readonly operations: number;
    readonly judged: number;
    readonly undefinedOperations: number;
    readonly inconclusiveCases: number;
    readonly deviantCases: number;
    readonly restarts: number;
    /** Mean number of admissible outcomes per device request. */
    readonly meanAdmissible: number;
    readonly mostWorlds: number;
  };
  readonly properties: readonly PropertyTotals[];
  readonly clauses: readonly ClauseLine[];
  readonly deviations: readonly FoundDeviation[];
  /** Identities of known deviations of this target that were looked for and did not happen. */
  readonly stale: readonly FindingIdentity[];
  readonly labels: readonly LabelShare[];
  readonly undecided: readonly UndecidedReason[];
}

/** A case of which nothing is known, as what ran it ended or threw. */
export interface LostCase {
  readonly origin: CaseOrigin;
  /** Why. */
  readonly lost: string;
}

/** What a campaign tells while it runs. */
export interface Progress {
  readonly property: string;
  readonly phase: 'stored cases' | 'sweep' | 'random' | 'shrinking' | 'confirming';
  readonly cases: number;
  readonly operations: number;
  readonly deviations: number;
  /** Share of the budget that is used, 0 to 1. */
  readonly share: number;
  readonly elapsedSeconds: number;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Seconds to spend, when given. */
  readonly seconds?: number;
  /** Random cases per property, when given; with it, runs are repeatable. */
  readonly cases?: number;
  /** Folder for cases and reports. */
  readonly out: string;
  readonly known: readonly KnownDeviation[];
  readonly stored: readonly { readonly file: string; readonly stored: StoredCase }[];
  /** Aborted on SIGINT: the campaign ends with a result of what was done. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Told of each case of which nothing is known, as what ran it ended. */
  readonly onLost?: (lost: LostCase) => void;
}
