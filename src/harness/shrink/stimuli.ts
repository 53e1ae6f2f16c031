import type { Stimulus, StimulusScenario } from '../../../spec/interface/scenario.js';
import { jsonOf } from '../json.js';
import type { Budget, Oracle } from './session.js';

/** A scenario of stimuli as small as it got so far. */
class StimulusSession {
  private readonly tried = new Set<string>();
  accepted = 0;

  constructor(
    public current: StimulusScenario,
    private readonly shows: Oracle<StimulusScenario>,
    private readonly budget: Budget,
  ) {}

  get spent(): boolean {
    return this.budget.spent;
  }

  /** Tries a candidate, once; it becomes the current one when it shows the same finding. */
  async try(change: Partial<Pick<StimulusScenario, 'stimuli' | 'schedule'>>): Promise<boolean> {
    const candidate = { ...this.current, ...change };
    const key = jsonOf([candidate.stimuli, candidate.schedule]);
    if (this.tried.has(key) || !this.budget.take()) return false;
    this.tried.add(key);
    if (!(await this.shows(candidate))) return false;
    this.current = candidate;
    this.accepted += 1;
    return true;
  }
}

const without = <T>(list: readonly T[], from: number, count: number): readonly T[] => [
  ...list.slice(0, from),
  ...list.slice(from + count),
];

/** Drops ranges, halves first and single ones last, from the end: what comes last is needed least. */
async function drop(session: StimulusSession, part: 'stimuli' | 'schedule'): Promise<void> {
  const list = (): readonly unknown[] => session.current[part];
  for (let size = Math.ceil(list().length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = list().length - size; from >= 0 && !session.spent; from -= size) {
      await session.try({ [part]: without<unknown>(list(), from, size) });
    }
  }
}

/** Makes choices smaller: 0 lets the task that began last go on. */
async function lowerChoices(session: StimulusSession): Promise<void> {
  for (let at = session.current.schedule.length - 1; at >= 0 && !session.spent; at--) {
    const choice = session.current.schedule[at] ?? 0;
    for (let lower = 0; lower < choice; lower++) {
      const { schedule } = session.current;
      if (await session.try({ schedule: schedule.map((each, index) => (index === at ? lower : each)) })) break;
    }
  }
}

/** Simpler moments to begin, the simplest first: at rest, when the one before is answered, after fewer steps. */
function simplerBegins(begins: Stimulus['begins']): readonly Stimulus['begins'][] {
  if (begins === undefined) return [];
  if (begins === 'answered') return [undefined];
  return [undefined, 'answered', ...Array.from({ length: begins }, (_, steps) => steps)];
}

/** Lets stimuli begin at simpler moments. */
async function simplifyBegins(session: StimulusSession): Promise<void> {
  for (let at = session.current.stimuli.length - 1; at >= 0 && !session.spent; at--) {
    const { begins, ...stimulus } = session.current.stimuli[at]!;
    for (const simpler of simplerBegins(begins)) {
      const changed = simpler === undefined ? stimulus : { ...stimulus, begins: simpler };
      const stimuli = session.current.stimuli.map((each, index) => (index === at ? changed : each));
      if (await session.try({ stimuli })) break;
    }
  }
}

/** Makes stimuli fewer and simpler, and the schedule shorter, until nothing helps any more. */
export async function shrinkStimuli(
  scenario: StimulusScenario,
  shows: Oracle<StimulusScenario>,
  budget: Budget,
): Promise<StimulusScenario> {
  const session = new StimulusSession(scenario, shows, budget);
  let before: number;
  do {
    before = session.accepted;
    await drop(session, 'stimuli');
    await drop(session, 'schedule');
    await lowerChoices(session);
    await simplifyBegins(session);
  } while (session.accepted > before && !session.spent);
  return session.current;
}
