import type { Defect } from './defect.js';
import { CACHE_DEFECTS } from './defects/caches.js';
import { FAULT_DEFECTS } from './defects/faults.js';
import { QUEUE_DEFECTS } from './defects/queue.js';
import { TRANSLATION_DEFECTS } from './defects/translation.js';

/**
 * Every defect that can be planted, in the order in which they are. To add one, write its data into a file of
 * `defects/`; a new part of the product gets a file of its own there.
 */
export const DEFECTS: readonly Defect[] = [
  ...TRANSLATION_DEFECTS,
  ...CACHE_DEFECTS,
  ...FAULT_DEFECTS,
  ...QUEUE_DEFECTS,
];
