import { z } from 'zod';
import type { Profile } from '../../spec/interface/profile.js';
import { textSchema, u64Schema, whole } from './scalars.js';

const componentSchema = z.strictObject({
  architecture: textSchema,
  revision: textSchema,
  registers: z.record(textSchema, u64Schema),
  parameters: z.record(textSchema, z.number({ error: 'expected a number' })),
});

const requesterSchema = z.strictObject({
  id: textSchema,
  routingId: whole(0, 0xffff),
  component: textSchema,
  dma: z.boolean(),
  msi: z.boolean(),
  pasidBits: whole(0, 20),
  zeroLengthReads: z.exactOptional(z.boolean()),
  noSnoop: z.exactOptional(z.boolean()),
  msiCapability: z.exactOptional(whole(0, 4095)),
});

const regionSchema = z.strictObject({
  kind: z.literal(['ram', 'device', 'reserved']),
  base: u64Schema,
  bytes: u64Schema,
});

/** A profile ↔ JSON: the shape only; what it promises is checked by `profileProblems`. */
export const profileSchema: z.ZodType<Profile> = z.strictObject({
  name: textSchema,
  implementation: textSchema,
  components: z.record(textSchema, componentSchema),
  requesters: z.array(requesterSchema),
  memory: z.array(regionSchema),
  arena: z.strictObject({ base: u64Schema, bytes: whole(1) }),
  limits: z.strictObject({ tokens: whole(1), dmaBytes: whole(1) }),
});
