import { clauseById } from '../../spec/catalog/index.js';
import { modelOf } from '../../spec/index.js';
import type { Evidence, Finding, Judgement, Undecided } from '../../spec/interface/judgement.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History } from '../../spec/interface/scenario.js';
import { AddressMap } from './address-map.js';
import type { Bench } from './bench.js';
import { BadHistory, refuseContradictions } from './contradictions.js';
import { advance, best, explain, findingOf, type IsKnown, type Rules } from './deviation.js';
import { Endings } from './endings.js';
import { MemoryLog } from './memory.js';
import { overlapsOf, undecidedOverlap } from './overlap.js';
import { functionsOf } from './signals.js';
import { judgeSoftware, type SoftwareJudgement } from './software.js';
import { bestWorld, MOST_WORLDS, type Unit, unitFor, type World } from './world.js';

export {
  drawAnyMutation,
  drawMutation,
  MUTATION_KINDS,
  type Mutation,
  type MutationKind,
  mutated,
} from './mutation/mutate.js';
export { rowsOf } from './mutation/rows.js';
export { tinyScenario } from './tiny/scenario.js';
export type { IsKnown };
export { BadHistory };

export interface JudgeOptions {
  /** Whether a deviation is known for this target, and so admitted and counted apart. */
  readonly known?: IsKnown;
  /** Look no further than the first certain deviation: what contradicts the rules after it is left undecided. */
  readonly firstOnly?: boolean;
  /** Keep the reasoning for every operation in `Judgement.explanation`. */
  readonly explain?: boolean;
}

/** Judges histories; keeps what depends on the profile alone. */
export type Judge = (history: History, options?: JudgeOptions) => Judgement;

/** A judge that remembers the last profile's address map between histories. */
export function createJudge(): Judge {
  const mapOf = lastMap();
  return (history, options = {}) => judgeWith(history, options, mapOf(history.profile));
}

/** Address maps of profiles; the last one is kept. */
function lastMap(): (profile: Profile) => AddressMap {
  let last: { readonly profile: Profile; readonly map: AddressMap } | undefined;
  return (profile) => {
    if (last?.profile !== profile) last = { profile, map: new AddressMap(profile) };
    return last.map;
  };
}

/**
 * Judges a history against the specification. Pure.
 *
 * @throws BadHistory when the history contradicts itself
 */
export function judge(history: History, options: JudgeOptions = {}): Judgement {
  return createJudge()(history, options);
}

function unitsOf(profile: Profile): readonly Unit[] {
  return Object.entries(profile.components).flatMap(([key, component]) => {
    const model = modelOf(component.architecture);
    return model === undefined ? [] : [unitFor(key, model)];
  });
}

function isCertain(clause: string): boolean {
  const tag = clauseById(clause)?.tag;
  return tag === '2' || tag === '1S' || tag === 'd';
}

/** The bench for a history, and the world in which it begins. */
function prepare(history: History, map: AddressMap): { readonly bench: Bench; readonly start: World } {
  const { profile, steps } = history;
  const bench: Bench = {
    profile,
    map,
    units: unitsOf(profile),
    steps,
    overlaps: overlapsOf(steps),
    functions: functionsOf(profile, steps),
    endings: new Endings(history.software !== undefined),
  };
  const states = Object.fromEntries(
    bench.units.map(({ key, model }) => [key, model.initial(profile.components[key]!, profile, history.start)]),
  );
  const start: World = {
    states,
    memory: MemoryLog.painted(map),
    lost: undefined,
    abandoned: undefined,
    known: [],
    suspected: [],
    undecided: [],
    trail: undefined,
  };
  return { bench, start };
}

/** Worlds after each step of a history. */
interface Gone {
  readonly history: History;
  readonly after: readonly (readonly World[])[];
}

/**
 * The verdict alone: whether histories are admitted, without looking for what would explain it where they are not. Much
 * faster where many bad histories are judged. Steps at the beginning that are those of the history before are not gone
 * through again. It may throw BadHistory when a history contradicts itself.
 *
 * @param options `certainOnly`: what breaks nothing certain is no deviation
 */
