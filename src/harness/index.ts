/** The harness: runs properties on targets, collects, shrinks, confirms and stores what goes wrong. */

export { CampaignBroken } from './broken.js';
export { runCampaign } from './campaign.js';
export { type CaseOptions, conclude, type Drive, type Judge, NoSoftware, type Performed, runCase } from './case.js';
export { replayCommand } from './corpus.js';
export type { CampaignDependencies, CampaignLimits } from './dependencies.js';
export { certainClauses, sameIdentity } from './identity.js';
export { InFlight, setAside } from './inflight.js';
export { type JudgeSpeed, measureJudgeSpeed } from './judge-speed.js';
export { matchKnown } from './known.js';
export { CaseMaker } from './origin.js';
export type { Built, Property, Sweep, Violation } from './property.js';
export { type Replay, type ReplayOptions, replay } from './replay.js';
export { type Batch, CaseBench, type CaseRunner } from './runner.js';
export { type KindTally, measureSensitivity, type Sensitivity, sensitivityOf, shareRejected } from './sensitivity.js';
export { Budget } from './shrink/index.js';
export { type ShownFinding, smallestCase } from './smallest.js';
export * from './types.js';
export { NothingExecuted, type Verdict, verdictOf } from './verdict.js';
export { type Checked, type CheckOptions, checkProperty, PropertyFailed } from './vitest.js';
