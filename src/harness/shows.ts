import type { Finding, FindingIdentity } from '../../spec/interface/judgement.js';
import type { Target } from '../../spec/interface/target.js';
import { type CaseOptions, runCase } from './case.js';
import { sameIdentity } from './identity.js';
import type { Built } from './property.js';
import type { CaseOutcome } from './types.js';

/** The finding of an outcome that has this identity, if one has. */
export function findingOf(outcome: CaseOutcome, identity: FindingIdentity): Finding | undefined {
  return [outcome.finding, outcome.also].find((found) => found !== undefined && sameIdentity(found, identity));
}

/** Runs a case for one finding: claims are looked at only when the finding is one. */
export function runFor(
  finding: FindingIdentity,
  target: Target,
  built: Built,
  options: Omit<CaseOptions, 'built'>,
): Promise<CaseOutcome> {
  const claim = finding.kind === 'claim' ? { built } : { property: undefined };
  return runCase(target, built.scenario, { ...options, ...claim });
}

/**
 * An oracle for shrinking: whether a case shows the very same finding, as certain as it was. Failures are not
 * located, which halves the number of restarts.
 */
export function showing(
  finding: Finding,
  target: Target,
  options: Omit<CaseOptions, 'built'>,
): (built: Built) => Promise<boolean> {
  return async (built) => {
    const outcome = await runFor(finding, target, built, { ...options, locate: false });
    return findingOf(outcome, finding)?.certain === finding.certain;
  };
}
