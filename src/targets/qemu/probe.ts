import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { TargetUnavailable } from '../../../spec/interface/target.js';
import type { Clock } from './edu.js';

/** A QEMU that can be used. */
export interface QemuFound {
  /** Absolute path. */
  readonly path: string;
  /** For example "7.2.22". */
  readonly version: string;
  /** How it is made to run without a guest: `qtest` where the build has it, else `tcg` with a halted CPU. */
  readonly accel: Clock;
}

/** Oldest major version whose qtest and IOMMU are known to do. */
const OLDEST_MAJOR = 6;

const PROBE_TIMEOUT_MS = 20_000;

/** What to do when no QEMU is there. */
export const INSTALL_HINT = 'install it (Debian, Ubuntu: apt-get install qemu-system-x86) or name a binary with --qemu';

const OTHER_BINARY_HINT = 'name a qemu-system-x86_64 binary with --qemu';

/**
 * Finds a QEMU binary and says what it is.
 *
 * @param path a path, or a name that is looked up in PATH
 * @throws TargetUnavailable when it is missing, not executable, not QEMU, too old, or has no usable accelerator
 */
export async function probeQemu(path: string): Promise<QemuFound> {
  const found = findExecutable(path);
  const versionText = await output(found, ['--version']);
  const version = /QEMU emulator version (\d+)\.(\d+)\.(\d+)/.exec(versionText);
  if (version === null) {
    throw new TargetUnavailable(`${found} is not a QEMU system emulator`, OTHER_BINARY_HINT);
  }
  const [major, minor, micro] = version.slice(1).map(Number);
  if (major! < OLDEST_MAJOR) {
    const message = `${found} is QEMU ${major}.${minor}.${micro}; version ${OLDEST_MAJOR}.0 or newer is needed`;
    throw new TargetUnavailable(message, INSTALL_HINT);
  }
  const accelerators = (await output(found, ['-accel', 'help'])).split('\n').map((line) => line.trim());
  const accel = (['qtest', 'tcg'] as const).find((name) => accelerators.includes(name));
  if (accel === undefined) {
    throw new TargetUnavailable(`${found} has neither of the accelerators qtest and tcg`, OTHER_BINARY_HINT);
  }
  return { path: found, version: `${major}.${minor}.${micro}`, accel };
}

function findExecutable(path: string): string {
  const candidates = path.includes('/')
    ? [resolve(path)]
    : (process.env['PATH'] ?? '').split(delimiter).map((folder) => resolve(join(folder, path)));
  const files = candidates.filter((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true);
  if (files.length === 0) {
    const where = path.includes('/') ? 'there is no such file' : 'it is not in PATH';
    throw new TargetUnavailable(`QEMU "${path}" was not found: ${where}`, INSTALL_HINT);
  }
  const executable = files.find(isExecutable);
  if (executable === undefined) {
    throw new TargetUnavailable(`${files[0]} is not executable`, OTHER_BINARY_HINT);
  }
  return executable;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What a program prints, whatever it returns; empty when it cannot be run. */
function output(path: string, args: readonly string[]): Promise<string> {
  return new Promise((done) => {
    execFile(path, args, { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' }, (_error, stdout) => done(stdout));
  });
}
