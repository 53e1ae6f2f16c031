import { z } from 'zod';
import type { History, Step } from '../../spec/interface/scenario.js';
import { BadInput, badInput, type Source } from './bad-input.js';
import { checkHeader, decodeWith, encodeWith, parseJson, refuse } from './json.js';
import { observationSchema } from './observation.js';
import { operationSchema } from './operation.js';
import { profileSchema } from './profile.js';
import { failureSchema, softwareSchema, startSchema } from './scenario.js';
import { failureProblems, softwareProblems, stepProblems } from './validate-history.js';
import { type ComponentCheck, profileProblems } from './validate-profile.js';

const headerSchema = z.strictObject({
  format: z.literal('iovcheck-trace'),
  version: z.literal(1),
  profile: profileSchema,
  start: startSchema,
  software: z.exactOptional(softwareSchema),
});

/** One step ↔ JSON. */
export const stepSchema: z.ZodType<Step> = z.strictObject({
  operation: operationSchema,
  observation: observationSchema,
});
const lastSchema = z.strictObject({ failure: failureSchema });

/** A history as JSON lines: header, one line per step, and the failure that ended it, if one did. Ends with a newline. */
export function encodeTrace(history: History): string {
  const header = {
    format: 'iovcheck-trace' as const,
    version: 1 as const,
    profile: history.profile,
    start: history.start,
    ...(history.software === undefined ? {} : { software: history.software }),
  };
  const lines = [
    encodeWith(headerSchema, header),
    ...history.steps.map((step) => encodeWith(stepSchema, step)),
    ...(history.failure === undefined ? [] : [encodeWith(lastSchema, { failure: history.failure })]),
  ];
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
}

/**
 * Reads a trace.
 *
 * @throws BadInput naming file, line and path
 */
export function decodeTrace(text: string, file: string, checkComponent?: ComponentCheck): History {
  const lines = text.split('\n').map((content, index) => ({ content, source: { file, line: index + 1 } }));
  while (lines.at(-1)?.content.trim() === '') lines.pop();
  const [first, ...rest] = lines;
  if (first === undefined) throw new BadInput(`${file}: empty; expected a trace`);
  const raw = parseJson(first.content, first.source);
  checkHeader(raw, 'iovcheck-trace', first.source);
  const { format: _format, version: _version, ...head } = decodeWith(headerSchema, raw, first.source);
  const { profile } = head;
  refuse(profileProblems(profile, checkComponent), first.source, ['profile']);

  const steps: Step[] = [];
  let failure: History['failure'];
  for (const { content, source } of rest) {
    if (failure !== undefined) throw badInput(source, { path: [], message: 'expected nothing after the failure' });
    const line = parseJson(content, source);
    if (isFailureLine(line)) failure = decodeWith(lastSchema, line, source).failure;
    else steps.push(decodeWith(stepSchema, line, source));
  }
  refuseSteps({ ...head, steps }, file);
  refuse(softwareProblems({ ...head, steps }), first.source, ['software']);
  refuse(failureProblems(failure, steps.length), lines.at(-1)!.source, ['failure']);
  return failure === undefined ? { ...head, steps } : { ...head, steps, failure };
}

function isFailureLine(line: unknown): boolean {
  return typeof line === 'object' && line !== null && 'failure' in line;
}

/** Step `n` is on line `n + 2`. */
function refuseSteps(history: History, file: string): void {
  const problem = stepProblems(history.profile, history.steps)[0];
  if (problem === undefined) return;
  const [step, ...path] = problem.path;
  const source: Source = { file, line: Number(step) + 2 };
  throw badInput(source, { path, message: problem.message });
}
