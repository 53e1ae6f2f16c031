import { describe, expect, it } from 'vitest';
import type { Stimulus, StimulusScenario } from '../../spec/interface/scenario.js';
import type { Target } from '../../spec/interface/target.js';
import { judge } from '../judge/index.js';
import { createEngineTarget } from '../targets/engine.js';
import { type Driven, driveHypervisor, SOFTWARE } from './drive.js';
import { BadStimulus } from './hypervisor.js';

const stimulus = (actor: string, action: string, given: Stimulus['arguments'] = {}): Stimulus => ({
  actor,
  action,
  arguments: given,
});

const attach = (vm: number, name: string): Stimulus =>
  stimulus(`vm${vm}`, 'attach', { function: name, vcpu: 0, vector: 0x31 });
const read = (name: string, page: number, token: number): Stimulus =>
  stimulus(name, 'read', { page, offset: 0, bytes: 16, token });

async function run(stimuli: readonly Stimulus[], schedule: readonly number[] = [], shape = '48-1g'): Promise<Driven> {
  const target: Target = createEngineTarget({ shape });
  const profile = await target.describe();
  await target.begin('ready');
  const software = { name: SOFTWARE, configuration: {} };
  const scenario: StimulusScenario = { level: 'stimuli', start: 'ready', software, stimuli, schedule };
  const driven = await driveHypervisor(scenario, target, profile);
  expect(judge({ profile, start: 'ready', ...driven }).verdict).toBe('conformant');
  return driven;
}

/** What happened, without the operations: "0?" for asked, "0!" for answered. */
function order({ software }: Driven): string {
  return software.events
    .flatMap((event) => (event.kind === 'rest' ? [] : [`${event.id}${event.kind === 'asked' ? '?' : '!'}`]))
    .join(' ');
}

function answers({ software }: Driven): readonly unknown[] {
  return software.events.flatMap((event) => (event.kind === 'answered' ? [event.answer] : []));
}

/** The same, to begin at another moment. */
const when = (begins: NonNullable<Stimulus['begins']>, each: Stimulus): Stimulus => ({ ...each, begins });

describe('stimuli', () => {
  const stimuli = [stimulus('vm0', 'map', { page: 1 }), stimulus('vm1', 'map', { page: 1 }), read('edu0', 1, 0)];

  it('begin when nothing is under way', async () => {
    expect(order(await run(stimuli))).toBe('0? 0! 1? 1! 2? 2!');
  });

  it('begin after so many steps, and are finished before what they came in between goes on', async () => {
    const between = [stimuli[0]!, when(2, stimuli[1]!), when(1, stimuli[2]!)];
    const driven = await run(between);
    expect(order(driven)).toBe('0? 1? 2? 2! 1! 0!');
    const [first, second, third] = driven.software.events.flatMap((event) =>
      event.kind === 'asked' ? [event.at] : [],
    );
    expect([second! - first!, third! - second!]).toEqual([2, 1]);
  });

  it('begin when the one before is answered, whatever else is under way', async () => {
    expect(order(await run([stimuli[0]!, when(1, stimuli[1]!), when('answered', stimuli[2]!)]))).toBe(
      '0? 1? 1! 2? 2! 0!',
    );
  });

  it('wait while their actor is busy, and let others pass', async () => {
    const same = [stimuli[0]!, when(0, stimulus('vm0', 'map', { page: 2 })), when(0, stimuli[1]!)];
    expect(order(await run(same))).toBe('0? 2? 2! 0! 1? 1!');
  });

  it('let the schedule choose which of their tasks goes on', async () => {
    const both = [stimuli[0]!, when(1, stimuli[1]!)];
    expect(order(await run(both))).toBe('0? 1? 1! 0!');
    expect(
      order(
        await run(
          both,
          Array.from({ length: 40 }, () => 1),
        ),
      ),
    ).toBe('0? 1? 0! 1!');
  });

  it.each(['39-4k', '57-1g', 'chaos'])('come to the same twice on %s', async (shape) => {
    const between = [stimuli[0]!, when(2, stimuli[1]!), when(3, stimuli[2]!)];
    const schedule = [1, 2, 0, 1, 3, 2, 1, 0, 2];
    expect(await run(between, schedule, shape)).toEqual(await run(between, schedule, shape));
  });
});

describe('the hypervisor', () => {
  it('gives frames of its own to each VM, and takes one again when it is free', async () => {
    const [first, second, , third] = answers(
      await run([
        stimulus('vm0', 'map', { page: 1 }),
        stimulus('vm1', 'map', { page: 1 }),
        stimulus('vm0', 'unmap', { page: 1 }),
        stimulus('vm1', 'map', { page: 2 }),
      ]),
    );
    expect(second).not.toEqual(first);
    expect(third).toEqual(first);
  });

  it('refuses what cannot be done', async () => {
    const driven = await run([
      stimulus('vm0', 'unmap', { page: 1 }),
      attach(0, 'edu0'),
      attach(1, 'edu0'),
      stimulus('vm1', 'detach', { function: 'edu0' }),
      stimulus('vm1.guest', 'mask', { function: 'edu0' }),
    ]);
    const refusals = answers(driven).map((answer) => Object.keys(answer as object));
    expect(refusals).toEqual([['refused'], [], ['refused'], ['refused'], ['refused']]);
  });

  it('takes an interrupt to the vCPU, keeps it while it is masked, and delivers it once', async () => {
    const accept = stimulus('vm0.vcpu0', 'accept');
    const eoi = stimulus('vm0.vcpu0', 'eoi');
    const driven = await run([
      attach(0, 'edu0'),
      stimulus('edu0', 'signal'),
      accept,
      eoi,
      stimulus('vm0.guest', 'mask', { function: 'edu0' }),
      stimulus('edu0', 'signal'),
      stimulus('edu0', 'signal'),
      accept,
      stimulus('vm0.guest', 'unmask', { function: 'edu0' }),
      accept,
      eoi,
      accept,
    ]);
    const vectors = answers(driven).filter((_, index) => [2, 7, 9, 11].includes(index));
    expect(vectors).toEqual([{ vector: 0x31 }, {}, { vector: 0x31 }, {}]);
  });

  it.each([
    [stimulus('vm2', 'map', { page: 1 }), 'an actor of vm0 to vm1'],
    [stimulus('vm0', 'fly'), 'map, unmap, remap, attach or detach'],
    [stimulus('vm0', 'map', {}), 'a whole number "page"'],
    [stimulus('vm0.vcpu9', 'accept'), 'vcpu0 to vcpu1'],
    [stimulus('vm0', 'detach', { function: 'nobody' }), 'a "function" of edu0'],
    [stimulus('edu0', 'explode'), 'read, write or signal'],
  ])('says what is wrong with %o', async (wrong, message) => {
    await expect(run([wrong])).rejects.toThrow(BadStimulus);
    await expect(run([wrong])).rejects.toThrow(message);
  });
});
