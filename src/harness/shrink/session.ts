import type { Operation } from '../../../spec/interface/operations.js';
import { jsonOf } from '../json.js';

/** Whether a smaller scenario still shows the finding. */
export type Oracle<T> = (candidate: T) => Promise<boolean>;

/** How much shrinking one finding may cost. */
export class Budget {
  private left: number;
  private readonly deadline: number;
  private readonly now: () => number;
  private readonly signal: AbortSignal | undefined;

  /** @param milliseconds time from now; @param now a clock in milliseconds */
  constructor(attempts: number, milliseconds: number, now: () => number, signal?: AbortSignal) {
    this.left = attempts;
    this.now = now;
    this.deadline = now() + milliseconds;
    this.signal = signal;
  }

  get spent(): boolean {
    return this.left <= 0 || this.now() >= this.deadline || this.signal?.aborted === true;
  }

  /** Takes one attempt; false when there is none left. */
  take(): boolean {
    if (this.spent) return false;
    this.left -= 1;
    return true;
  }

  /** A budget of its own: `share` of the attempts and of the time that are left here. */
  part(share: number): Budget {
    const time = (this.deadline - this.now()) * share;
    return new Budget(Math.ceil(this.left * share), time, this.now, this.signal);
  }
}

/** The operations as small as they got so far, and the way to make them smaller. */
export class ShrinkSession {
  private current: readonly Operation[];
  private readonly shows: Oracle<readonly Operation[]>;
  private readonly budget: Budget;
  private readonly tried = new Set<string>();
  private accepted = 0;

  constructor(operations: readonly Operation[], shows: Oracle<readonly Operation[]>, budget: Budget) {
    this.current = operations;
    this.shows = shows;
    this.budget = budget;
    this.tried.add(jsonOf(operations));
  }

  get operations(): readonly Operation[] {
    return this.current;
  }

  /** How many candidates were accepted: grows whenever something got smaller. */
  get steps(): number {
    return this.accepted;
  }

  get spent(): boolean {
    return this.budget.spent;
  }

  /** Tries a candidate, once; it becomes the current one when it shows the same finding. */
  async try(candidate: readonly Operation[]): Promise<boolean> {
    const key = jsonOf(candidate);
    if (this.tried.has(key) || !this.budget.take()) return false;
    this.tried.add(key);
    if (!(await this.shows(candidate))) return false;
    this.current = candidate;
    this.accepted += 1;
    return true;
  }

  /** Tries the current operations with one of them replaced. */
  replace(index: number, operation: Operation): Promise<boolean> {
    return this.try(this.current.map((old, at) => (at === index ? operation : old)));
  }
}
