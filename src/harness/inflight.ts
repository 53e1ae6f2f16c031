import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../../spec/interface/profile.js';
import { CannotWrite, cannotWrite, writeAtomically } from '../formats/index.js';
import { jsonOf } from './json.js';
import type { CaseOrigin, InFlightRecord } from './types.js';

const NAME = 'in-flight.json';

/**
 * So many bytes are written as a whole or not at all even by a process that is killed while it writes: a longer write
 * may end between two pages.
 */
const WHOLE = 4096;

/** Keeps the case that an earlier run left in flight when it was killed; gives the path it was moved to, if there was one. */
export function setAside(out: string): string | undefined {
  const path = join(out, NAME);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined || size === 0) return undefined;
  for (let n = 1; ; n += 1) {
    const aside = join(out, `in-flight-${n}.json`);
    if (existsSync(aside)) continue;
    renameSync(path, aside);
    return aside;
  }
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

  /** @param out an existing folder */
  constructor(out: string, target: string, { name, implementation }: Pick<Profile, 'name' | 'implementation'>) {
    this.path = join(out, NAME);
    setAside(out);
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
