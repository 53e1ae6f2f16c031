import type { RegisterAccess } from '../../spec/interface/model.js';
import type { Operand, RegisterAddress } from '../../spec/interface/operations.js';
import type { Step } from '../../spec/interface/scenario.js';
import type { Bench } from './bench.js';
import type { Unit } from './world.js';

/** A value read earlier, for operands that refer to it. `undefined` when it was not observed. */
export function operandValue(operand: Operand, steps: readonly Step[]): bigint | undefined {
  if (typeof operand === 'bigint') return operand;
  const observation = steps[operand.ref]?.observation;
  const value = observation !== undefined && 'value' in observation ? observation.value : undefined;
  if (value === undefined) return undefined;
  const [high, low] = operand.field ?? [63, 0];
  const taken = (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
  return taken * BigInt(operand.scale ?? 1) + (operand.plus ?? 0n);
}

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
