/** Judgements: what a history shows, clause by clause, with the evidence. Data only. */

/** How sure a rule is; see the facts sheets. `d`: what software under test promises itself, which convicts nobody else. */
export type EvidenceTag = '2' | 'd' | '1S' | '1L' | '1Q' | '1X' | '1V' | '1F' | 'k' | 'i';

export type Obligation = 'MUST' | 'SHOULD' | 'MAY';

/** One rule of a document, in our own words. */
export interface Clause {
  /** For example "VTD-SS-010". */
  readonly id: string;
  readonly document: string;
  readonly revision: string;
  /** Title of the section in the document. */
  readonly section: string;
  readonly rule: string;
  readonly obligation: Obligation;
  readonly tag: EvidenceTag;
  /** Capabilities without which it says nothing, as `clauseApplies` reads them; "-" means none. */
  readonly needs: string;
  /** Rows of lawful choice that concern it, for example "N10". */
  readonly choices: readonly string[];
}

/** One step of the reasoning behind a judgement, so that a report needs no model. */
export interface Evidence {
  /** For example "root entry of bus 01h". */
  readonly what: string;
  /** Host-physical address where something was read or written. */
  readonly address?: bigint;
  readonly words?: readonly bigint[];
  /** For example "P=1, CTP=0x4001000". */
  readonly reading: string;
}

/** What makes two findings the same. */
export interface FindingIdentity {
  /** The clause that is broken; for a failed target "TARGET". */
  readonly clause: string;
  /** For example "fault-not-recorded", "other-reason", "access-let-through", "access-refused", "value-differs", "crash". */
  readonly kind: string;
  /** Structure, field, expected → observed. */
  readonly discriminator: string;
}

/** A deviation from everything the specification admits. */
export interface Finding extends FindingIdentity {
  /** Index of the operation whose rule was broken. */
  readonly at: number;
  /** Index of the operation whose observation showed it. */
  readonly shownAt: number;
  /** For a broken promise of software: the position in `SoftwareRecord.events` of the event that broke it, unless an operation did. */
  readonly event?: number;
  readonly expected: string;
  readonly observed: string;
  readonly evidence: readonly Evidence[];
  /** MUST verdict (tags 2 and 1S), or at most SUSPECT. */
  readonly certain: boolean;
}

/** Why the judge did not decide an operation. */
export interface Undecided {
  readonly at: number;
  readonly kind: 'inconclusive' | 'undefined';
  readonly reason: string;
}

/** How often a clause decided something in a history. */
export type ClauseCounts = Readonly<Record<string, number>>;

/** What one history shows. */
export interface Judgement {
  /** `deviant`: there is a finding. `inconclusive`: none, but something could not be decided. */
  readonly verdict: 'conformant' | 'deviant' | 'inconclusive';
  /** At most one: the first deviation that is not known. */
  readonly finding?: Finding;
  /** Later deviations, each to be first in a case of its own before it counts. */
  readonly candidates: readonly Finding[];
  /** Deviations already known for this target that happened. */
  readonly known: readonly Finding[];
  readonly undecided: readonly Undecided[];
  readonly clauses: ClauseCounts;
  /**
   * What the device requests were, counted: "read", "write", "crossing", "page:4K", "page:2M", "page:1G",
   * "levels:3" to "levels:5", "pass-through", "snoop:forced", "protected", "interrupt", and "fault:Ch" for a reason that
   * was recorded and read, or that a deviation kept out of the records.
   */
  readonly labels: Readonly<Record<string, number>>;
  readonly statistics: JudgementStatistics;
  /** For each operation, the reasoning behind its judgement. Present when asked for. */
  readonly explanation?: readonly (readonly Evidence[])[];
}

export interface JudgementStatistics {
  readonly operations: number;
  /** Operations that were judged and not inside "undefined" or "inconclusive". */
  readonly judged: number;
  /** Sum over device requests of the number of admissible outcomes, and the number of those requests. */
  readonly admissible: { readonly sum: number; readonly count: number };
  /** Most worlds alive at once. */
  readonly worlds: number;
}
