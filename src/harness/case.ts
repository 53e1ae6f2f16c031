import type { Finding, Judgement } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type {
  History,
  OperationScenario,
  Scenario,
  SoftwareRecord,
  Step,
  StimulusScenario,
  TargetFailure,
} from '../../spec/interface/scenario.js';
import { type LateData, type Target, TargetUnavailable } from '../../spec/interface/target.js';
import { firstLie, pathText } from '../formats/index.js';
import { BadHistory, type IsKnown, type JudgeOptions } from '../judge/index.js';
import { TARGET_CLAUSE } from './identity.js';
import type { Built, Property } from './property.js';
import type { CaseOutcome } from './types.js';

/** What the harness asks of a judge. */
export type Judge = (history: History, options?: JudgeOptions) => Judgement;

/** Steps that were run, and the failure that ended them, if one did. */
export interface Performed {
  readonly steps: readonly Step[];
  /** What software under test was asked and answered. */
  readonly software?: SoftwareRecord;
  readonly failure?: TargetFailure;
}

/** Runs software under test on a target: what it was asked goes in, the hardware operations it issued come out. */
export type Drive = (scenario: StimulusScenario, target: Target, profile: Profile) => Promise<Performed>;

export interface CaseOptions {
  readonly judge: Judge;
  /** Deviations that are admitted and counted apart. */
  readonly known?: IsKnown | undefined;
  /** Whose claim beyond conformance is looked at; needs `built`. */
  readonly property?: Property | undefined;
  readonly built?: Built | undefined;
  /** Spares asking the target what it is. */
  readonly profile?: Profile | undefined;
  /** Restart the target first. */
  readonly cold?: boolean | undefined;
  /** After a failure, run again one by one to find the operation in flight (default true). */
  readonly locate?: boolean | undefined;
  /** Whether a claim that rests on this clause is certain (default: yes). */
  readonly certain?: ((clause: string) => boolean) | undefined;
  readonly drive?: Drive | undefined;
}

/** A scenario asks for software under test, and none is registered. */
export class NoSoftware extends Error {
  constructor(name: string) {
    super(`no software under test is registered: the scenario is for "${name}"`);
    this.name = 'NoSoftware';
  }
}

function nonsense(message: string): TargetFailure {
  return { kind: 'nonsense', message };
}

function zip(operations: readonly Operation[], observations: readonly Observation[]): Step[] {
  return observations.slice(0, operations.length).map((observation, index) => ({
    operation: operations[index]!,
    observation,
  }));
}

/** Puts what became visible at the end into the observations it belongs to. */
function merge(steps: readonly Step[], late: readonly LateData[]): Performed {
  if (late.length === 0) return { steps };
  const merged = [...steps];
  for (const { at, data } of late) {
    const step = merged[at];
    if (step === undefined) return { steps, failure: nonsense('late data for an operation that did not run') };
    const { observation } = step;
    if (observation.of !== 'dma' && observation.of !== 'load' && observation.of !== 'cpu') {
      return { steps, failure: nonsense(`late data for an operation of kind ${observation.of}`) };
    }
    merged[at] = { operation: step.operation, observation: { ...observation, data } };
  }
  return { steps: merged };
}

async function performOperations(scenario: OperationScenario, target: Target, oneByOne: boolean): Promise<Performed> {
  const { operations } = scenario;
  const batch = await target.run(operations, { oneByOne });
  const steps = zip(operations, batch.observations);
  if (batch.failure !== undefined) return { steps, failure: batch.failure };
  if (batch.observations.length !== operations.length) {
    const side = batch.observations.length < operations.length ? 'fewer' : 'more';
    return { steps, failure: nonsense(`${side} observations than operations`) };
  }
  return finished(target, steps);
}

/** Ends the scenario on the target, and adds what could be seen only then. */
async function finished(target: Target, steps: readonly Step[]): Promise<Performed> {
  const end = await target.finish();
  if (end.failure !== undefined) return { steps, failure: end.failure };
  return merge(steps, end.late);
}

async function performStimuli(scenario: StimulusScenario, target: Target, options: CaseOptions): Promise<Performed> {
  const driven = await options.drive!(scenario, target, options.profile ?? (await target.describe()));
  if (driven.failure !== undefined) return driven;
  return { ...driven, ...(await finished(target, driven.steps)) };
}

async function perform(
  scenario: Scenario,
  target: Target,
  options: CaseOptions,
  oneByOne: boolean,
): Promise<Performed> {
  const refused = await target.begin(scenario.start, options.cold === true ? { cold: true } : undefined);
  if (refused !== undefined) return { steps: [], failure: refused };
  if (scenario.level === 'operations') return performOperations(scenario, target, oneByOne);
  return performStimuli(scenario, target, options);
}

/**
 * Runs a failed scenario again, one operation at a time. The failure keeps the kind and message of the first
 * run, which is what the batch did; the second run gives the history and the operation in flight.
 */
async function locate(
  scenario: OperationScenario,
  target: Target,
  options: CaseOptions,
  first: Performed,
  failure: TargetFailure,
): Promise<Performed> {
  const second = await perform(scenario, target, options, true);
  if (second.failure === undefined) return first;
  const at = second.failure.at ?? second.steps.length;
  return { steps: second.steps, failure: at < scenario.operations.length ? { ...failure, at } : failure };
}

