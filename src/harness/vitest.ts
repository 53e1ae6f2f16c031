import type { Finding, FindingIdentity } from '../../spec/interface/judgement.js';
import type { Target } from '../../spec/interface/target.js';
import { type CaseOptions, type Drive, type Judge, runCase } from './case.js';
import { jsonOf } from './json.js';
import { CaseMaker, type CaseOrigin } from './origin.js';
import type { Built, Property } from './property.js';
import { Budget } from './shrink/index.js';
import { smallestCase } from './smallest.js';
import type { CaseOutcome } from './types.js';

export interface CheckOptions {
  readonly judge: Judge;
  /** Random cases. */
  readonly cases: number;
  readonly seed: number;
  /** Most swept cases (default: the whole sweep). */
  readonly sweep?: number;
  readonly known?: (identity: FindingIdentity) => boolean;
  /** Candidates tried to make a failing case smaller (default 1000; 0 for none). */
  readonly shrinkAttempts?: number;
  /** Runs software under test. */
  readonly drive?: Drive;
}

export interface Checked {
  readonly cases: number;
  readonly swept: number;
  /** Cases that the judge could not decide. */
  readonly inconclusive: number;
  /** Why nothing ran, if the property says nothing about this target. */
  readonly notApplicable?: string;
}

/** A property does not hold on a target. The message tells the story: what, where, expected, observed, the operations. */
export class PropertyFailed extends Error {
  readonly finding: Finding;
  constructor(message: string, finding: Finding) {
    super(message);
    this.name = 'PropertyFailed';
    this.finding = finding;
  }
}

function story(property: Property, origin: CaseOrigin, finding: Finding, built: Built, outcome: CaseOutcome): string {
  const lines = [
    `${property.id}: ${property.claim}`,
    `${finding.clause} ${finding.kind}: ${finding.discriminator}${finding.certain ? '' : ' (suspect)'}`,
    `expected: ${finding.expected}`,
    `observed: ${finding.observed}`,
    `from ${origin.kind} case ${origin.index} with seed ${origin.seed}; broken at ${finding.at}, seen at ${finding.shownAt}:`,
  ];
  const { scenario } = built;
  const asked = scenario.level === 'operations' ? scenario.operations : scenario.stimuli;
  for (const [index, operation] of asked.entries()) {
    const observation = outcome.history.steps[index]?.observation;
    lines.push(`${index === finding.at ? '>' : ' '} ${index} ${jsonOf(operation)}`);
    if (observation !== undefined) lines.push(`      ${jsonOf(observation)}`);
  }
  for (const { what, reading } of finding.evidence) lines.push(`  because ${what}: ${reading}`);
  return lines.join('\n');
}

async function fail(
  target: Target,
  property: Property,
  origin: CaseOrigin,
  built: Built,
  finding: Finding,
  options: CaseOptions & { readonly attempts: number },
): Promise<never> {
  const profile = await target.describe();
  const shown = { property, profile, origin, built, finding };
  const least = await smallestCase(
    target,
    shown,
    options,
    new Budget(options.attempts, 10_000, () => performance.now()),
  );
  const outcome = await runCase(target, least.scenario, { ...options, property, built: least });
  const again = outcome.finding ?? finding;
  throw new PropertyFailed(story(property, origin, again, least, outcome), again);
}

/**
 * Checks a property on a target, for tests: its sweep, then random cases; stops at the first finding, makes it smaller
 * and throws it.
 *
 * @throws PropertyFailed
 */
export async function checkProperty(target: Target, property: Property, options: CheckOptions): Promise<Checked> {
  const { judge, known, seed, cases, drive } = options;
  const profile = await target.describe();
  const notApplicable = property.notApplicable?.(profile);
  if (notApplicable !== undefined) return { cases: 0, swept: 0, inconclusive: 0, notApplicable };
  const maker = new CaseMaker(property, profile);
  const size = maker.sweepSize;
  const swept = Math.min(size, options.sweep ?? size);
  const order = maker.sweepOrder(seed);
  let inconclusive = 0;
  const one = async (origin: CaseOrigin): Promise<void> => {
    const built = maker.make(origin);
    const outcome = await runCase(target, built.scenario, { judge, known, property, built, profile, drive });
    const { finding } = outcome;
    const attempts = options.shrinkAttempts ?? 1000;
    if (finding !== undefined) await fail(target, property, origin, built, finding, { judge, known, attempts, drive });
    if (outcome.judgement.verdict === 'inconclusive') inconclusive += 1;
  };
  for (let n = 0; n < swept; n += 1) await one({ kind: 'sweep', property: property.id, seed, index: order(n) });
  for (let n = 0; n < cases; n += 1) await one({ kind: 'random', property: property.id, seed, index: n });
  return { cases, swept, inconclusive };
}
