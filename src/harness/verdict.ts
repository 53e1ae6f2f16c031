import { TARGET_CLAUSE } from './identity.js';
import { INCONCLUSIVE_SHARE } from './statistics.js';
import type { CampaignResult, FoundDeviation } from './types.js';

/** No case was executed: whatever was asked for, nothing was checked. */
export class NothingExecuted extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NothingExecuted';
  }
}

export interface Verdict {
  /** 0 conformant, 1 new deviation, 2 inconclusive or under-exercised, 3 target failure. */
  readonly code: 0 | 1 | 2 | 3;
  /** One line for people. */
  readonly line: string;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Why a run that found nothing certain still does not say "conformant". */
function shortcomings(result: CampaignResult, unconfirmed: readonly FoundDeviation[]): readonly string[] {
  const { cases, judged, inconclusiveCases } = result.totals;
  const low = result.labels.filter(({ verdict }) => verdict === 'low');
  const reasons: string[] = [];
  if (judged === 0) reasons.push('nothing was judged');
  if (inconclusiveCases > cases * INCONCLUSIVE_SHARE) {
    reasons.push(`${counted(inconclusiveCases, 'case')} of ${cases} could not be decided`);
  }
  if (low.length > 0) {
    reasons.push(`under-exercised: ${low.map(({ property, label }) => `${label} in ${property}`).join(', ')}`);
  }
  if (unconfirmed.length > 0) {
    reasons.push(`${counted(unconfirmed.length, 'finding')} not shown again on a cold start`);
  }
  return reasons;
}

function aside(result: CampaignResult): string {
  const known = result.deviations.filter((deviation) => deviation.known).length;
  const suspect = result.deviations.filter((deviation) => !deviation.known && !deviation.finding.certain).length;
  const parts: string[] = [];
  if (known > 0) parts.push(counted(known, 'known deviation'));
  if (suspect > 0) parts.push(counted(suspect, 'suspect'));
  if (result.stale.length > 0) parts.push(`${result.stale.length} stale`);
  if (result.interrupted) parts.push('interrupted');
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** The exit code of a run and why. Only deviations that are new, certain and shown again make it 1 or 3; deviations go first. */
export function verdictOf(result: CampaignResult): Verdict {
  const certain = result.deviations.filter((deviation) => !deviation.known && deviation.finding.certain);
  const confirmed = certain.filter((deviation) => deviation.confirmed);
  const failures = confirmed.filter(({ finding }) => finding.clause === TARGET_CLAUSE);
  const ordinary = confirmed.length - failures.length;
  const more = aside(result);
  if (ordinary > 0) {
    const also = failures.length > 0 ? ` and ${counted(failures.length, 'target failure')}` : '';
    return { code: 1, line: `${counted(ordinary, 'new deviation')}${also}${more}` };
  }
  if (failures.length > 0) {
    const kinds = failures.map(({ finding }) => `${finding.kind}: ${finding.discriminator}`);
    return { code: 3, line: `the target failed: ${kinds.join('; ')}${more}` };
  }
  const unconfirmed = certain.filter((deviation) => !deviation.confirmed);
  const reasons = shortcomings(result, unconfirmed);
  if (reasons.length > 0) return { code: 2, line: `inconclusive: ${reasons.join('; ')}${more}` };
  return {
    code: 0,
    line: `conformant${more}: ${result.totals.cases} cases, ${result.totals.judged} operations judged`,
  };
}
