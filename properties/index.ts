import type { Property } from '../src/harness/property.js';
import { entrySweep } from './entry-sweep.js';
import { faultDisable } from './fault-disable.js';
import { faultRecord } from './fault-record.js';
import { faultReporting } from './fault-reporting.js';
import { isolation } from './isolation.js';
import { superpageSplit } from './superpage-split.js';
import { translation } from './translation.js';

/** Every property, in the order in which they are listed and run. */
export const properties: readonly Property[] = [
  translation,
  isolation,
  faultReporting,
  faultDisable,
  entrySweep,
  superpageSplit,
  faultRecord,
];
