import { gather } from '../../spec/gather.js';
import type { Finding, FindingIdentity } from '../../spec/interface/judgement.js';
import type { Deviation } from '../../spec/interface/model.js';
import type { Bench } from './bench.js';
import { waysOn } from './step.js';
import { bestWorld, mergeWorlds, type Way, type World } from './world.js';

/** Whether a deviation is known for the target; `kinds` are those of all that are, where they can be told. */
export type IsKnown = ((identity: FindingIdentity) => boolean) & { readonly kinds?: ReadonlySet<string> };

/** Which clauses may give a MUST verdict. */
export type IsCertain = (clause: string) => boolean;

/** What the judge was told: which deviations are known, and which clauses are certain. */
export interface Rules {
  readonly isKnown: IsKnown | undefined;
  readonly isCertain: IsCertain;
}

/** A departure from what is admitted, at one step. */
export interface Departure {
  readonly at: number;
  readonly deviation: Deviation;
  readonly way: Way;
}

/** Why nothing admitted fits: departures, and the worlds after each step from the first of them on. */
export interface Explanation {
  /** In the order of the steps; at most two. */
  readonly departures: readonly Departure[];
  /** Worlds after steps `at`, `at + 1`, … of the first departure, as far as they live. */
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
  const { isKnown } = rules;
  const wanted = ({ identities }: Deviation): boolean => isKnown !== undefined && identities.some(isKnown);
  const kinds = isKnown?.kinds;
  const search = isRequest ? { ...bench, wanted, ...(kinds === undefined ? {} : { kinds }) } : bench;
  const tolerated = waysOn(search, world, at, 'deviant').flatMap((way): readonly World[] => {
    const { deviation } = way;
    if (deviation === undefined) return [];
    const known = deviation.identities.filter((identity) => rules.isKnown?.(identity));
    const rest = deviation.identities.filter((identity) => !known.includes(identity));
    if (rest.some((identity) => rules.isCertain(identity.clause)) || (isRequest && known.length === 0)) return [];
    const findings = (identities: readonly FindingIdentity[]): readonly Finding[] =>
      identities.slice(0, 1).map((identity) => findingFor(identity, deviation, way, at, at, rules));
    return [
      {
        ...way.world,
        known: [...way.world.known, ...findings(known)],
        suspected: [...way.world.suspected, ...findings(known.length === 0 ? rest : [])],
      },
    ];
  });
  return [...admitted, ...tolerated];
}

/** All worlds after a step, merged. */
export function advance(bench: Bench, worlds: readonly World[], at: number, rules: Rules): readonly World[] {
  return mergeWorlds(
    gather(worlds, (world) => admittedWays(bench, world, at, rules)),
    bench.units,
  );
}

/** How many worlds of a step are tried, and how many pairs of departures, when looking for an explanation. */
const WORLDS_TRIED = 8;
const PAIRS_TRIED = 4000;

/**
 * Nothing admitted fits step `died`. Looks for the one departure of a request, there or earlier,
 * after which the admitted rules explain the most of what follows; then for two such departures, as
 * one may hide the other until the fault log is read. Only then for a departure of the
 * register or the memory that was read, which explains anything.
 *
 * @param before worlds before each step, up to and including `died`
 */
export function explain(
  bench: Bench,
  before: readonly (readonly World[])[],
  died: number,
  rules: Rules,
): Explanation | undefined {
  const limit = Math.min(bench.steps.length, died + FAR_ENOUGH);
  const singles: Explanation[] = [];
  for (const departure of departuresUpTo(bench, before, died)) {
    const explanation = follow(bench, departure, rules, limit);
    singles.push(explanation);
    // Nothing reaches farther, and of those that reach as far the first counts.
    if (reach(explanation) >= limit) break;
  }
  const single = farthest(singles.filter((each) => reach(each) > died));
  const [own] = departuresAt(bench, before[died] ?? [], died);
  const itself = own === undefined ? undefined : follow(bench, own, rules, limit);
  // Messages are not memory: a departure there explains nothing but itself.
  const aboutMessages = own?.deviation.identities.some(({ kind }) => kind.startsWith('message-')) ?? false;
  if (single !== undefined) {
    return itself !== undefined && aboutMessages && reach(itself) > reach(single) ? itself : single;
  }
  return farthest(pairs(bench, singles, died, { rules, limit })) ?? itself;
}

/** How many steps beyond the one that nothing admitted fits an explanation is followed. */
const FAR_ENOUGH = 96;

/** Departures of device requests up to a step, those of the latest request first. */
function* departuresUpTo(bench: Bench, before: readonly (readonly World[])[], last: number): Generator<Departure> {
  for (const at of requestsUpTo(bench, last)) yield* departuresAt(bench, before[at] ?? [], at);
}

/** Device requests up to a step, the latest first. */
function requestsUpTo(bench: Bench, last: number): readonly number[] {
  const requests: number[] = [];
  for (let at = last; at >= 0; at--) {
    const { op } = bench.steps[at]!.operation;
    if (op === 'dma' || op === 'message') requests.push(at);
  }
  return requests;
}

/** Explanations by a second departure on the way of a first that did not reach far enough. */
function pairs(
  bench: Bench,
  singles: readonly Explanation[],
  died: number,
  { rules, limit }: { readonly rules: Rules; readonly limit: number },
): readonly Explanation[] {
  const found: Explanation[] = [];
  let tried = 0;
  for (const first of singles) {
    const from = first.departures[0]!.at;
    for (const at of requestsUpTo(bench, died).filter((each) => each > from && each < reach(first))) {
      for (const second of departuresAt(bench, first.frontiers[at - from - 1] ?? [], at)) {
        if (++tried > PAIRS_TRIED) return found;
        const rest = follow(bench, second, rules, limit);
        if (reach(rest) <= died) continue;
        const frontiers = [...first.frontiers.slice(0, at - from), ...rest.frontiers];
        found.push({ departures: [...first.departures, second], frontiers });
        if (reach(rest) >= limit) return found;
      }
    }
  }
  return found;
}

/** The first of those that reach the farthest. */
function farthest(explanations: readonly Explanation[]): Explanation | undefined {
  return explanations.reduce<Explanation | undefined>(
    (best, each) => (best === undefined || reach(each) > reach(best) ? each : best),
    undefined,
  );
}

/** The step at which nothing admitted fits any more. */
function reach(explanation: Explanation): number {
  return explanation.departures[0]!.at + explanation.frontiers.length;
}

function departuresAt(bench: Bench, worlds: readonly World[], at: number): readonly Departure[] {
  return worlds
    .slice(0, WORLDS_TRIED)
    .flatMap((world) => waysOn(bench, world, at, 'deviant'))
    .flatMap((way) => (way.deviation === undefined ? [] : [{ at, deviation: way.deviation, way }]));
}

/** Goes on from a departure by the admitted rules as far as they carry, or up to a step. */
function follow(bench: Bench, departure: Departure, rules: Rules, limit: number): Explanation {
  const frontiers: (readonly World[])[] = [[departure.way.world]];
  for (let step = departure.at + 1; step < limit; step++) {
    const next = advance(bench, frontiers.at(-1)!, step, rules);
    if (next.length === 0) break;
    frontiers.push(next);
  }
  return { departures: [departure], frontiers };
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
