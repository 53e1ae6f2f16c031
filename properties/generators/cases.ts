import type { Profile } from '../../spec/interface/profile.js';
import type { Built } from '../../src/harness/property.js';
import { type Platform, platformOf } from './capabilities.js';
import { type CaseIntents, type Step, SWARM } from './intents.js';
import type { Completion } from './queue.js';
import { Stage } from './stage.js';
import { badMode, perform } from './steps.js';
import { setUp } from './world.js';

/** How a property starts its cases. */
export interface StartOptions {
  /** Of 1000 cases, how many start from reset with a root table mode that is not valid. */
  readonly badModes?: number;
  /** Of 1000 cases, how many start from reset in legacy mode. */
  readonly resets?: number;
  /**
   * Where the unit has a queue: flush through it always, or in a share of the cases (default); `event`: in a
   * share of the cases, and completion is never stored in memory.
   */
  readonly queued?: 'always' | 'some' | 'event';
}

/** How a case flushes. Where the table mode is not valid, the queue stops. */
function flushingOf(platform: Platform, queue: number, queued: StartOptions['queued']): Completion | undefined {
  if (!platform.queue) return undefined;
  if (queued === 'always') return queue < 10 ? 'status' : 'event';
  if (queue > 5) return undefined;
  return queued === 'event' || queue > 3 ? 'event' : 'status';
}

/** Of 32 cases that use the queue, one leaves it on. */
function queueStays(features: number): boolean {
  return (features & 31) === 9;
}

/** The acts that a case leaves out. */
function left(features: number): ReadonlySet<Step['act']> {
  return new Set(SWARM.filter((_, bit) => ((features >> bit) & 1) === 0));
}

/** From reset: latch, perhaps in a bad mode, then turn translation on. */
function startFromReset(stage: Stage, intents: CaseIntents, badModeWanted: boolean): void {
  stage.enabled = false;
  setUp(stage, intents);
  const { plan } = stage;
  const step = intents.steps.find((each) => each.act === 'dma');
  if (step !== undefined) {
    const seat = plan.seat(step.who);
    const address = plan.memory.frameAddress(plan.memory.dataFrame(step.request.pick));
    stage.send(seat, { address, bytes: 16, write: step.request.write });
  }
  stage.latchRoot(plan.rootAddress, badModeWanted ? badMode(stage, intents.features) : 0);
  stage.script.enable();
}

/**
 * Steps of a case that runs in a bad mode: requests only, for neither tables nor invalidations
 * count there. Each is sent by two requesters, for such cases are few.
 */
function requestsOnly(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) =>
    'request' in step
      ? [step.who, step.who + 1].map((who) => ({ act: 'dma', who, request: step.request }) as const)
      : [],
  );
}

/** Builds the scenario of a drawn case. */
export function buildCase(profile: Profile, intents: CaseIntents, options: StartOptions = {}): Built {
  const { badModes = 0, resets = 0 } = options;
  const platform = platformOf(profile);
  const badModeWanted = intents.start < badModes;
  const flushing = badModeWanted ? undefined : flushingOf(platform, intents.queue, options.queued);
  const stage = new Stage(platform, intents.slots, badModeWanted ? 0 : intents.collect, flushing);
  const reset = intents.start < badModes + resets;
  if (reset) startFromReset(stage, intents, badModeWanted);
  else {
    setUp(stage, intents);
    stage.latchRoot(stage.plan.rootAddress);
  }
  const without = left(intents.features);
  const steps = badModeWanted ? requestsOnly(intents.steps) : intents.steps;
  for (const step of steps) {
    if (without.has(step.act)) continue;
    perform(stage, step);
  }
  stage.finish(queueStays(intents.features));
  return {
    scenario: { level: 'operations', start: reset ? 'reset' : 'ready', operations: stage.script.operations },
    labels: stage.labels,
  };
}
