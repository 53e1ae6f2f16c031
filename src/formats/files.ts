import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BadInput } from './bad-input.js';

/** A file or folder that cannot be written: no space, no permission, not a folder. One line. */
export class CannotWrite extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CannotWrite';
  }
}

/**
 * Reads a text file.
 *
 * @param shown the file's name in messages
 * @throws BadInput naming the file and what is wrong with it
 */
export function readText(file: string, shown: string = file): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadInput(`${shown}: ${explain(error, 'cannot be read')}`);
  }
}

/**
 * Writes a text file as a whole or not at all: into a temporary file beside it, which is then renamed.
 *
 * @param write how the temporary file is written
 * @throws CannotWrite with the reason
 */
export function writeAtomically(file: string, text: string, write: typeof writeThrough = writeThrough): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    makeFolder(dirname(file));
    write(temporary, text);
    renameSync(temporary, file);
  } catch (error) {
    removeIfThere(temporary);
    throw cannotWrite(file, error);
  }
}

/** Makes a folder and those above it. Node's own way never ends below a folder like /proc, where none can be made. */
export function makeFolder(folder: string): void {
  const isThere = (): boolean => statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isThere()) return;
  const above = dirname(folder);
  if (above !== folder) makeFolder(above);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!isThere()) throw error;
  }
}

/** The error for a file or folder that cannot be written, from the operating system's. */
export function cannotWrite(file: string, error: unknown): CannotWrite {
  return new CannotWrite(`${file}: ${explain(error, 'cannot be written')}`);
}

function writeThrough(file: string, text: string): void {
  writeFileSync(file, text, { flush: true });
}

/** Best effort: the reason why the write failed is the one to report. */
function removeIfThere(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its folder is no folder, or may not be written: then there is nothing to remove.
  }
}

function explain(error: unknown, otherwise: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reasons: Record<string, string> = {
    ENOENT: 'no such file',
    EISDIR: 'expected a file, got a folder',
    ENOTDIR: 'a part of the path is not a folder',
    EEXIST: 'a part of the path is not a folder',
    EACCES: 'no permission',
    EPERM: 'no permission',
    EROFS: 'the file system is read-only',
    ENOSPC: 'no space left on the disk',
    EDQUOT: 'the disk quota is used up',
    EFBIG: 'the file is larger than allowed',
    EIO: 'the device fails',
    EMFILE: 'too many open files',
    ENAMETOOLONG: 'the name is too long',
  };
  return reasons[code] ?? `${otherwise}${code === '' ? '' : ` (${code})`}`;
}

/**
 * Makes a folder if need be and checks that files can be written into it.
 *
 * @throws CannotWrite with the reason
 */
export function ensureWritable(folder: string): void {
  const probe = join(folder, `.writable.${process.pid}.tmp`);
  try {
    makeFolder(folder);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    removeIfThere(probe);
    throw cannotWrite(folder, error);
  }
}

/** Holds the number of the process that writes a run into the folder. */
const CLAIM = '.running';

/**
 * Takes a folder for the run of this process; one that a killed process had taken is free.
 *
 * @returns gives it back
 * @throws CannotWrite when the run of another process has it
 */
export function claimFolder(folder: string): () => void {
  const file = join(folder, CLAIM);
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => removeIfThere(file);
    } catch (error) {
      if (!existsSync(file)) throw cannotWrite(file, error);
    }
    const holder = Number(readText(file));
    if (holder > 0 && isAnother(holder)) {
      throw new CannotWrite(
        `${folder}: the run of process ${holder} writes there; choose another --out, or wait for it`,
      );
    }
    rmSync(file, { force: true });
  }
}

/** Names of temporary files, with the process that wrote them. */
const LEFTOVER = /\.(?:json|md|writable)\.(\d+)\.tmp$/;

/** Removes the temporary files that killed processes left in a folder; those of other living processes stay. */
export function removeLeftovers(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const writer = entry.isFile() ? LEFTOVER.exec(entry.name)?.[1] : undefined;
    if (writer !== undefined && !isAnother(Number(writer))) removeIfThere(join(folder, entry.name));
  }
}

/** Whether a process is alive and not this one. */
function isAnother(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** The message for an error of the operating system about a file, such as a full disk; `undefined` for any other error. */
export function fileTrouble(error: unknown): string | undefined {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error && 'path' in error)) {
    const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
    return full ? explain(error, '') : undefined;
  }
  return `${String(error.path)}: ${explain(error, error.message)}`;
}
