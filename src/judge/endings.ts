import type { RequestSuccessor } from '../../spec/interface/model.js';
import type { MemoryLog } from './memory.js';

/** The admitted ends of a request, and in which world they were worked out. */
interface WorkedOut {
  readonly state: unknown;
  readonly memory: MemoryLog;
  readonly at: number;
  readonly successors: readonly RequestSuccessor<unknown>[];
}

/**
 * The ends of requests that were worked out while a history is judged: of the last one, which may be asked for again at
 * once, or of all, where software is judged afterwards by where its requests may have gone.
 */
export class Endings {
  private readonly keepsAll: boolean;
  private readonly byStep = new Map<number, WorkedOut[]>();

  constructor(keepsAll: boolean) {
    this.keepsAll = keepsAll;
  }

  /** What was worked out for the request of step `at` in the same world. */
  find(at: number, state: unknown, memory: MemoryLog): readonly RequestSuccessor<unknown>[] | undefined {
    return this.byStep.get(at)?.find((each) => each.state === state && each.memory === memory)?.successors;
  }

  note(workedOut: WorkedOut): void {
    if (!this.keepsAll) this.byStep.clear();
    const others = this.byStep.get(workedOut.at);
    if (others === undefined) this.byStep.set(workedOut.at, [workedOut]);
    else others.push(workedOut);
  }
}
