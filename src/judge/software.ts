import { softwareModelOf } from '../../spec/index.js';
import type { Finding, Undecided } from '../../spec/interface/judgement.js';
import type { Answer, History, SoftwareEvent } from '../../spec/interface/scenario.js';
import type { Performed, Reach, SoftwareModel, Verdict } from '../../spec/interface/software.js';
import { unitOf } from './access.js';
import type { Bench } from './bench.js';
import type { IsCertain } from './deviation.js';
import { carriedBy } from './dma.js';
import { viewDuring } from './overlap.js';
import { advancesBefore } from './own-ways.js';
import { admittedEnds } from './requested.js';
import type { World } from './world.js';

/** What a history shows of the software that issued its operations. */
export interface SoftwareJudgement {
  /** The first promise that was broken; nothing is looked at after it. */
  readonly finding?: Finding;
  readonly undecided?: Undecided;
  readonly clauses: Readonly<Record<string, number>>;
  /**
   * Device requests and signals, counted: "during:change" while something asked was not answered, "reach:memory" and
   * "reach:blocked" by where hardware might have taken them, "signal:sent".
   */
  readonly labels: Readonly<Record<string, number>>;
}

/**
 * Where hardware may take the request of step `at`, whatever was observed of it: the union over the worlds before it.
 * `undefined`: it cannot be said.
 */
function reachOf(bench: Bench, worlds: readonly World[], at: number): Reach | undefined {
  const { operation } = bench.steps[at]!;
  if (operation.op !== 'dma') return undefined;
  const carried = carriedBy(bench.profile, operation);
  const unit = carried === undefined ? undefined : unitOf(bench, carried.component);
  if (carried === undefined || unit === undefined) return undefined;
  const addresses = new Set<bigint>();
  let mayBlock = false;
  for (const before of worlds) {
    if (before.abandoned !== undefined) return undefined;
    for (const world of advancesBefore(bench, before, at)) {
      const view = viewDuring(bench, world.memory, at);
      for (const { pieces, undecided } of admittedEnds(bench, world, at, unit, carried, view)) {
        if (undecided !== undefined) return undefined;
        for (const { offset, effect } of pieces) {
          if (effect.kind === 'memory') addresses.add(effect.address - BigInt(offset));
          else mayBlock = true;
        }
      }
    }
  }
  return { addresses: [...addresses], mayBlock };
}

function performedAt(bench: Bench, worlds: readonly World[], at: number): Performed {
  const { operation, observation } = bench.steps[at]!;
  if (operation.op === 'signal') return { operation, observation, sent: bench.functions.sent.get(at) !== undefined };
  const reach = reachOf(bench, worlds, at);
  return reach === undefined ? { operation, observation } : { operation, observation, reach };
}

/** What will be answered to each stimulus. */
function answersIn(events: readonly SoftwareEvent[]): ReadonlyMap<number, Answer> {
  return new Map(events.flatMap((event) => (event.kind === 'answered' ? [[event.id, event.answer] as const] : [])));
}

/**
 * Holds the record of software under test against its specification. Hardware is taken to do anything that its own
 * specification admits.
 *
 * @param before worlds before each step
 */
export function judgeSoftware(
  bench: Bench,
  before: readonly (readonly World[])[],
  { software, profile, failure }: History,
  isCertain: IsCertain,
): SoftwareJudgement {
  const model = software === undefined ? undefined : softwareModelOf(software.name);
  if (software === undefined || model === undefined) return { clauses: {}, labels: {} };
  const pass = new Pass(model, model.initial(software.configuration, profile), isCertain);
  const answers = answersIn(software.events);
  let next = 0;
  for (const [position, event] of software.events.entries()) {
    for (; next < event.at && !pass.stopped; next++) pass.operation(performedAt(bench, before[next]!, next), next);
    if (pass.stopped) break;
    pass.event(event, position, answers);
  }
  if (!pass.stopped && failure === undefined) pass.end(Math.max(0, bench.steps.length - 1));
  return pass.result;
}

/** One way through a record, up to the first promise that is broken. */
class Pass {
  private readonly clauses: Record<string, number> = {};
  private readonly labels: Record<string, number> = {};
  private readonly open = new Set<number>();
  private ending: Pick<SoftwareJudgement, 'finding' | 'undecided'> | undefined;

  constructor(
    private readonly model: SoftwareModel<unknown>,
    private state: unknown,
    private readonly isCertain: IsCertain,
  ) {}

  get stopped(): boolean {
    return this.ending !== undefined;
  }

  get result(): SoftwareJudgement {
    const { clauses, labels } = this;
    return { ...this.ending, clauses, labels };
  }

  operation(performed: Performed, at: number): void {
    const { operation, reach, sent } = performed;
    if (operation.op === 'dma' || operation.op === 'signal') {
      if (this.open.size > 0) count(this.labels, 'during:change');
      if (reach !== undefined && reach.addresses.length > 0) count(this.labels, 'reach:memory');
      if (reach?.mayBlock === true) count(this.labels, 'reach:blocked');
      if (sent === true) count(this.labels, 'signal:sent');
    }
    this.take(this.model.performed(this.state, performed), at);
  }

  event(event: SoftwareEvent, position: number, answers: ReadonlyMap<number, Answer>): void {
    this.take(this.verdictOn(event, answers), Math.max(0, event.at - 1), position);
  }

  private verdictOn(event: SoftwareEvent, answers: ReadonlyMap<number, Answer>): Verdict<unknown> {
    switch (event.kind) {
      case 'asked':
        // A device's own doings are no change.
        if (event.stimulus.actor.startsWith('vm')) this.open.add(event.id);
        return this.model.asked(this.state, event.id, event.stimulus, answers.get(event.id));
      case 'answered':
        this.open.delete(event.id);
        return this.model.answered(this.state, event.id, event.answer);
      case 'rest':
        return this.model.rest(this.state);
    }
  }

  end(at: number): void {
    this.take(this.model.ended(this.state), at);
  }

  private take({ next, clauses, broken, undecided }: Verdict<unknown>, at: number, event?: number): void {
    this.state = next;
    for (const clause of clauses) count(this.clauses, clause);
    if (broken !== undefined) {
      const { identity, expected, observed } = broken;
      const certain = this.isCertain(identity.clause);
      const where = event === undefined ? {} : { event };
      this.ending = { finding: { ...identity, at, shownAt: at, ...where, expected, observed, evidence: [], certain } };
    } else if (undecided !== undefined) this.ending = { undecided: { at, kind: 'inconclusive', reason: undecided } };
  }
}

function count(counts: Record<string, number>, what: string): void {
  counts[what] = (counts[what] ?? 0) + 1;
}
