import { describe, expect, it } from 'vitest';
import type { Stimulus, StimulusScenario } from '../../../spec/interface/scenario.js';
import { Budget } from './session.js';
import { shrinkStimuli } from './stimuli.js';

const stimulus = (actor: string, action: string): Stimulus => ({ actor, action, arguments: {} });

const scenario = (names: string, schedule: readonly number[]): StimulusScenario => ({
  level: 'stimuli',
  start: 'ready',
  software: { name: 'any', configuration: {} },
  stimuli: [...names].map((name) => stimulus(name, 'acts')),
  schedule,
});

const namesOf = ({ stimuli }: StimulusScenario): string => stimuli.map(({ actor }) => actor).join('');

async function least(
  start: StimulusScenario,
  shows: (names: string, schedule: readonly number[]) => boolean,
  attempts = 5000,
): Promise<readonly [string, readonly number[]]> {
  const budget = new Budget(attempts, 60_000, () => 0);
  const small = await shrinkStimuli(start, async (each) => shows(namesOf(each), each.schedule), budget);
  return [namesOf(small), small.schedule];
}

describe('stimuli and their schedule', () => {
  it('lose everything that the finding does not need', async () => {
    expect(await least(scenario('abcdefgh', [3, 1, 2, 0, 5]), (names) => names.includes('c'))).toEqual(['c', []]);
  });

  it('keep the order that the finding needs', async () => {
    const shows = (names: string): boolean => names.indexOf('g') >= 0 && names.indexOf('g') > names.indexOf('b');
    expect(await least(scenario('abcdefgh', [1]), (names) => names.includes('b') && shows(names))).toEqual(['bg', []]);
  });

  it('keep the choices that it needs, each as small as can be', async () => {
    const shows = (names: string, schedule: readonly number[]): boolean =>
      names.includes('a') && schedule.some((choice, at) => choice >= 2 && (schedule[at + 1] ?? 0) >= 1);
    expect(await least(scenario('xay', [0, 0, 4, 7, 0, 3]), shows)).toEqual(['a', [2, 1]]);
  });

  it('begin at the simplest moment at which it shows', async () => {
    const begun = async (
      from: Stimulus['begins'],
      good: readonly (Stimulus['begins'] | 'rest')[],
    ): Promise<unknown> => {
      const start = scenario('a', []);
      const stimuli = [from === undefined ? start.stimuli[0]! : { ...start.stimuli[0]!, begins: from }];
      const budget = new Budget(100, 60_000, () => 0);
      const shows = async (each: StimulusScenario): Promise<boolean> =>
        good.includes(each.stimuli[0]?.begins ?? 'rest');
      return (await shrinkStimuli({ ...start, stimuli }, shows, budget)).stimuli[0]?.begins ?? 'rest';
    };
    expect(await begun(9, ['rest', 'answered', 2, 9])).toBe('rest');
    expect(await begun(9, ['answered', 2, 9])).toBe('answered');
    expect(await begun(9, [5, 2, 9])).toBe(2);
    expect(await begun('answered', ['answered', 2])).toBe('answered');
  });

  it('stop when the budget is spent', async () => {
    let asked = 0;
    const shows = (): boolean => {
      asked += 1;
      return false;
    };
    expect(await least(scenario('abcdefgh', [1, 1, 1]), shows, 3)).toEqual(['abcdefgh', [1, 1, 1]]);
    expect(asked).toBe(3);
  });
});
