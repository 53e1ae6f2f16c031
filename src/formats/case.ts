import { z } from 'zod';
import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History, Scenario, Step } from '../../spec/interface/scenario.js';
import type { StoredCase } from '../harness/types.js';
import { badInput, type Source } from './bad-input.js';
import { readText } from './files.js';
import { checkHeader, decodeWith, encodeWith, parseJson, refuse } from './json.js';
import { observationSchema } from './observation.js';
import { operationSchema } from './operation.js';
import { profileSchema } from './profile.js';
import { textSchema, whole } from './scalars.js';
import { failureSchema, scenarioSchema, softwareSchema, startSchema } from './scenario.js';
import { failureProblems, softwareProblems, stepProblems } from './validate-history.js';
import { operationProblems } from './validate-operations.js';
import { type ComponentCheck, profileProblems } from './validate-profile.js';

/** What makes two findings the same ↔ JSON. */
export const identityFields = { clause: textSchema, kind: textSchema, discriminator: z.string() };

/** A history inside a case: what equals the case's own profile, start and operations is left out. */
const historySchema = z.strictObject({
  profile: z.exactOptional(profileSchema),
  start: z.exactOptional(startSchema),
  steps: z.array(z.strictObject({ operation: z.exactOptional(operationSchema), observation: observationSchema })),
  software: z.exactOptional(softwareSchema),
  failure: z.exactOptional(failureSchema),
});
type CompactHistory = z.output<typeof historySchema>;

/** A case with its history still compact. */
type CompactCase = Omit<StoredCase, 'history'> & { readonly history: CompactHistory };

const caseSchema: z.ZodType<CompactCase> = z.strictObject({
  format: z.literal('iovcheck-case'),
  version: z.literal(1),
  id: z.string().regex(/^[A-Za-z0-9._-]+$/, { error: 'expected a file name without folder and ending' }),
  property: textSchema,
  identity: z.strictObject(identityFields),
  expected: z.string(),
  observed: z.string(),
  profile: profileSchema,
  scenario: scenarioSchema,
  origin: z.strictObject({ seed: whole(0), index: whole(0), sweep: z.boolean() }),
  tool: z.strictObject({ name: textSchema, version: textSchema }),
  target: z.strictObject({ id: textSchema, implementation: textSchema }),
  history: historySchema,
  expectation: z.exactOptional(z.json() as z.ZodType<unknown>),
});

/** A case as JSON text, the same for the same case. Ends with a newline. */
export function encodeCase(stored: StoredCase): string {
  const compact = { ...stored, history: compactHistory(stored) };
  return `${JSON.stringify(encodeWith(caseSchema, compact), null, 1)}\n`;
}

/**
 * Reads a case.
 *
 * @throws BadInput naming file and path
 */
export function decodeCase(text: string, file: string, checkComponent?: ComponentCheck): StoredCase {
  const source = { file };
  const raw = parseJson(text, source);
  checkHeader(raw, 'iovcheck-case', source);
  const { history: compact, ...stored } = decodeWith(caseSchema, raw, source);
  const { profile, scenario } = stored;
  refuse(profileProblems(profile, checkComponent), source, ['profile']);
  if (scenario.level === 'operations') {
    refuse(operationProblems(profile, scenario.operations), source, ['scenario', 'operations']);
  }
  const history = fullHistory(compact, profile, scenario, source);
  refuse(profileProblems(history.profile, checkComponent), source, ['history', 'profile']);
  refuse(stepProblems(history.profile, history.steps), source, ['history', 'steps']);
  refuse(softwareProblems(history), source, ['history', 'software']);
  const begun = Math.max(history.steps.length, operationsOf(scenario).length);
  refuse(failureProblems(history.failure, begun), source, ['history', 'failure']);
  return { ...stored, history };
}

/**
 * Reads a case from a file.
 *
 * @param shown the file's name in messages
 * @throws BadInput naming file and path
 */
export function readCase(file: string, checkComponent?: ComponentCheck, shown: string = file): StoredCase {
  return decodeCase(readText(file, shown), shown, checkComponent);
}

function operationsOf(scenario: Scenario): readonly Operation[] {
  return scenario.level === 'operations' ? scenario.operations : [];
}

function compactHistory({ profile, scenario, history }: StoredCase): CompactHistory {
  const operations = operationsOf(scenario);
  return {
    ...(same(profileSchema, history.profile, profile) ? {} : { profile: history.profile }),
    ...(history.start === scenario.start ? {} : { start: history.start }),
    steps: history.steps.map(({ operation, observation }, index) => {
      const planned = operations[index];
      const equal = planned !== undefined && same(operationSchema, operation, planned);
      return equal ? { observation } : { operation, observation };
    }),
    ...(history.software === undefined ? {} : { software: history.software }),
    ...(history.failure === undefined ? {} : { failure: history.failure }),
  };
}

function same<T>(schema: z.ZodType<T>, one: T, other: T): boolean {
  return one === other || JSON.stringify(encodeWith(schema, one)) === JSON.stringify(encodeWith(schema, other));
}

function fullHistory(compact: CompactHistory, profile: Profile, scenario: Scenario, source: Source): History {
  const operations = operationsOf(scenario);
  const steps: Step[] = compact.steps.map(({ operation, observation }, index) => {
    const performed = operation ?? operations[index];
    if (performed !== undefined) return { operation: performed, observation };
    const path = ['history', 'steps', index, 'operation'];
    throw badInput(source, { path, message: 'expected an operation, as the scenario has none here, got nothing' });
  });
  return {
    profile: compact.profile ?? profile,
    start: compact.start ?? scenario.start,
    steps,
    ...(compact.software === undefined ? {} : { software: compact.software }),
    ...(compact.failure === undefined ? {} : { failure: compact.failure }),
  };
}
