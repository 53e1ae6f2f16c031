import type { History, Step } from '../../spec/interface/scenario.js';
import { operationValues } from './values.js';

/** A history that cannot be: an observation that contradicts its operation, a reference to nothing. */
export class BadHistory extends Error {
  /** Index of the operation. */
  readonly at: number;
  constructor(at: number, message: string) {
    super(message);
    this.name = 'BadHistory';
    this.at = at;
  }
}

/**
 * Refuses a history that contradicts itself.
 *
 * @throws BadHistory naming the first operation concerned
 */
export function refuseContradictions(history: History): void {
  let last = Number.NEGATIVE_INFINITY;
  history.steps.forEach((step, at) => {
    const message =
      contradiction(step, history, at) ??
      (step.observation.begin < last ? 'begins before the one before it began' : undefined);
    if (message !== undefined) throw new BadHistory(at, `operation ${at} (${step.operation.op}) ${message}`);
    last = step.observation.begin;
  });
}

function contradiction({ operation, observation }: Step, history: History, at: number): string | undefined {
  if (observation.of !== operation.op) return `has an observation of '${observation.of}'`;
  if (observation.complete < observation.begin) return 'completes before it begins';
  for (const operand of operationValues(operation)) {
    if (typeof operand === 'bigint') continue;
    const source = history.steps[operand.ref];
    if (operand.ref >= at || source === undefined || !['regRead', 'poll', 'configRead'].includes(source.operation.op)) {
      return `refers to operation ${operand.ref}, which gives no value before it`;
    }
  }
  if (
    operation.op === 'load' &&
    observation.of === 'load' &&
    (observation.data?.length ?? operation.bytes) !== operation.bytes
  ) {
    return `asked for ${operation.bytes} bytes, and ${observation.data?.length} were observed`;
  }
  if (operation.op === 'dma' && observation.of === 'dma') {
    if (operation.direction === 'write' && observation.data !== undefined) return 'is a write with data read';
    if ((observation.data?.length ?? operation.bytes) !== operation.bytes)
      return 'has data of another length than the request';
  }
  if (
    operation.op === 'poll' &&
    observation.of === 'poll' &&
    observation.satisfied === true &&
    observation.value !== undefined
  ) {
    if ((observation.value & operation.mask) !== operation.expect)
      return 'claims to be satisfied by a value that does not satisfy it';
  }
  if ('requester' in operation && !history.profile.requesters.some((each) => each.id === operation.requester)) {
    return `names requester '${operation.requester}', which the profile does not have`;
  }
  return undefined;
}
