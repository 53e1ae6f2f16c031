import { keepOperations } from './references.js';
import type { ShrinkSession } from './session.js';

/**
 * Drops ranges of operations, halves first and single ones last, until no single one can go. From the end, because
 * what comes after the finding is never needed.
 */
export async function dropOperations(session: ShrinkSession): Promise<void> {
  let size = session.operations.length;
  while (size >= 1 && !session.spent) {
    const before = session.steps;
    for (let end = session.operations.length; end > 0; end -= size) {
      // The list may have become shorter than expected when references went with their operation.
      const from = Math.max(0, Math.min(end, session.operations.length) - size);
      const to = from + size;
      await session.try(keepOperations(session.operations, (index) => index < from || index >= to));
    }
    if (size > 1 || session.steps === before) size = Math.floor(size / 2);
  }
}
