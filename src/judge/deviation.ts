import type { Finding, FindingIdentity } from '../../spec/interface/judgement.js';
import type { Deviation } from '../../spec/interface/model.js';
import type { Bench } from './bench.js';
import { waysOn } from './step.js';
import { bestWorld, mergeWorlds, type Way, type World } from './world.js';

/** Whether a deviation is known for the target. */
export type IsKnown = (identity: FindingIdentity) => boolean;

/** Which clauses may give a MUST verdict. */
export type IsCertain = (clause: string) => boolean;

/** What the judge was told: which deviations are known, and which clauses are certain. */
export interface Rules {
  readonly isKnown: IsKnown | undefined;
  readonly isCertain: IsCertain;
}

/** An explanation of why nothing admitted fits: a departure at one step, and the worlds after each step from there on. */
export interface Explanation {
  readonly at: number;
  readonly deviation: Deviation;
  readonly way: Way;
  /** Worlds after steps `at`, `at + 1`, … as far as they live. */
  readonly frontiers: readonly (readonly World[])[];
}

/**
 * Every way on that is admitted, known for the target and so admitted for it, or that
 * breaks nothing certain: a suspicion must not hide what comes after it.
 */
export function admittedWays(bench: Bench, world: World, at: number, rules: Rules): readonly World[] {
  const admitted = waysOn(bench, world, at, 'admitted').map((way) => way.world);
  const { op } = bench.steps[at]!.operation;
  const isRequest = op === 'dma' || op === 'message';
  if (isRequest ? rules.isKnown === undefined : admitted.length > 0) return admitted;
  const tolerated = waysOn(bench, world, at, 'deviant').flatMap((way): readonly World[] => {
    const { deviation } = way;
    if (deviation === undefined) return [];
    const known = deviation.identities.filter((identity) => rules.isKnown?.(identity));
    const rest = deviation.identities.filter((identity) => !known.includes(identity));
    if (rest.some((identity) => isRequest || rules.isCertain(identity.clause))) return [];
    const findings = (identities: readonly FindingIdentity[]): readonly Finding[] =>
      identities.slice(0, 1).map((identity) => findingFor(identity, deviation, way, at, at, rules));
    return [
      {
        ...way.world,
        known: [...way.world.known, ...findings(known)],
        suspected: [...way.world.suspected, ...findings(rest)],
      },
    ];
  });
  return [...admitted, ...tolerated];
}

/** All worlds after a step, merged. */
export function advance(bench: Bench, worlds: readonly World[], at: number, rules: Rules): readonly World[] {
  return mergeWorlds(
    worlds.flatMap((world) => admittedWays(bench, world, at, rules)),
    bench.units,
  );
}

/** How many worlds of a step are tried when looking for an explanation. */
const WORLDS_TRIED = 8;

/**
 * Nothing admitted fits step `died`. Looks for the one departure, there or at an
 * earlier request, after which the admitted rules explain the most of what follows. A departure of a
 * request is preferred to one of a register or of memory, which explains anything.
 *
 * @param before worlds before each step, up to and including `died`
 */
export function explain(
  bench: Bench,
  before: readonly (readonly World[])[],
  died: number,
  rules: Rules,
): Explanation | undefined {
  let best: Explanation | undefined;
  for (let at = died; at >= 0; at--) {
    const { op } = bench.steps[at]!.operation;
    if (op !== 'dma' && op !== 'message') continue;
    for (const way of deviantWays(bench, before[at] ?? [], at)) {
      const found = follow(bench, way, at, rules);
      if (at + found.frontiers.length <= died) continue;
      if (best === undefined || reach(found) > reach(best)) best = found;
    }
    if (best !== undefined && reach(best) === bench.steps.length) return best;
  }
  const [own] = deviantWays(bench, before[died] ?? [], died);
  const itself = own === undefined ? undefined : follow(bench, own, died, rules);
  if (best === undefined || itself === undefined) return best ?? itself;
  // Messages are not memory: a departure there explains nothing but itself.
  const aboutMessages = itself.deviation.identities.some(({ kind }) => kind.startsWith('message-'));
  return aboutMessages && reach(itself) > reach(best) ? itself : best;
}

function reach(explanation: Explanation): number {
  return explanation.at + explanation.frontiers.length;
}

function deviantWays(bench: Bench, worlds: readonly World[], at: number): readonly Way[] {
  return worlds
    .slice(0, WORLDS_TRIED)
    .flatMap((world) => waysOn(bench, world, at, 'deviant'))
    .filter((way) => way.deviation !== undefined);
}

/** Goes on from a departure by the admitted rules as far as they carry. */
function follow(bench: Bench, way: Way, at: number, rules: Rules): Explanation {
  const frontiers: (readonly World[])[] = [[way.world]];
  for (let step = at + 1; step < bench.steps.length; step++) {
    const next = advance(bench, frontiers.at(-1)!, step, rules);
    if (next.length === 0) break;
    frontiers.push(next);
  }
  return { at, deviation: way.deviation!, way, frontiers };
}

/** A finding from a departure: named by its first identity that is neither known nor uncertain, as far as there is one. */
export function findingOf(deviation: Deviation, way: Way, at: number, shownAt: number, rules: Rules): Finding {
  const unknown = deviation.identities.filter((each) => !rules.isKnown?.(each));
  const identity = unknown.find((each) => rules.isCertain(each.clause)) ?? unknown[0] ?? deviation.identities[0];
  if (identity === undefined) throw new Error('a deviation without an identity');
  return findingFor(identity, deviation, way, at, shownAt, rules);
}

function findingFor(
  identity: FindingIdentity,
  deviation: Deviation,
  way: Way,
  at: number,
  shownAt: number,
  rules: Rules,
): Finding {
  const { expected, observed } = deviation;
  return {
    ...identity,
    at,
    shownAt,
    expected,
    observed,
    evidence: way.evidence,
    certain: rules.isCertain(identity.clause),
  };
}

/** The worlds to go on with: the best one decides what is reported. */
export function best(worlds: readonly World[]): World {
  const world = bestWorld(worlds);
  if (world === undefined) throw new Error('no world is left');
  return world;
}
