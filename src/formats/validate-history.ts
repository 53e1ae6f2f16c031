import type { Observation, PollObservation } from '../../spec/interface/observations.js';
import type { Operation, PollOperation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History, Step, TargetFailure } from '../../spec/interface/scenario.js';
import { type DataPath, type Problem, show } from './bad-input.js';
import { operationProblems } from './validate-operations.js';

/** Everything in which steps contradict themselves or the profile. Paths begin with the step's index. */
export function stepProblems(profile: Profile, steps: readonly Step[]): Problem[] {
  const operations = steps.map((step) => step.operation);
  return [
    ...operationProblems(profile, operations).map(({ path: [index, ...rest], message }) => ({
      path: [index ?? 0, 'operation', ...rest],
      message,
    })),
    ...steps.flatMap((step, index) =>
      [...observationProblems(step.operation, step.observation), ...orderProblems(steps, index)].map(
        ({ path, message }) => ({ path: [index, 'observation', ...path], message }),
      ),
    ),
  ];
}

/** The first step whose observation contradicts its operation or the order of steps: what a target that lies gives. */
export function firstLie(steps: readonly Step[]): { readonly at: number; readonly problem: Problem } | undefined {
  for (const [at, { operation, observation }] of steps.entries()) {
    const problem = observationProblems(operation, observation)[0] ?? orderProblems(steps, at)[0];
    if (problem !== undefined) return { at, problem };
  }
  return undefined;
}

/** A failure that names an operation which was never begun. */
export function failureProblems(failure: TargetFailure | undefined, begun: number): Problem[] {
  if (failure?.at === undefined || failure.at <= begun) return [];
  return [{ path: ['at'], message: `expected an operation that was begun (at most ${begun}), got ${failure.at}` }];
}

/** Everything in which the record of software contradicts itself or the steps. Paths begin inside the record. */
export function softwareProblems({ software, steps }: Pick<History, 'software' | 'steps'>): Problem[] {
  if (software === undefined) return [];
  const { events, issuers } = software;
  const asked = new Set<number>();
  const problems = events.flatMap((event, index): Problem[] => {
    const path = ['events', index];
    const before = events[index - 1]?.at ?? 0;
    if (event.at < before) return wrong([...path, 'at'], `at least ${before}, as the event before it`, event.at);
    if (event.at > steps.length) return wrong([...path, 'at'], `at most ${steps.length}, the operations`, event.at);
    if (event.kind === 'rest') return [];
    const known = asked.has(event.id);
    if (event.kind === 'asked') asked.add(event.id);
    else asked.delete(event.id);
    if (event.kind === 'answered' && !known)
      return wrong([...path, 'id'], 'a stimulus that waits for an answer', event.id);
    return event.kind === 'asked' && known ? wrong([...path, 'id'], 'an id of its own', event.id) : [];
  });
  if (issuers.length === steps.length) return problems;
  return [...problems, ...wrong(['issuers'], `one for each of ${steps.length} operations`, issuers.length)];
}

/** Operations begin in order, and none completes before it began. */
function orderProblems(steps: readonly Step[], index: number): Problem[] {
  const { begin, complete } = steps[index]!.observation;
  const before = steps[index - 1]?.observation.begin ?? 0;
  if (begin < before) return wrong(['begin'], `at least ${before}, as the operation before it`, begin);
  return complete < begin ? wrong(['complete'], `at least ${begin}, where it began`, complete) : [];
}

function wrong(path: DataPath, expected: string, got: unknown): Problem[] {
  return [{ path, message: `expected ${expected}, got ${show(got)}` }];
}

/** Everything in which an observation contradicts its operation. */
export function observationProblems(operation: Operation, observation: Observation): Problem[] {
  if (observation.of !== operation.op) return wrong(['of'], `"${operation.op}", as the operation`, observation.of);
  switch (operation.op) {
    case 'load':
      return observation.of === 'load' ? lengthProblems(observation.data, operation.bytes) : [];
    case 'regRead':
    case 'configRead':
      return observation.of === operation.op ? valueProblems(observation.value, operation.size) : [];
    case 'poll':
      return observation.of === 'poll' ? pollProblems(operation, observation) : [];
    case 'dma':
      if (observation.of !== 'dma' || observation.data === undefined) return [];
      if (operation.direction === 'write') return wrong(['data'], 'no data, the operation writes', observation.data);
      return lengthProblems(observation.data, operation.bytes);
    case 'cpu':
      if (observation.of !== 'cpu' || observation.data === undefined) return [];
      if (operation.access !== 'read') return wrong(['data'], `no data from ${operation.access}`, observation.data);
      return lengthProblems(observation.data, operation.bytes);
    default:
      return [];
  }
}

function lengthProblems(data: Uint8Array | undefined, bytes: number): Problem[] {
  return data === undefined || data.length === bytes ? [] : wrong(['data'], `${bytes} bytes`, data);
}

function valueProblems(value: bigint | undefined, size: number): Problem[] {
  return value === undefined || value >> BigInt(size * 8) === 0n
    ? []
    : wrong(['value'], `at most ${size * 8} bits`, value);
}

function pollProblems(operation: PollOperation, observation: PollObservation): Problem[] {
  const { value, satisfied, reads } = observation;
  const problems = valueProblems(value, operation.size);
  if (value !== undefined && satisfied !== undefined) {
    const holds = (value & operation.mask) === operation.expect;
    const condition = `(value & ${show(operation.mask)}) = ${show(operation.expect)}`;
    if (holds !== satisfied) {
      problems.push(...wrong(['value'], `${condition} ${satisfied ? 'to hold' : 'not to hold'}, as claimed`, value));
    }
  }
  if (reads !== undefined && (reads < 1 || reads > operation.limit)) {
    problems.push(...wrong(['reads'], `1 to ${operation.limit}, the limit`, reads));
  } else if (reads !== undefined && satisfied === false && reads < operation.limit) {
    problems.push(...wrong(['reads'], `${operation.limit}, as the condition never held`, reads));
  }
  return problems;
}
