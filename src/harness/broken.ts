import type { CampaignResult } from './types.js';

/** A campaign that could not go on after cases had run: `cause` says why, with its message; nothing found until then is lost. */
export class CampaignBroken extends Error {
  /** What was done until then. */
  readonly result: CampaignResult;

  constructor(result: CampaignResult, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'CampaignBroken';
    this.result = result;
  }
}
