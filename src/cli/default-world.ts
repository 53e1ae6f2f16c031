import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { properties } from '../../properties/index.js';
import { clauseApplies } from '../../spec/catalog/applies.js';
import { catalog } from '../../spec/catalog/index.js';
import { modelOf } from '../../spec/index.js';
import type { ComponentCheck } from '../formats/index.js';
import { createJudge } from '../judge/index.js';
import { driveSoftware } from './software.js';
import { ENGINE, QEMU } from './targets.js';
import type { World } from './world.js';

const NAME = 'iovcheck';

/** What the specification of a component's architecture says of it. */
export const checkComponent: ComponentCheck = (_name, component, profile) => {
  const model = modelOf(component.architecture);
  if (model === undefined) return `expected an architecture that is specified here, got "${component.architecture}"`;
  return model.check(component, profile);
};

/** The package's folder and version: upwards from this file, which may be a source or built. */
function packageAbove(folder: string): { readonly root: string; readonly version: string } {
  const file = join(folder, 'package.json');
  if (existsSync(file)) {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof found === 'object' && found !== null && 'name' in found && found.name === NAME) {
      return { root: folder, version: 'version' in found ? String(found.version) : '0' };
    }
  }
  const parent = dirname(folder);
  if (parent === folder) throw new Error(`no package.json of ${NAME} above ${fileURLToPath(import.meta.url)}`);
  return packageAbove(parent);
}

/** Everything that this release is made of. */
export function defaultWorld(): World {
  const { root, version } = packageAbove(dirname(fileURLToPath(import.meta.url)));
  return {
    targets: [ENGINE, QEMU],
    properties,
    catalogue: catalog,
    judge: createJudge(),
    checkComponent,
    clauseApplies,
    drive: driveSoftware,
    tool: { name: NAME, version },
    root,
  };
}
