import type { Finding, Judgement } from '../../../spec/interface/judgement.js';
import type { Profile } from '../../../spec/interface/profile.js';
import type { History } from '../../../spec/interface/scenario.js';
import { createJudge } from '../index.js';
import type { MachineRules } from './caches.js';
import { type HistoryOptions, historiesOf } from './history.js';
import { type Branch, branchesOf } from './machine.js';
import { alphabetOf, BLOCKED_BY_PAGING, requestsOf, type TinyWorld } from './world.js';

/** What machine and judge say of the outcomes of a world's first requests, where they differ. */
export interface Disagreement {
  /** `refused`: the machine can do it and the judge calls it deviant. `admitted`: the other way round. */
  readonly kind: 'refused' | 'admitted';
  readonly outcomes: readonly number[];
  readonly finding?: Finding;
}

export interface Comparison {
  readonly disagreements: readonly Disagreement[];
  /** Outcomes that the machine can do, and that it cannot do, on which the judge did not decide. */
  readonly undecided: { readonly possible: number; readonly impossible: number };
  /** Why the judge did not decide, once for each such history. */
  readonly reasons: readonly string[];
  /** Outcomes of all requests that the machine can do. */
  readonly possible: number;
  readonly judged: number;
}

export interface CompareOptions extends HistoryOptions {
  readonly rules: MachineRules;
}

/** With reasons unseen, every blocked outcome is one. */
export function mergeReasons(branch: Branch): Branch {
  const low = (1 << BLOCKED_BY_PAGING) - 1;
  const merged = branch.outcomes.map((each) => (each & low) | (each > low ? 1 << BLOCKED_BY_PAGING : 0));
  return { ...branch, outcomes: merged };
}

/**
 * Compares over every vector of outcomes: those that the machine can do are judged whole, and each first step off
 * them is judged up to that step, since what follows cannot make it possible.
 */
export function compare(
  world: TinyWorld,
  verdictOn: (history: History) => Judgement['verdict'],
  profile: Profile,
  options: CompareOptions,
): Comparison {
  const all = branchesOf(world, options.rules);
  const branches = options.reasons ? all : all.map(mergeReasons);
  const alphabet = alphabetOf(world).filter((outcome) => options.reasons || outcome <= BLOCKED_BY_PAGING);
  const length = requestsOf(world).length;
  const write = historiesOf(world, profile, options);
  const disagreements: Disagreement[] = [];
  const undecided = { possible: 0, impossible: 0 };
  const reasons: string[] = [];
  let possible = 0;
  let judged = 0;
  const visit = (outcomes: readonly number[], left: readonly Branch[]): void => {
    const leads = left.length > 0;
    if (leads && outcomes.length < length) {
      for (const outcome of alphabet) {
        const at = outcomes.length;
        const next = left.filter((branch) => (branch.outcomes[at]! >> outcome) & 1);
        visit([...outcomes, outcome], next);
      }
      return;
    }
    judged++;
    if (leads) possible++;
    const history = write(outcomes);
    const verdict = verdictOn(history);
    if (verdict === 'inconclusive') {
      undecided[leads ? 'possible' : 'impossible']++;
      reasons.push(createJudge()(history).undecided[0]?.reason ?? 'no reason given');
    } else if (leads && verdict === 'deviant') {
      const { finding } = createJudge()(history);
      disagreements.push({ kind: 'refused', outcomes, ...(finding === undefined ? {} : { finding }) });
    } else if (!leads && verdict === 'conformant') disagreements.push({ kind: 'admitted', outcomes });
  };
  visit([], branches);
  return { disagreements, undecided, reasons, possible, judged };
}
