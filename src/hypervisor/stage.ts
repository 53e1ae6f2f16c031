import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type {
  Answer,
  SoftwareEvent,
  Step,
  Stimulus,
  StimulusScenario,
  TargetFailure,
} from '../../spec/interface/scenario.js';
import type { Target } from '../../spec/interface/target.js';
import { deviceOperation } from './devices.js';
import { BadStimulus, type Hypervisor } from './hypervisor.js';
import type { Demand, Task } from './task.js';

/** Steps after which a run counts as endless. */
const MOST_STEPS = 20_000;

/** A task under way. */
interface Running {
  readonly task: Task<Answer | undefined>;
  /** Position of the stimulus that it answers; absent for an interrupt handler. */
  readonly stimulus?: number;
  /** What it asked for last. */
  demand: Demand | undefined;
  observed: Observation | undefined;
}

/** The target did not do its work. */
class Failed extends Error {
  readonly failure: TargetFailure;
  constructor(failure: TargetFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

/** The hypervisor's code threw: it does nothing more, and what it was asked is not answered. */
class Died extends Error {}

/**
 * Runs the hypervisor's tasks and begins the stimuli in their order, each when it says; only what a busy actor is asked
 * waits, and lets others pass. Of several tasks that can go on the schedule chooses one. Without choices that is the newest:
 * what was let in somewhere is finished before what it came in between goes on.
 */
export class Stage {
  readonly steps: Step[] = [];
  readonly events: SoftwareEvent[] = [];
  readonly issuers: number[] = [];
  private readonly target: Target;
  private readonly profile: Profile;
  private readonly hypervisor: Hypervisor;
  private readonly scenario: StimulusScenario;
  private readonly running: Running[] = [];
  private readonly waiting: number[];
  private chosen = 0;
  /** The stimulus begun last, the steps made since then, and whether it is answered. */
  private last = { position: -1, steps: 0, answered: true };

  constructor(target: Target, profile: Profile, hypervisor: Hypervisor, scenario: StimulusScenario) {
    this.target = target;
    this.profile = profile;
    this.hypervisor = hypervisor;
    this.scenario = scenario;
    this.waiting = scenario.stimuli.map((_, position) => position);
  }

  /** Runs everything; gives the failure that ended it, if one did. */
  async run(): Promise<TargetFailure | undefined> {
    try {
      await this.finish({ task: this.hypervisor.boot() as Task<undefined>, demand: undefined, observed: undefined });
      await this.perform().catch((error: unknown) => {
        if (!(error instanceof Died)) throw error;
      });
      await this.look();
      return undefined;
    } catch (error) {
      if (error instanceof Failed) return error.failure;
      throw error;
    }
  }

  private async perform(): Promise<void> {
    for (let count = 0; count < MOST_STEPS; count++) {
      this.noteRest();
      const tasks = this.running.filter(canGoOn).reverse();
      const next = this.next();
      if (next !== undefined && (tasks.length === 0 || this.isDue(next))) await this.begin(next);
      // Tasks that wait for one another for ever leave their stimuli without an answer.
      else if (tasks.length === 0) return;
      else {
        this.last.steps += 1;
        await this.step(tasks.length === 1 ? tasks[0]! : this.choose(tasks));
      }
    }
  }

  private choose(tasks: readonly Running[]): Running {
    const choice = this.scenario.schedule[this.chosen] ?? 0;
    this.chosen += 1;
    return tasks[choice % tasks.length]!;
  }

  /** The first stimulus that is left of an actor whose last one is answered. */
  private next(): number | undefined {
    if (this.running.length === 0) return this.waiting[0];
    const busy = new Set(this.running.map(({ stimulus }) => this.actorOf(stimulus)));
    return this.waiting.find((position) => !busy.has(this.actorOf(position)));
  }

  private isDue(position: number): boolean {
    const { begins } = this.scenario.stimuli[position]!;
    return begins === 'answered' ? this.last.answered : begins !== undefined && this.last.steps >= begins;
  }

  private actorOf(position: number | undefined): string | undefined {
    return position === undefined ? undefined : this.scenario.stimuli[position]!.actor;
  }

  private async begin(position: number): Promise<void> {
    this.waiting.splice(this.waiting.indexOf(position), 1);
    this.last = { position, steps: 0, answered: false };
    const stimulus = this.scenario.stimuli[position]!;
    this.events.push({ kind: 'asked', at: this.steps.length, id: position, stimulus });
    const operation = deviceOperation(this.profile, stimulus);
    if (operation !== undefined) {
      await this.issue(operation, position);
      this.answer(position, {});
      return;
    }
    const task = this.hypervisor.asked(stimulus);
    const running: Running = { task, stimulus: position, demand: undefined, observed: undefined };
    this.running.push(running);
    // What a vCPU does is one step; everything else begins with whatever may happen before it.
    if (isVcpu(stimulus)) await this.step(running);
  }

  /** Lets a task go on to its next demand, and issues the operation if it is one. */
  private async step(running: Running): Promise<void> {
    const { done, value } = this.resumed(running);
    running.observed = undefined;
    if (done === true) {
      this.running.splice(this.running.indexOf(running), 1);
      if (running.stimulus !== undefined) this.answer(running.stimulus, value ?? {});
      return;
    }
    running.demand = value;
    if (value.kind === 'operation') running.observed = await this.issue(value.operation, running.stimulus);
  }

  /** @throws Died when the hypervisor's own code does */
  private resumed(running: Running): IteratorResult<Demand, Answer | undefined> {
    try {
      return running.task.next(running.observed);
    } catch (error) {
      if (error instanceof BadStimulus) throw error;
      throw new Died();
    }
  }

  /** Runs a task from beginning to end, with nothing in between. */
  private async finish(running: Running): Promise<void> {
    this.running.push(running);
    while (this.running.includes(running)) await this.step(running);
  }

  private answer(id: number, answer: Answer): void {
    if (id === this.last.position) this.last.answered = true;
    this.events.push({ kind: 'answered', at: this.steps.length, id, answer });
  }

  private noteRest(): void {
    if (this.running.length > 0 || this.events.at(-1)?.kind === 'rest') return;
    this.events.push({ kind: 'rest', at: this.steps.length });
  }

  /** Issues an operation; a message that it brings starts an interrupt handler. */
  private async issue(operation: Operation, issuer = -1): Promise<Observation> {
    const { observations, failure } = await this.target.run([operation], { messages: true });
    if (failure !== undefined) throw new Failed({ ...failure, at: this.steps.length });
    const observation = observations[0];
    if (observation === undefined || observations.length > 1) {
      const message = `${observations.length} observations of one operation`;
      throw new Failed({ kind: 'nonsense', message, at: this.steps.length });
    }
    this.steps.push({ operation, observation });
    this.issuers.push(issuer);
    for (const message of observation.messages ?? []) {
      const task = this.hypervisor.interrupt(message);
      if (task !== undefined)
        this.running.push({ task: task as Task<undefined>, demand: undefined, observed: undefined });
    }
    return observation;
  }

  /** At the end all memory is looked at, so that a stray byte is found. */
  private async look(): Promise<void> {
    const { base, bytes } = this.profile.arena;
    await this.issue({ op: 'load', address: base, bytes });
  }
}

function canGoOn({ demand }: Running): boolean {
  return demand?.kind !== 'wait' || demand.until();
}

function isVcpu({ actor }: Stimulus): boolean {
  return actor.includes('.vcpu');
}
