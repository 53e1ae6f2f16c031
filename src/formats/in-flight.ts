import { z } from 'zod';
import type { InFlightRecord, StoredCase } from '../harness/types.js';
import { decodeCase } from './case.js';
import { checkHeader, decodeWith, parseJson } from './json.js';
import { textSchema, whole } from './scalars.js';
import type { ComponentCheck } from './validate-profile.js';

const FORMAT = 'iovcheck-in-flight';

const recordSchema: z.ZodType<InFlightRecord> = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  target: textSchema,
  profile: textSchema,
  implementation: textSchema,
  kind: z.literal(['random', 'sweep', 'stored']),
  property: textSchema,
  seed: whole(0),
  index: whole(0),
  file: z.exactOptional(textSchema),
});

/** What can be run again: a stored case, or the record of the case in flight of a run that was killed. */
export type Replayable = StoredCase | InFlightRecord;

/**
 * Reads a stored case or a record of a case in flight.
 *
 * @throws BadInput naming file and path
 */
export function decodeReplayable(text: string, file: string, checkComponent?: ComponentCheck): Replayable {
  const source = { file };
  const raw = parseJson(text, source);
  const inFlight = typeof raw === 'object' && raw !== null && 'format' in raw && raw.format === FORMAT;
  if (!inFlight) return decodeCase(text, file, checkComponent);
  checkHeader(raw, FORMAT, source);
  return decodeWith(recordSchema, raw, source);
}
