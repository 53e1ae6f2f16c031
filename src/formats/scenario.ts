import { z } from 'zod';
import type {
  Scenario,
  SoftwareEvent,
  SoftwareRecord,
  StartState,
  Stimulus,
  TargetFailure,
} from '../../spec/interface/scenario.js';
import { operationSchema } from './operation.js';
import { hexText, textSchema, whole } from './scalars.js';

/** Start state. */
export const startSchema: z.ZodType<StartState, StartState> = z.literal(['reset', 'ready'], {
  error: 'expected "reset" or "ready"',
});

/** An argument of a stimulus. A bigint is `{"hex": "0x…"}`, because a string may look like one. */
const argumentSchema = z.union(
  [
    z.string(),
    z.number(),
    z.boolean(),
    z.codec(z.strictObject({ hex: z.string().regex(/^-?0x[0-9a-f]+$/) }), z.bigint(), {
      decode: ({ hex }) => (hex.startsWith('-') ? -BigInt(hex.slice(1)) : BigInt(hex)),
      encode: (value) => ({ hex: hexText(value) }),
    }),
  ],
  { error: 'expected a text, a number, true or false, or {"hex": "0x…"}' },
);

const stimulusSchema: z.ZodType<Stimulus> = z.strictObject({
  actor: textSchema,
  action: textSchema,
  arguments: z.record(textSchema, argumentSchema),
  begins: z.exactOptional(
    z.union([whole(0), z.literal('answered')], { error: 'expected a number of steps or "answered"' }),
  ),
});

const configurationSchema = z.record(textSchema, z.union([z.string(), z.number(), z.boolean()]));

/** A scenario ↔ JSON. */
export const scenarioSchema: z.ZodType<Scenario> = z.discriminatedUnion(
  'level',
  [
    z.strictObject({ level: z.literal('operations'), start: startSchema, operations: z.array(operationSchema) }),
    z.strictObject({
      level: z.literal('stimuli'),
      start: startSchema,
      software: z.strictObject({
        name: textSchema,
        configuration: configurationSchema,
      }),
      stimuli: z.array(stimulusSchema),
      schedule: z.array(whole(0)),
    }),
  ],
  { error: 'expected a scenario (level "operations" or "stimuli")' },
);

const at = whole(0);
const softwareEventSchema: z.ZodType<SoftwareEvent> = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('asked'), at, id: whole(0), stimulus: stimulusSchema }),
    z.strictObject({ kind: z.literal('answered'), at, id: whole(0), answer: z.record(textSchema, argumentSchema) }),
    z.strictObject({ kind: z.literal('rest'), at }),
  ],
  { error: 'expected an event ("asked", "answered" or "rest")' },
);

/** What happened at the level of software under test ↔ JSON. */
export const softwareSchema: z.ZodType<SoftwareRecord> = z.strictObject({
  name: textSchema,
  configuration: configurationSchema,
  events: z.array(softwareEventSchema),
  issuers: z.array(whole(-1)),
});

/** How a target failed ↔ JSON. */
export const failureSchema: z.ZodType<TargetFailure> = z.strictObject({
  kind: z.literal(['crash', 'hang', 'nonsense']),
  message: z.string(),
  at: z.exactOptional(whole(0)),
  output: z.exactOptional(z.string()),
});
