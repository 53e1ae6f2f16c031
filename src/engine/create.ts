import { ChaosUnit } from './chaos.js';
import { RemappingUnit, type UnitOptions } from './unit.js';

/** The remapping unit of a shape: one that behaves at random where the shape says so, otherwise an ordinary one. */
export function createUnit(options: UnitOptions): RemappingUnit {
  return options.shape.chaos ? new ChaosUnit(options) : new RemappingUnit(options);
}
