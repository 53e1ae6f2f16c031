import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../../spec/interface/profile.js';
import { CannotWrite, cannotWrite, writeAtomically } from '../formats/index.js';
import { jsonOf } from './json.js';
import type { CaseOrigin, InFlightRecord } from './types.js';

const FILE = /^in-flight(-job\d+)?\.json$/;

/** The file of the campaign itself, or of one of the jobs that run cases for it. */
function nameOf(job: number | undefined): string {
  return job === undefined ? 'in-flight' : `in-flight-job${job}`;
}

/**
 * So many bytes are written as a whole or not at all even by a process that is killed while it writes: a longer write
 * may end between two pages.
 */
const WHOLE = 4096;

/** Keeps the case that an earlier run left in flight when it was killed; gives the path it was moved to, if there was one. */
function setOneAside(out: string, name: string): string | undefined {
  const path = join(out, `${name}.json`);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined || size === 0) return undefined;
  for (let n = 1; ; n += 1) {
    const aside = join(out, `${name}-${n}.json`);
    if (existsSync(aside)) continue;
    renameSync(path, aside);
    return aside;
  }
}

/** Keeps the cases that an earlier run left in flight when it was killed, one of each job; gives the paths they were moved to. */
export function setAside(out: string): readonly string[] {
  const names = existsSync(out) ? readdirSync(out).filter((name) => FILE.test(name)) : [];
  return names.map((name) => setOneAside(out, name.replace(/\.json$/, ''))).filter((aside) => aside !== undefined);
}

/**
 * The case in flight, written to `OUT/in-flight.json` before it runs, so that a harness that is killed loses nothing.
 * A short text is written over the one before it in place, padded with spaces; a long one goes into a file of its own
 * that takes the other's place. So the file is JSON at any time, whenever the process is killed.
 */
export class InFlight {
  readonly path: string;
  private descriptor: number | undefined;
  private readonly head: Pick<InFlightRecord, 'target' | 'profile' | 'implementation'>;
  private bytes = 0;

  /**
   * @param out an existing folder
   * @param job number of the job that runs the cases; each has a file of its own
   */
  constructor(
    out: string,
    target: string,
    { name, implementation }: Pick<Profile, 'name' | 'implementation'>,
    job?: number,
  ) {
    this.path = join(out, `${nameOf(job)}.json`);
    setOneAside(out, nameOf(job));
    this.head = { target, profile: name, implementation };
  }

  /**
   * Says that a case of a property is about to run.
   *
   * @throws CannotWrite with the reason
   */
  origin(origin: CaseOrigin): void {
    const record: InFlightRecord = { format: 'iovcheck-in-flight', version: 1, ...this.head, ...origin };
    this.text(jsonOf(record));
  }

  /**
   * Says it with a text of its own, an encoded case.
   *
   * @throws CannotWrite with the reason
   */
  text(text: string): void {
    const body = Buffer.from(text);
    const { descriptor } = this;
    if (descriptor === undefined || Math.max(body.length, this.bytes) > WHOLE) this.replace(text);
    else this.overwrite(descriptor, body);
  }

  /** Ends it; the file goes with `remove`, when nothing is in flight any more. */
  close(remove: boolean): void {
    if (this.descriptor === undefined) return;
    closeSync(this.descriptor);
    this.descriptor = undefined;
    if (remove) rmSync(this.path, { force: true });
  }

  private overwrite(descriptor: number, body: Buffer): void {
    const padded = body.length < this.bytes ? Buffer.concat([body, Buffer.alloc(this.bytes - body.length, ' ')]) : body;
    try {
      const written = writeSync(descriptor, padded, 0, padded.length, 0);
      if (written < padded.length) throw new CannotWrite(`${this.path}: no space left on the disk`);
    } catch (error) {
      throw error instanceof CannotWrite ? error : cannotWrite(this.path, error);
    }
    this.bytes = padded.length;
  }

  private replace(text: string): void {
    writeAtomically(this.path, text, (temporary) => {
      const descriptor = openSync(temporary, 'w');
      try {
        writeFileSync(descriptor, text);
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
      if (this.descriptor !== undefined) closeSync(this.descriptor);
      this.descriptor = descriptor;
      this.bytes = Buffer.byteLength(text);
    });
  }
}
