import { cachingContext } from './caching-context.js';
import { cachingPaging } from './caching-paging.js';
import { faultHistories } from './faults.js';
import { queueHistories } from './queue.js';
import type { HandWritten } from './writer.js';

export { type HandWritten, historyOf } from './writer.js';

/** Every hand-written history, by group: names are unique in a group. */
export const handWritten: Readonly<Record<'caching' | 'faults' | 'queue', readonly HandWritten[]>> = {
  caching: [...cachingPaging, ...cachingContext],
  faults: faultHistories,
  queue: queueHistories,
};