function failureFinding(failure: TargetFailure, steps: number): Finding {
  const at = failure.at ?? steps;
  const evidence = failure.output === undefined ? [] : [{ what: 'last output of the target', reading: failure.output }];
  return {
    clause: TARGET_CLAUSE,
    kind: failure.kind,
    discriminator: failure.message,
    at,
    shownAt: at,
    expected: 'the target answers every operation',
    observed: `${failure.kind}: ${failure.message}`,
    evidence,
    certain: true,
  };
}

function claimFinding(history: History, judgement: Judgement, options: CaseOptions): Finding | undefined {
  if (judgement.verdict !== 'conformant' || history.failure !== undefined || options.built === undefined) {
    return undefined;
  }
  const violation = options.property?.violated?.(history, options.built, judgement);
  if (violation === undefined) return undefined;
  return {
    ...violation,
    kind: 'claim',
    shownAt: violation.at,
    evidence: [],
    certain: options.certain?.(violation.clause) ?? true,
  };
}

/** What is said of a history that the judge cannot read. */
const UNREADABLE: Judgement = {
  verdict: 'inconclusive',
  candidates: [],
  known: [],
  undecided: [],
  clauses: {},
  labels: {},
  statistics: { operations: 0, judged: 0, admissible: { sum: 0, count: 0 }, worlds: 0 },
};

/** A history that contradicts itself is a target that answers nonsense; numbers would make equal ones read differently. */
function judged(history: History, options: CaseOptions): { history: History; judgement: Judgement } {
  try {
    // What comes after a deviation is found by a case of its own.
    const known = options.known === undefined ? {} : { known: options.known };
    const judgement = options.judge(history, { ...known, firstOnly: true });
    return { history, judgement };
  } catch (error) {
    if (!(error instanceof BadHistory)) throw error;
    const failure: TargetFailure = { ...nonsense(withoutNumbers(error.message)), at: error.at };
    return { history: endedAt(history, error.at, failure), judgement: UNREADABLE };
  }
}

function withoutNumbers(message: string): string {
  return message.replace(/0x[0-9a-f]+|\d+/gi, '#').replace(/\s+/g, ' ');
}

/** The history up to a step, which failed there. */
function endedAt(history: History, at: number, failure: TargetFailure): History {
  const { software } = history;
  const cut = software === undefined ? undefined : recordUntil(software, at);
  const steps = history.steps.slice(0, at);
  return { ...history, steps, failure: history.failure ?? failure, ...(cut === undefined ? {} : { software: cut }) };
}

function recordUntil({ events, issuers, ...rest }: SoftwareRecord, at: number): SoftwareRecord {
  return { ...rest, events: events.filter((event) => event.at <= at), issuers: issuers.slice(0, at) };
}

/** A target whose answers contradict its operations talks nonsense from there on: that much is judged and kept. */
function honest(history: History): History {
  const lie = firstLie(history.steps);
  if (lie === undefined) return history;
  const { at, problem } = lie;
  const what = `${history.steps[at]!.operation.op}: ${pathText(problem.path)}: ${problem.message}`;
  return endedAt(history, at, { ...nonsense(withoutNumbers(what)), at });
}

/** Judges a history and says what, if anything, was found in it. Pure, given a pure judge. */
export function conclude(raw: History, options: CaseOptions): CaseOutcome {
  const { history, judgement } = judged(honest(raw), options);
  const failed = history.failure === undefined ? undefined : failureFinding(history.failure, history.steps.length);
  const claimed = claimFinding(history, judgement, options);
  const known = [...judgement.known];
  const fresh: Finding[] = judgement.finding === undefined ? [] : [judgement.finding];
  for (const finding of [failed, claimed]) {
    if (finding !== undefined) (options.known?.(finding) === true ? known : fresh).push(finding);
  }
  const [finding, also] = fresh;
  return {
    history,
    judgement,
    known,
    ...(finding === undefined ? {} : { finding }),
    ...(also === undefined ? {} : { also }),
  };
}

/**
 * Runs one scenario on a target and judges what happened. A target that fails is run a second time, one
 * operation at a time, to find the operation in flight.
 *
 * @throws NoSoftware for a scenario of stimuli without `drive`
 */
export async function runCase(target: Target, scenario: Scenario, options: CaseOptions): Promise<CaseOutcome> {
  if (scenario.level === 'stimuli' && options.drive === undefined) throw new NoSoftware(scenario.software.name);
  const profile = options.profile ?? (await target.describe());
  let performed = await perform(scenario, target, options, false);
  if (performed.failure !== undefined && options.locate !== false && scenario.level === 'operations') {
    performed = await locate(scenario, target, options, performed, performed.failure);
  }
  const outcome = conclude({ profile, start: scenario.start, ...performed }, options);
  if (outcome.history.failure?.kind === 'nonsense') await restart(target);
  return outcome;
}

/** A target that talked nonsense is not relied on: it is started again, whether it noticed or not. */
async function restart(target: Target): Promise<void> {
  try {
    await target.begin('reset', { cold: true });
  } catch (error) {
    // The next case meets the same, and then what was found so far is told.
    if (!(error instanceof TargetUnavailable)) throw error;
  }
}
