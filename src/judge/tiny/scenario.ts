import type { OperationScenario } from '../../../spec/interface/scenario.js';
import { historiesOf } from './history.js';
import { tinyProfile } from './platform.js';
import { worldOf } from './random.js';
import { BLOCKED_BY_PAGING, requestsOf } from './world.js';

/**
 * What software and devices do in a tiny world, to be run on a target: about 25 operations. Tables, requesters and the
 * arena are where the engine's profile has them.
 */
export function tinyScenario(seed: number): OperationScenario {
  const world = worldOf(seed);
  const write = historiesOf(world, tinyProfile(), { reasons: false });
  const { steps } = write(requestsOf(world).map(() => BLOCKED_BY_PAGING));
  return { level: 'operations', start: 'ready', operations: steps.map((step) => step.operation) };
}
