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

  it('put a stimulus first rather than choose it first', async () => {
    const shows = (names: string, schedule: readonly number[]): boolean =>
      names === 'ab' ? schedule[0] === 1 : names === 'ba' && (schedule[0] ?? 0) === 0;
    expect(await least(scenario('ab', [1]), shows)).toEqual(['ba', []]);
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
