import type { RegisterAccess } from '../../spec/interface/model.js';
import type { RegisterAddress } from '../../spec/interface/operations.js';
import type { Bench } from './bench.js';
import { operandValue } from './values.js';
import type { Unit } from './world.js';

/** The specification of a component. */
export function unitOf(bench: Bench, component: string): Unit | undefined {
  return bench.units.find(({ key }) => key === component);
}

/** The access that a register address means; `undefined` when its index was not observed. */
export function accessOf(bench: Bench, address: RegisterAddress): RegisterAccess | undefined {
  const component = bench.profile.components[address.component];
  const unit = unitOf(bench, address.component);
  const index = operandValue(address.index ?? 0n, bench.steps);
  if (component === undefined || unit === undefined || index === undefined) return undefined;
  const place = unit.model.resolve(component, address.register, Number(index), address.offset ?? 0);
  if (place === undefined) return undefined;
  return { register: place.register, index: place.index, offset: place.offset, size: address.size };
}
