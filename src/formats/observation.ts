import { z } from 'zod';
import type { Observation } from '../../spec/interface/observations.js';
import { bytesSchema } from './bytes.js';
import { textSchema, u64Schema, whole } from './scalars.js';

const base = {
  begin: whole(0),
  complete: whole(0),
  messages: z.exactOptional(
    z.array(z.strictObject({ address: u64Schema, data: u64Schema, source: z.exactOptional(whole(0, 0xffff)) })),
  ),
};

const vectors = z.exactOptional(z.array(whole(0, 255)));
const data = z.exactOptional(bytesSchema);
const value = z.exactOptional(u64Schema);

const SILENT = ['store', 'paint', 'regWrite', 'configWrite', 'message', 'signal', 'eoi', 'settle', 'reset'] as const;

const variants = [
  z.strictObject({ of: z.literal(SILENT), ...base }),
  z.strictObject({ of: z.literal('load'), ...base, data }),
  z.strictObject({ of: z.literal(['regRead', 'configRead']), ...base, value }),
  z.strictObject({
    of: z.literal('poll'),
    ...base,
    value,
    satisfied: z.exactOptional(z.boolean()),
    reads: z.exactOptional(whole(0)),
  }),
  z.strictObject({
    of: z.literal('dma'),
    ...base,
    status: z.exactOptional(z.literal(['ok', 'unsupported-request', 'completer-abort'])),
    data,
    snooped: z.exactOptional(z.boolean()),
  }),
  z.strictObject({
    of: z.literal('cpu'),
    ...base,
    data,
    exception: z.exactOptional(textSchema),
    errorCode: z.exactOptional(u64Schema),
  }),
  z.strictObject({ of: z.literal('controllerRead'), ...base, requested: vectors, inService: vectors }),
] as const;

const names = variants.flatMap((variant) => [...variant.shape.of.values]).join(', ');

/** One observation ↔ JSON. */
export const observationSchema: z.ZodType<Observation> = z.discriminatedUnion('of', variants, {
  error: `expected an observation (of one of ${names})`,
});
