import type { Property } from '../src/harness/property.js';
import { delivery } from './delivery.js';
import { dmaIsolation } from './dma-isolation.js';
import { dmaTranslation } from './dma-translation.js';
import { entrySweep } from './entry-sweep.js';
import { faultDisable } from './fault-disable.js';
import { faultEvent } from './fault-event.js';
import { faultLog } from './fault-log.js';
import { faultRecord } from './fault-record.js';
import { faultReporting } from './fault-reporting.js';
import { frameReuse } from './frame-reuse.js';
import { globalCommands } from './global-commands.js';
import { invalidationQueue } from './invalidation-queue.js';
import { isolation } from './isolation.js';
import { passThrough } from './pass-through.js';
import { protectedMemory } from './protected-memory.js';
import { queuedInvalidation } from './queued-invalidation.js';
import { registerAccess } from './register-access.js';
import { snoop } from './snoop.js';
import { staleWindow } from './stale-window.js';
import { superpageSplit } from './superpage-split.js';
import { translation } from './translation.js';
import { warmCold } from './warm-cold.js';
import { zeroLength } from './zero-length.js';

/** Every property, in the order in which they are listed and run. */
export const properties: readonly Property[] = [
  dmaTranslation,
  dmaIsolation,
  faultReporting,
  faultDisable,
  entrySweep,
  superpageSplit,
  faultRecord,
  faultLog,
  faultEvent,
  registerAccess,
  globalCommands,
  invalidationQueue,
  queuedInvalidation,
  passThrough,
  zeroLength,
  snoop,
  protectedMemory,
  staleWindow,
  frameReuse,
  warmCold,
  isolation,
  translation,
  delivery,
];
