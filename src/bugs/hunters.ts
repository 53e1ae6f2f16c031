import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Defect } from './defect.js';
import type { HuntMessage, HuntRequest, Outcome, Shrunk } from './outcome.js';

/** Milliseconds without a word after which a process is taken to hang, besides its shrinking: judging one case can take long. */
const SILENCE = 300_000;

/** What a run over several defects is asked for. */
export interface HuntersOptions {
  /** Folder of the repository, which is built. */
  readonly root: string;
  readonly defects: readonly Defect[];
  readonly seeds: readonly number[];
  /** Most cases of each seed. */
  readonly cases: number;
  /** Seconds of shrinking for each defect; 0 for none. */
  readonly shrinkSeconds: number;
  /** Processes at the same time. */
  readonly jobs: number;
  /** Aborted: processes are ended, and what was done is returned. */
  readonly signal?: AbortSignal;
  readonly onMessage?: (defect: Defect, message: HuntMessage) => void;
  readonly onDone?: (result: DefectResult) => void;
}

/** What became of one defect. */
export interface DefectResult {
  readonly defect: Defect;
  readonly outcomes: readonly Outcome[];
  readonly shrunk?: Shrunk;
}

/** A seed that could not be run to its end. */
function troubled(defect: Defect, seed: number, trouble: string): Outcome {
  const shape = defect.shapes[seed % defect.shapes.length]!;
  return { defect: defect.id, seed, shape, cases: 0, seconds: 0, aside: 0, trouble };
}

/** Ends a process that has hung, and says so. */
class Watch {
  hung = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly milliseconds: number,
  ) {
    this.heard();
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.hung = true;
      this.child.kill('SIGKILL');
    }, this.milliseconds);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

/** Runs all seeds on one defect, in a process of their own. */
function huntersOf(defect: Defect, options: HuntersOptions): Promise<DefectResult> {
  const { root, seeds, cases, shrinkSeconds, signal } = options;
  const child = fork(join(root, 'dist/src/bugs/hunter.js'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const watch = new Watch(child, SILENCE + shrinkSeconds * 1000);
  const outcomes: Outcome[] = [];
  let shrunk: Shrunk | undefined;
  let trouble: string | undefined;
  const abort = (): void => {
    child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', abort, { once: true });
  child.on('message', (message: HuntMessage) => {
    watch.heard();
    if (message.kind === 'outcome') outcomes.push(message.outcome);
    if (message.kind === 'shrunk') shrunk = message.shrunk;
    if (message.kind === 'failed') trouble = message.message;
    options.onMessage?.(defect, message);
  });
  const request: HuntRequest = { root, defect, seeds, cases, shrinkSeconds };
  child.send(request);
  return new Promise((done) => {
    child.on('error', (error) => {
      trouble ??= error.message;
    });
    child.on('close', (code, killedBy) => {
      watch.end();
      signal?.removeEventListener('abort', abort);
      const why = watch.hung ? `no word for ${SILENCE / 1000} seconds` : `ended with ${killedBy ?? `code ${code}`}`;
      const missing = signal?.aborted === true ? [] : seeds.slice(outcomes.length);
      const all = [...outcomes, ...missing.map((seed) => troubled(defect, seed, trouble ?? why))];
      done({ defect, outcomes: all, ...(shrunk === undefined ? {} : { shrunk }) });
    });
  });
}

/** Runs all seeds on each defect, one process a defect, so many at a time; the results in the order of the defects. */
export async function runHunters(options: HuntersOptions): Promise<readonly DefectResult[]> {
  const results = new Map<Defect, DefectResult>();
  const waiting = [...options.defects];
  const worker = async (): Promise<void> => {
    for (let defect = waiting.shift(); defect !== undefined; defect = waiting.shift()) {
      if (options.signal?.aborted === true) return;
      const result = await huntersOf(defect, options);
      results.set(defect, result);
      options.onDone?.(result);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, worker));
  return options.defects.map((defect) => results.get(defect)).filter((result) => result !== undefined);
}
