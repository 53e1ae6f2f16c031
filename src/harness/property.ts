import type { Arbitrary } from 'fast-check';
import type { Judgement } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History, Scenario } from '../../spec/interface/scenario.js';

/** A scenario as a generator made it, with what the generator knows of it. */
export interface Built {
  readonly scenario: Scenario;
  /** What was made, counted per label. */
  readonly labels: Readonly<Record<string, number>>;
  /** Facts that the property's own claim needs; plain data. */
  readonly expectation?: unknown;
}

/** A claim beyond conformance that does not hold. It becomes a finding with kind "claim". */
export interface Violation {
  /** Id of the clause that carries the claim. */
  readonly clause: string;
  readonly discriminator: string;
  readonly at: number;
  readonly expected: string;
  readonly observed: string;
}

/** Scenarios that are enumerated rather than drawn. `at` is pure. */
export interface Sweep {
  readonly size: number;
  /** So many points, the first ones, each stand for a rule of their own: they come before all others (default: none). */
  readonly first?: number;
  at(index: number): Built;
}

/**
 * A property: one claim, how scenarios for it are made, and what it says of a
 * history beyond conformance. `I` is the type of the intents that fast-check draws and shrinks.
 */
export interface Property<I = unknown> {
  /** Short, kebab-case, unique: "translation". */
  readonly id: string;
  /** The claim in words. */
  readonly claim: string;
  /** Clauses the property is meant to exercise. */
  readonly clauses: readonly string[];
  /** Why the property says nothing about this target, or `undefined` when it applies. */
  notApplicable?(profile: Profile): string | undefined;
  /** Enumerated scenarios; run before random ones. */
  sweep?(profile: Profile): Sweep;
  intents(profile: Profile): Arbitrary<I>;
  /** Resolves intents to a scenario. Pure. */
  build(profile: Profile, intents: I): Built;
  /** What is claimed of the history beyond conformance. */
  violated?(history: History, built: Built, judgement: Judgement): Violation | undefined;
  /**
   * Least share of device requests that carry each label; labels come from the
   * judgement and from `Built.labels`.
   */
  minimumShares(profile: Profile): Readonly<Record<string, number>>;
}
