import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';

/** What a running piece of the hypervisor asks of whoever runs it. */
export type Demand =
  /** Issue a hardware operation; the task goes on with what was observed of it. */
  | { readonly kind: 'operation'; readonly operation: Operation }
  /** Anything else may happen here. */
  | { readonly kind: 'pause' }
  /** Go on when `until` holds; `what` says what is waited for. */
  | { readonly kind: 'wait'; readonly until: () => boolean; readonly what: string };

/** A piece of the hypervisor that runs step by step; between its steps others run. */
export type Task<T> = Generator<Demand, T, Observation | undefined>;

/** Issues an operation; gives what was observed. */
export function* issue(operation: Operation): Task<Observation> {
  const observation = yield { kind: 'operation', operation };
  if (observation === undefined) throw new Error(`nothing was observed of "${operation.op}"`);
  return observation;
}

/** Lets others run. */
export function* pause(): Task<void> {
  yield { kind: 'pause' };
}

/** Waits for a condition that others bring about. */
export function* waitUntil(what: string, until: () => boolean): Task<void> {
  while (!until()) yield { kind: 'wait', until, what };
}

/** Mutual exclusion between tasks. */
export class Lock {
  private held = false;
  private readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  *acquire(): Task<void> {
    yield* waitUntil(this.name, () => !this.held);
    this.held = true;
  }

  release(): void {
    this.held = false;
  }
}
