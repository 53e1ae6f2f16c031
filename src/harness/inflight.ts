import { closeSync, existsSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { jsonOf } from './json.js';
import type { CaseOrigin } from './origin.js';

/** The file of the campaign itself, or of one of the jobs that run cases for it. */
function nameOf(job: number | undefined): string {
  return job === undefined ? 'in-flight' : `in-flight-job${job}`;
}

/** What `in-flight.json` holds while a case of a property runs; while shrinking it holds the candidate, as a case file. */
export interface InFlightRecord extends CaseOrigin {
  readonly format: 'iovcheck-in-flight';
  readonly version: 1;
  /** Id of the target and name of its profile: with the property's code they make the case again. */
  readonly target: string;
  readonly profile: string;
}

/** Keeps what an earlier run left behind when it was killed. */
function setAside(path: string, out: string, name: string): string | undefined {
  if (!existsSync(path)) return undefined;
  for (let n = 1; ; n += 1) {
    const aside = join(out, `${name}-${n}.json`);
    if (existsSync(aside)) continue;
    renameSync(path, aside);
    return aside;
  }
}

/**
 * The case in flight, written to `OUT/in-flight.json` before it runs, so that a harness that is killed loses nothing.
 * One descriptor is kept and overwritten in place; a shorter text is padded with spaces, so the file is JSON at any time.
 */
export class InFlight {
  readonly path: string;
  /** Where the file of an earlier, killed run was moved to. */
  readonly left: string | undefined;
  private readonly descriptor: number;
  private readonly head: { readonly target: string; readonly profile: string };
  private bytes = 0;

  /**
   * @param out an existing folder
   * @param job number of the job that runs the cases; each has a file of its own
   */
  constructor(out: string, target: string, profile: string, job?: number) {
    const name = nameOf(job);
    this.path = join(out, `${name}.json`);
    this.left = setAside(this.path, out, name);
    this.head = { target, profile };
    this.descriptor = openSync(this.path, 'w');
  }

  /** Says that a case of a property is about to run. */
  origin(origin: CaseOrigin): void {
    const record: InFlightRecord = { format: 'iovcheck-in-flight', version: 1, ...this.head, ...origin };
    this.text(jsonOf(record));
  }

  /** Says it with a text of its own, an encoded case. */
  text(text: string): void {
    const body = Buffer.from(text);
    const padded = body.length < this.bytes ? Buffer.concat([body, Buffer.alloc(this.bytes - body.length, ' ')]) : body;
    writeSync(this.descriptor, padded, 0, padded.length, 0);
    this.bytes = padded.length;
  }

  /** Ends it; the file goes with `remove`, when nothing is in flight any more. */
  close(remove: boolean): void {
    closeSync(this.descriptor);
    if (remove) rmSync(this.path, { force: true });
  }
}
