import { type Drive, NoSoftware } from '../harness/index.js';
import { driveHypervisor, SOFTWARE } from '../hypervisor/drive.js';

/** Runs the software under test that a scenario names. @throws NoSoftware for one that this release does not have */
export const driveSoftware: Drive = (scenario, target, profile) => {
  if (scenario.software.name !== SOFTWARE) throw new NoSoftware(scenario.software.name);
  return driveHypervisor(scenario, target, profile);
};