export function createVerdict(
  options: { readonly certainOnly?: boolean } = {},
): (history: History) => Judgement['verdict'] {
  const mapOf = lastMap();
  let last: Gone | undefined;
  return (history) => {
    refuseContradictions(history);
    const { bench, start } = prepare(history, mapOf(history.profile));
    const after = [...sharedStart(history, last)];
    for (let at = after.length; at < bench.steps.length; at++) {
      const before = after[at - 1] ?? [start];
      if (before.length === 0) break;
      const next = advance(bench, before, at, { isKnown: undefined, isCertain });
      after.push(next.length > MOST_WORLDS ? [tooManyWorlds(next, at)] : next);
    }
    last = { history, after };
    return verdictOf(history, after.at(-1) ?? [start], options.certainOnly === true);
  };
}

/** What is known of the steps that a history has in common with the last one. */
function sharedStart(history: History, last: Gone | undefined): readonly (readonly World[])[] {
  if (last?.history.profile !== history.profile || last.history.start !== history.start) return [];
  const differs = history.steps.findIndex((step, at) => step !== last.history.steps[at]);
  return last.after.slice(0, differs < 0 ? history.steps.length : differs);
}

function verdictOf(history: History, worlds: readonly World[], certainOnly: boolean): Judgement['verdict'] {
  if (undecidedOverlap(history.steps, overlapsOf(history.steps)) !== undefined) return 'inconclusive';
  if (worlds.length === 0) return 'deviant';
  const world = best(worlds);
  if (world.suspected.length > 0 && !certainOnly) return 'deviant';
  return world.undecided.length > 0 ? 'inconclusive' : 'conformant';
}

function judgeWith(history: History, options: JudgeOptions, map: AddressMap): Judgement {
  refuseContradictions(history);
  const { steps } = history;
  const { bench, start } = prepare(history, map);
  const run = runThrough(bench, start, options);
  const world = best(run.worlds);
  const overlap = undecidedOverlap(steps, bench.overlaps);
  const undecided: Undecided[] = overlap === undefined ? [...world.undecided] : [overlap, ...world.undecided];
  const software = judgeSoftware(bench, run.before, history, isCertain);
  if (software.undecided !== undefined && undecided.length === 0) undecided.push(software.undecided);
  const found = [
    ...run.findings.filter((each) => each.certain),
    ...world.suspected,
    ...run.findings.filter((each) => !each.certain),
    ...promisesBroken(software.finding, options.known),
  ];
  const [finding, ...candidates] = overlap === undefined ? found.map(told) : [];
  return {
    verdict: finding !== undefined ? 'deviant' : undecided.length > 0 ? 'inconclusive' : 'conformant',
    ...(finding === undefined ? {} : { finding }),
    candidates,
    known: [...world.known.map(told), ...knownBroken(software.finding, options.known)],
    undecided,
    ...withSoftware(countTrail(world, options.explain === true), software),
    statistics: {
      ...run.statistics,
      operations: steps.length,
      judged: steps.length - new Set(undecided.map((each) => each.at)).size,
    },
  };
}

/** A broken promise as a finding, unless it is known. */
function promisesBroken(finding: Finding | undefined, known: IsKnown | undefined): readonly Finding[] {
  return finding === undefined || known?.(finding) === true ? [] : [finding];
}

function knownBroken(finding: Finding | undefined, known: IsKnown | undefined): readonly Finding[] {
  return finding !== undefined && known?.(finding) === true ? [finding] : [];
}

function withSoftware<T extends Pick<Judgement, 'clauses' | 'labels'>>(counted: T, more: SoftwareJudgement): T {
  return { ...counted, clauses: added(counted.clauses, more.clauses), labels: added(counted.labels, more.labels) };
}

function added(
  counts: Readonly<Record<string, number>>,
  more: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  // Most histories are of no software.
  if (Object.keys(more).length === 0) return counts;
  const sum: Record<string, number> = { ...counts };
  for (const key in more) sum[key] = (sum[key] ?? 0) + more[key]!;
  return sum;
}

