import type { Judgement } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History } from '../../spec/interface/scenario.js';
import type { Target } from '../../spec/interface/target.js';
import { stepProblems } from '../formats/index.js';
import {
  BadHistory,
  createVerdict,
  drawAnyMutation,
  drawMutation,
  MUTATION_KINDS,
  type Mutation,
  type MutationKind,
  mutated,
  rowsOf,
} from '../judge/index.js';
import { type Drive, type Judge, runCase } from './case.js';
import { CaseMaker } from './origin.js';
import type { Property } from './property.js';
import { caseSeed } from './seeds.js';

/** What became of the mutations of one kind. */
export interface KindTally {
  readonly kind: MutationKind | 'any field';
  mutations: number;
  /** Judged deviant, or refused because the history contradicts itself. */
  rejected: number;
  /** Not decided, where the good history was. */
  inconclusive: number;
  /** Judged conformant, by the row of the facts that admits the change. */
  readonly admitted: Map<string, number>;
  /** Judged conformant, and no row says why. */
  readonly unexplained: Survivor[];
}

/** A mutation that the judge did not notice. */
export interface Survivor {
  readonly property: string;
  readonly index: number;
  readonly mutation: Mutation;
  readonly history: History;
}

/** How sensitive a judge is, over good histories of a target. */
export interface Sensitivity {
  /** Good histories that were changed, and histories that were not good and were left out. */
  readonly histories: number;
  readonly leftOut: number;
  readonly kinds: readonly KindTally[];
  /** Over all observed fields alike: what a judge makes of a mistake that may be anywhere. */
  readonly any: KindTally;
}

export interface SensitivityOptions {
  readonly target: Target;
  readonly profile: Profile;
  readonly properties: readonly Property[];
  readonly judge: Judge;
  /** Runs software under test. */
  readonly drive?: Drive | undefined;
  readonly seed: number;
  /** Cases of each property. */
  readonly cases: number;
  /** Mutations of each kind and history. */
  readonly mutations: number;
}

/**
 * Runs random cases of each property, changes what was observed of those that are conformant and wholly decided,
 * and judges again. Pure, given a target that repeats itself.
 */
export async function measureSensitivity(options: SensitivityOptions): Promise<Sensitivity> {
  const { target, profile, judge, seed } = options;
  const kinds = MUTATION_KINDS.map((kind) => ({ ...emptyTally(kind), kind }));
  const any = emptyTally('any field');
  const verdictOn = createVerdict();
  let histories = 0;
  let leftOut = 0;
  for (const property of options.properties) {
    if (property.notApplicable?.(profile) !== undefined) continue;
    const maker = new CaseMaker(property, profile);
    for (let index = 0; index < options.cases; index++) {
      const built = maker.make({ kind: 'random', property: property.id, seed, index });
      const { history, judgement } = await runCase(target, built.scenario, { judge, profile, drive: options.drive });
      if (!isGood(history, judgement)) {
        leftOut += 1;
        continue;
      }
      histories += 1;
      const draw = drawFrom(caseSeed(seed, `${property.id} mutated`, index));
      for (let nth = 0; nth < options.mutations * kinds.length; nth++) {
        const mutation = drawAnyMutation(history, draw);
        if (mutation !== undefined) count(any, { property: property.id, index, mutation, history }, verdictOn);
      }
      for (const tally of kinds) {
        for (let nth = 0; nth < options.mutations; nth++) {
          const mutation = drawMutation(history, tally.kind, draw);
          if (mutation !== undefined) {
            count(tally, { property: property.id, index, mutation, history }, verdictOn);
          }
        }
      }
    }
  }
  return { histories, leftOut, kinds, any };
}

function emptyTally(kind: KindTally['kind']): KindTally {
  return { kind, mutations: 0, rejected: 0, inconclusive: 0, admitted: new Map(), unexplained: [] };
}

function isGood(history: History, { verdict, undecided }: Judgement): boolean {
  return history.failure === undefined && verdict === 'conformant' && undecided.length === 0;
}

function count(tally: KindTally, survivor: Survivor, verdictOn: ReturnType<typeof createVerdict>): void {
  const { mutation, history } = survivor;
  tally.mutations += 1;
  const verdict = verdictOf(mutated(history, mutation), verdictOn);
  if (verdict === 'deviant') tally.rejected += 1;
  else if (verdict === 'inconclusive') tally.inconclusive += 1;
  else {
    const row = rowsOf(history, mutation);
    if (row === undefined) tally.unexplained.push(survivor);
    else tally.admitted.set(row, (tally.admitted.get(row) ?? 0) + 1);
  }
}

/** Share of the changes that were rejected, whatever admits the others. */
export function sensitivityOf({ mutations, rejected }: KindTally): number {
  return mutations === 0 ? 1 : rejected / mutations;
}

/** Share of the changes that no row of the facts admits which were rejected; undecided ones count as not rejected. */
export function shareRejected(tallies: readonly KindTally[]): number {
  let rejected = 0;
  let counted = 0;
  for (const tally of tallies) {
    rejected += tally.rejected;
    counted += tally.rejected + tally.inconclusive + tally.unexplained.length;
  }
  return counted === 0 ? 1 : rejected / counted;
}

/** A history that contradicts itself is refused before it is judged, which is a rejection as well. */
function verdictOf(history: History, verdictOn: ReturnType<typeof createVerdict>): Judgement['verdict'] {
  if (stepProblems(history.profile, history.steps).length > 0) return 'deviant';
  try {
    return verdictOn(history);
  } catch (error) {
    if (!(error instanceof BadHistory)) throw error;
    return 'deviant';
  }
}

/** Whole numbers from a seed: Mulberry32. */
function drawFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
