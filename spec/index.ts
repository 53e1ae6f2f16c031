import { hypervisorModel } from './hypervisor/model.js';
import type { ComponentModel } from './interface/model.js';
import type { SoftwareModel } from './interface/software.js';
import { vtdModel } from './vtd/model.js';

/**
 * The specification of every architecture, by the name that `Component.architecture` carries.
 * The judge sees the states as opaque.
 */
export function modelOf(architecture: string): ComponentModel<unknown> | undefined {
  return architecture === vtdModel.architecture ? (vtdModel as ComponentModel<unknown>) : undefined;
}

/** The specification of software under test, by the name that `SoftwareRecord.name` carries. */
export function softwareModelOf(name: string): SoftwareModel<unknown> | undefined {
  return name === hypervisorModel.name ? (hypervisorModel as SoftwareModel<unknown>) : undefined;
}