/** Evidence as plain data: the specification may work its words out only when asked. */
function written({ what, address, words, reading }: Evidence): Evidence {
  return {
    what,
    ...(address === undefined ? {} : { address }),
    ...(words === undefined ? {} : { words }),
    reading,
  };
}

function told(finding: Finding): Finding {
  return { ...finding, evidence: finding.evidence.map(written) };
}

interface Run {
  /** Worlds before each step. */
  readonly before: readonly (readonly World[])[];
  readonly worlds: readonly World[];
  readonly findings: readonly Finding[];
  readonly statistics: {
    readonly admissible: { readonly sum: number; readonly count: number };
    readonly worlds: number;
  };
}

/** Goes through the steps, explaining each point at which nothing admitted fits. */
function runThrough(bench: Bench, start: World, options: JudgeOptions): Run {
  const before: (readonly World[])[] = [[start]];
  const findings: Finding[] = [];
  const rules: Rules = { isKnown: options.known, isCertain };
  for (let at = 0; at < bench.steps.length; at++) {
    const next = advance(bench, before[at]!, at, rules);
    if (next.length > MOST_WORLDS) {
      before[at + 1] = [tooManyWorlds(next, at)];
      continue;
    }
    if (next.length > 0) {
      before[at + 1] = next;
      continue;
    }
    if (options.firstOnly === true && findings.some((each) => each.certain)) {
      before[at + 1] = [abandoned(bestWorld(before[at]!)!, at, 'after a deviation')];
      continue;
    }
    const explanation = explain(bench, before, at, rules);
    if (explanation === undefined)
      throw new Error(`operation ${at}: nothing admitted fits and no departure explains it`);
    for (const { deviation, way, at: broken } of explanation.departures) {
      findings.push(findingOf(deviation, way, broken, at, rules));
    }
    const from = explanation.departures[0]!.at;
    explanation.frontiers.forEach((worlds, step) => {
      before[from + 1 + step] = worlds;
    });
    at = from + explanation.frontiers.length - 1;
  }
  return { before, worlds: before.at(-1)!, findings, statistics: statisticsOf(bench, before) };
}

function tooManyWorlds(worlds: readonly World[], at: number): World {
  return abandoned(bestWorld(worlds)!, at, `more than ${MOST_WORLDS} worlds`);
}

/** A world that is not followed any more. */
function abandoned(world: World, at: number, reason: string): World {
  return { ...world, abandoned: reason, undecided: [...world.undecided, { at, kind: 'inconclusive', reason }] };
}

function statisticsOf(bench: Bench, before: readonly (readonly World[])[]): Run['statistics'] {
  let sum = 0;
  let count = 0;
  let worlds = 1;
  before.forEach((frontier, at) => {
    worlds = Math.max(worlds, frontier.length);
    const op = bench.steps[at - 1]?.operation.op;
    if (op !== 'dma' && op !== 'message') return;
    sum += frontier.length / Math.max(1, before[at - 1]?.length ?? 1);
    count++;
  });
  return { admissible: { sum, count }, worlds };
}

/** Clauses and labels along the path that led to a world, and the reasoning when asked for. */
function countTrail(world: World, explained: boolean): Pick<Judgement, 'clauses' | 'labels' | 'explanation'> {
  const clauseCounts = new Map<string, number>();
  const labelCounts = new Map<string, number>();
  const explanation: (readonly Evidence[])[] = [];
  for (let step = world.trail; step !== undefined; step = step.before) {
    for (const clause of step.clauses) clauseCounts.set(clause, (clauseCounts.get(clause) ?? 0) + 1);
    for (const label of step.labels) labelCounts.set(label, (labelCounts.get(label) ?? 0) + 1);
    if (explained) explanation.push(step.evidence.map(written));
  }
  const clauses = Object.fromEntries(clauseCounts);
  const labels = Object.fromEntries(labelCounts);
  return explained ? { clauses, labels, explanation: explanation.reverse() } : { clauses, labels };
}
