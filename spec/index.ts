import type { ComponentModel } from './interface/model.js';
import { vtdModel } from './vtd/model.js';

/**
 * The specification of every architecture, by the name that `Component.architecture` carries.
 * The judge sees the states as opaque.
 */
export function modelOf(architecture: string): ComponentModel<unknown> | undefined {
  return architecture === vtdModel.architecture ? (vtdModel as ComponentModel<unknown>) : undefined;
}
