import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Tinypool } from 'tinypool';
import { TargetUnavailable } from '../../../spec/interface/target.js';
import { CannotWrite } from '../../formats/index.js';
import type { Batch, CaseOrigin, CaseRunner, LostCase } from '../../harness/index.js';
import type { TargetOptions } from '../world.js';
import type { Hindrance, JobData, JobOutcome, JobTask } from './task.js';

/** Cases that a thread gets at a time. */
const BATCH = 16;

/** Batches under way for each thread: one more than it works at, so that it never waits for the next. */
const AHEAD = 2;

/** Cases lost one after the other until it is clear that none will ever run. */
const MOST_LOST = 20;

/**
 * The built file of a thread, in the package's folder: sources cannot be loaded by a thread.
 *
 * @throws Error when the package is not built
 */
export function workerFile(root: string): string {
  const file = join(root, 'dist', 'src', 'cli', 'jobs', 'worker.js');
  if (!existsSync(file)) throw new Error(`${file} is missing: more than one job needs the built package`);
  return file;
}

/** Threads that run cases, each with a target of its own. One that ends is replaced, and the others go on. */
export class JobPool {
  private readonly pool: Tinypool;
  private readonly jobs: number;
  private lostInRow = 0;

  /** @param file what a thread loads: a module that exports `run` and `close` */
  constructor(file: string, jobs: number, data: JobData) {
    this.jobs = jobs;
    this.pool = new Tinypool({
      filename: pathToFileURL(file).href,
      name: 'run',
      teardown: 'close',
      minThreads: jobs,
      maxThreads: jobs,
      // A thread that waits must still hear of its target.
      useAtomics: false,
      workerData: data,
    });
    // One that ends while it has nothing to do is replaced; what it is asked next goes to another.
    this.pool.on('error', () => {});
  }

  /** Runs the cases of one variant. */
  runner(variant: number, options: TargetOptions): CaseRunner {
    return {
      batch: BATCH,
      width: this.jobs * AHEAD,
      run: (origins) => this.run({ variant, options, origins }),
    };
  }

  /** Ends all threads and their targets. */
  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private async run(task: JobTask): Promise<Batch> {
    try {
      return await this.attempt(task);
    } catch (error) {
      if (isHindrance(error)) throw error;
      return this.oneByOne(task);
    }
  }

  private async attempt(task: JobTask): Promise<Batch> {
    const outcome: JobOutcome = await this.pool.run(task);
    if ('hindrance' in outcome) throw errorOf(outcome);
    this.lostInRow = 0;
    return outcome;
  }

  /** After a thread ended in a batch: finds the case at which it did, and what the others come to. */
  private async oneByOne(task: JobTask): Promise<Batch> {
    const batches: Batch[] = [];
    for (const origin of task.origins) {
      try {
        batches.push(await this.attempt({ ...task, origins: [origin] }));
      } catch (error) {
        if (isHindrance(error)) throw error;
        batches.push({ records: [this.lost(origin, error)], milliseconds: 0 });
      }
    }
    return {
      records: batches.flatMap(({ records }) => records),
      milliseconds: batches.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    };
  }

  /** @throws what the thread ended with, when no case has run for long */
  private lost(origin: CaseOrigin, error: unknown): LostCase {
    this.lostInRow += 1;
    if (this.lostInRow > MOST_LOST) throw error;
    return { origin, lost: error instanceof Error ? error.message : String(error) };
  }
}

function errorOf({ hindrance, message, hint }: Hindrance): Error {
  return hindrance === 'cannot write' ? new CannotWrite(message) : new TargetUnavailable(message, hint);
}

function isHindrance(error: unknown): boolean {
  return error instanceof CannotWrite || error instanceof TargetUnavailable;
}
