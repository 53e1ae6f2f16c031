import { setImmediate } from 'node:timers/promises';

/** Longest time between two chances for timers and signals, in milliseconds. */
const BREATH = 40;

/** Share of a time budget that is kept back for shrinking, at most, and share that sweeps may take. */
const SHRINK_SHARE = 0.3;
const SWEEP_SHARE = 0.5;

/** A campaign's time. All times in milliseconds since it began. */
export class Pace {
  private readonly begun: number;
  private readonly now: () => number;
  private readonly budget: number;
  private readonly signal: AbortSignal | undefined;
  private lastBreath: number;

  /** @param seconds the budget; none when `undefined` */
  constructor(seconds: number | undefined, now: () => number, signal: AbortSignal | undefined) {
    this.now = now;
    this.begun = now();
    this.lastBreath = this.begun;
    this.budget = seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000;
    this.signal = signal;
  }

  get elapsed(): number {
    return this.now() - this.begun;
  }

  get interrupted(): boolean {
    return this.signal?.aborted === true;
  }

  /** What is left of the budget; infinite without one. */
  get left(): number {
    return Math.max(0, this.budget - this.elapsed);
  }

  /** Share of the budget used, 0 to 1; 0 without a budget. */
  get share(): number {
    return Math.min(1, this.elapsed / this.budget);
  }

  /** Whether collecting is over: interrupted, or what is left is needed to shrink what was found. */
  collected(findings: number, shrinkSeconds: number): boolean {
    if (this.interrupted) return true;
    if (this.budget === Number.POSITIVE_INFINITY) return false;
    return this.left <= Math.min(this.budget * SHRINK_SHARE, findings * shrinkSeconds * 1000);
  }

  get sweepsOver(): boolean {
    return this.elapsed >= this.budget * SWEEP_SHARE;
  }

  /** Lets timers and signals have their turn now and then: an in-process target never waits for anything. */
  async breathe(): Promise<void> {
    const now = this.now();
    if (now - this.lastBreath < BREATH) return;
    await setImmediate();
    this.lastBreath = now;
  }
}
