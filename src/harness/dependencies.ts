import type { Clause } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Drive, Judge } from './case.js';
import type { CaseRunner } from './runner.js';
import type { StoredCase } from './types.js';

/** Bounds on what happens to a finding after it was collected. */
export interface CampaignLimits {
  /** Seconds of shrinking per finding. */
  readonly shrinkSeconds: number;
  /** Candidates per finding and pass. */
  readonly shrinkAttempts: number;
  /** Seconds of shrinking in all, for campaigns without a time budget. */
  readonly shrinkTotalSeconds: number;
}

export const DEFAULT_LIMITS: CampaignLimits = { shrinkSeconds: 20, shrinkAttempts: 5000, shrinkTotalSeconds: 900 };

/** What the harness is handed: it knows no architecture, no format and no clock by itself. */
export interface CampaignDependencies {
  readonly judge: Judge;
  readonly encodeCase: (stored: StoredCase) => string;
  /** Throws on what is not a case; `file` is for its message. */
  readonly decodeCase: (text: string, file: string) => StoredCase;
  readonly catalogue: readonly Clause[];
  /** Whether a clause concerns a target of this profile at all (default: yes). */
  readonly clauseApplies?: (clause: Clause, profile: Profile) => boolean;
  readonly tool: { readonly name: string; readonly version: string };
  /** Runs software under test. */
  readonly drive?: Drive;
  /** Runs the random and swept cases (default: the campaign itself, on its target). */
  readonly runner?: CaseRunner;
  readonly limits?: Partial<CampaignLimits>;
  /** Milliseconds that never decrease (default: `performance.now`). */
  readonly now?: () => number;
  /** Folder that the paths in commands are relative to (default: the current one). */
  readonly cwd?: string;
}
