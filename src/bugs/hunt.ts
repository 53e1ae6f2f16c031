import type { Finding } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { Target } from '../../spec/interface/target.js';
import {
  Budget,
  type Built,
  CaseMaker,
  type CaseOptions,
  type CaseOrigin,
  type Property,
  runCase,
  type ShownFinding,
  smallestCase,
} from '../harness/index.js';
import type { Outcome, Shrunk } from './outcome.js';

/** Candidates of shrinking. */
const SHRINK_ATTEMPTS = 5000;

/** The clause of findings that say no more than that the target failed. */
const TARGET_CLAUSE = 'TARGET';

/** What is hunted with. */
export interface Hunt {
  readonly defect: string;
  readonly shape: string;
  readonly seed: number;
  readonly properties: readonly Property[];
  readonly options: Pick<CaseOptions, 'judge' | 'certain'>;
  readonly create: () => Target;
  /** Most cases. */
  readonly cases: number;
  /** Called after each case. */
  readonly onCase: (cases: number) => Promise<void>;
}

/** How a seed ended, and what it caught. */
export interface Hunted {
  readonly outcome: Outcome;
  readonly shown?: ShownFinding;
}

interface Case {
  readonly maker: CaseMaker;
  readonly origin: CaseOrigin;
}

/** Cases of all properties that apply, in turn: a swept and a random one of the first, of the second, and so on. */
function* casesInTurn(properties: readonly Property[], profile: Profile, seed: number): Generator<Case> {
  const jobs = properties
    .filter((property) => property.notApplicable?.(profile) === undefined)
    .map((property) => new CaseMaker(property, profile))
    .map((maker) => ({ maker, order: maker.sweepOrder(seed), property: maker.property.id }));
  for (let round = 0; ; round += 1) {
    for (const { maker, order, property } of jobs) {
      if (round < maker.sweepSize) yield { maker, origin: { kind: 'sweep', property, seed, index: order(round) } };
      yield { maker, origin: { kind: 'random', property, seed, index: round } };
    }
  }
}

/** A verdict, and not only a suspicion or the end of the target. */
function convicts(finding: Finding | undefined): finding is Finding {
  return finding?.certain === true && finding.clause !== TARGET_CLAUSE;
}

function lengthOf({ scenario }: Built): number {
  return scenario.level === 'operations' ? scenario.operations.length : scenario.stimuli.length;
}

/** Whether a target that ran nothing before shows the finding: a defect may leave something over from case to case. */
async function shownAfresh(hunt: Hunt, { property, profile, finding }: ShownFinding, built: Built): Promise<boolean> {
  const target = hunt.create();
  const outcome = await runCase(target, built.scenario, { ...hunt.options, profile, property, built });
  await target.close();
  return outcome.finding?.clause === finding.clause && outcome.finding.kind === finding.kind;
}

/** Runs one seed until a verdict or until the cases are used up. That the engine throws is trouble, not a verdict. */
export async function hunt(hunt: Hunt): Promise<Hunted> {
  const { defect, shape, seed } = hunt;
  const begun = performance.now();
  let seconds = 0;
  let aside = 0;
  let cases = 0;
  const so = (more: Pick<Outcome, 'found' | 'trouble'>): Outcome => {
    return { defect, seed, shape, cases, seconds, aside, ...more };
  };
  try {
    let target = hunt.create();
    const profile = await target.describe();
    for (const { maker, origin } of casesInTurn(hunt.properties, profile, seed)) {
      if (cases >= hunt.cases) break;
      const { property } = maker;
      const built = maker.make(origin);
      const { finding } = await runCase(target, built.scenario, { ...hunt.options, profile, property, built });
      cases += 1;
      seconds = (performance.now() - begun) / 1000;
      if (finding !== undefined) {
        const shown = { property, profile, origin, built, finding };
        if (convicts(finding) && (await shownAfresh(hunt, shown, built))) {
          const { clause, kind, discriminator, expected, observed } = finding;
          const by = { property: property.id, origin: `${origin.kind} ${origin.index}`, operations: lengthOf(built) };
          return { outcome: so({ found: { ...by, clause, kind, discriminator, expected, observed } }), shown };
        }
        aside += 1;
        target = hunt.create();
      }
      await hunt.onCase(cases);
    }
    return { outcome: so({}) };
  } catch (error) {
    const trouble = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { outcome: so({ trouble }) };
  }
}

/** Makes the case of a finding smaller for so many seconds. */
export async function shrunkFrom(hunt: Hunt, shown: ShownFinding, shrinkSeconds: number): Promise<Shrunk> {
  const begun = performance.now();
  const target = hunt.create();
  const budget = new Budget(SHRINK_ATTEMPTS, shrinkSeconds * 1000, () => performance.now());
  const least = await smallestCase(target, shown, { ...hunt.options, profile: shown.profile }, budget);
  await target.close();
  const from = lengthOf(shown.built);
  const to = (await shownAfresh(hunt, shown, least)) ? lengthOf(least) : from;
  return { seed: hunt.seed, from, to, seconds: (performance.now() - begun) / 1000 };
}
