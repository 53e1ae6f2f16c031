import type { Profile } from '../../spec/interface/profile.js';
import type { SoftwareRecord, Step, StimulusScenario, TargetFailure } from '../../spec/interface/scenario.js';
import type { Target } from '../../spec/interface/target.js';
import { Hypervisor } from './hypervisor.js';
import { Stage } from './stage.js';

/** Name of this software in scenarios. */
export const SOFTWARE = 'two-vms';

/** What a run of the hypervisor was: its hardware operations, and what it was asked and answered. */
export interface Driven {
  readonly steps: readonly Step[];
  readonly software: SoftwareRecord;
  readonly failure?: TargetFailure;
}

/**
 * Runs the hypervisor on a target that was begun: it boots, then does what the stimuli ask, in the order that the schedule
 * chooses. What devices read may become known only at the target's `finish`.
 *
 * @throws BadStimulus for a stimulus that makes no sense
 */
export async function driveHypervisor(scenario: StimulusScenario, target: Target, profile: Profile): Promise<Driven> {
  const component = Object.keys(profile.components)[0];
  if (component === undefined) throw new Error(`profile ${profile.name} has no remapping unit`);
  const stage = new Stage(target, profile, new Hypervisor(profile, component), scenario);
  const failure = await stage.run();
  const { name, configuration } = scenario.software;
  const software: SoftwareRecord = { name, configuration, events: stage.events, issuers: stage.issuers };
  return { steps: stage.steps, software, ...(failure === undefined ? {} : { failure }) };
}
