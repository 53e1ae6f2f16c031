import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { TargetUnavailable } from '../../../spec/interface/target.js';
import { FILES, haltingFirmware, type IommuOptions, qemuArguments } from './command.js';
import { MessageLog } from './messages.js';
import { RAM_BYTES } from './platform.js';
import { Printed } from './printed.js';
import type { QemuFound } from './probe.js';
import { QmpClient } from './qmp.js';
import { pipeNames, QtestClient } from './qtest.js';
import { Ram } from './ram.js';
import { type Ending, endingMessage } from './trouble.js';

/**
 * Runs QEMU and outlives this process by a moment: standard input is a pipe from here, and when it closes, for
 * whatever reason, QEMU is killed and the folder removed. In the end everything that it may have started goes with this
 * shell, whose process group it is. Arguments: folder, command. QEMU's standard error goes to descriptor 4.
 */
const WATCHDOG = `
trap '' HUP INT TERM PIPE
ulimit -c 0
exec 3<&0
folder=$1
shift
"$@" </dev/null >/dev/null 2>&4 3<&- 4>&- &
pid=$!
exec 4>&-
echo "pid $pid"
( while read -r _; do :; done; [ -e "$folder/ended" ] || kill -KILL "$pid" ) <&3 >/dev/null &
reader=$!
wait "$pid"
status=$?
: >"$folder/ended"
echo "exit $status"
wait "$reader"
rm -rf "$folder"
kill -KILL 0
`;

/** Part of every POSIX system; Node itself cannot make named pipes. */
const MAKE_PIPES = 'mkfifo';

const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

/** A QEMU to be started. */
export interface StartOptions {
  readonly qemu: QemuFound;
  readonly iommu: IommuOptions;
  /** How long QEMU may be silent. */
  readonly timeoutMs: number;
  /** Where standard error is kept; in the private folder, and gone with it, when absent. */
  readonly logFile?: string;
}

/** A running QEMU with its sockets and memory. */
export class QemuProcess {
  readonly qtest: QtestClient;
  readonly qmp: QmpClient;
  readonly ram: Ram;
  readonly messages: MessageLog;
  readonly #watchdog: Watchdog;

  private constructor(watchdog: Watchdog, ram: Ram, messages: MessageLog, qtest: QtestClient, qmp: QmpClient) {
    this.#watchdog = watchdog;
    this.ram = ram;
    this.messages = messages;
    this.qtest = qtest;
    this.qmp = qmp;
  }

  /** @throws TargetUnavailable when QEMU does not come up */
  static async start(options: StartOptions): Promise<QemuProcess> {
    const folder = mkdtempSync(join(folderForMemory(), 'iovcheck-qemu-'));
    const ram = new Ram(join(folder, FILES.ram));
    const messages = new MessageLog(join(folder, FILES.trace));
    writeFileSync(join(folder, FILES.firmware), haltingFirmware());
    const pipes = pipeNames(join(folder, FILES.qtest));
    execFileSync(MAKE_PIPES, ['-m', '600', pipes.toQemu, pipes.fromQemu], { stdio: 'ignore' });
    const server = await listen(join(folder, FILES.qmp));
    const qtest = new QtestClient(join(folder, FILES.qtest), options.timeoutMs);
    const watchdog = new Watchdog(options, folder);
    try {
      const socket = await watchdog.unlessEnded(connection(server), START_TIMEOUT_MS);
      const qmp = new QmpClient(socket, options.timeoutMs);
      // QEMU answers here only once everything else is open.
      await qmp.open();
      return new QemuProcess(watchdog, ram, messages, qtest, qmp);
    } catch (error) {
      ram.close();
      messages.close();
      qtest.close();
      const ending = await watchdog.stop();
      throw unavailable(options.qemu, ending, error);
    } finally {
      server.close();
    }
  }

  /** Process id of QEMU itself. */
  get pid(): number | undefined {
    return this.#watchdog.pid;
  }

  /** What it prints to standard error. */
  get printed(): Printed {
    return this.#watchdog.printed;
  }

  /** Ends QEMU if it still runs and removes its folder. Says how it ended, if it did so by itself. */
  async stop(): Promise<Ending> {
    const ending = await this.#watchdog.stop();
    this.qtest.close();
    this.qmp.close();
    this.ram.close();
    this.messages.close();
    return ending;
  }
}

/** The shell that stands between this process and QEMU. */
class Watchdog {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly printed: Printed;
  readonly #logFile: string | undefined;
  readonly #exited: Promise<void>;
  readonly #ended: Promise<void>;
  #text = '';

  constructor({ qemu, iommu, logFile }: StartOptions, folder: string) {
    this.#folder = folder;
    this.#logFile = logFile;
    const command = [qemu.path, ...qemuArguments(qemu, iommu, folder)];
    // A session of its own: an interrupt typed at the terminal is for the harness, not for QEMU.
    this.#child = spawn('/bin/sh', ['-c', WATCHDOG, 'iovcheck-qemu', folder, ...command], {
      stdio: ['pipe', 'pipe', 'ignore', 'ignore', 'pipe'],
      detached: true,
    });
    const errors = this.#child.stdio[4];
    this.printed = new Printed(errors instanceof Readable ? errors : undefined);
    this.#exited = new Promise((resolve) => this.#child.once('close', () => resolve()));
    this.#child.on('error', () => {});
    this.#child.stdin?.on('error', () => {});
    this.#ended = new Promise((resolve) => {
      this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        this.#text += chunk;
        if (/^exit \d+$/m.test(this.#text)) {
          resolve();
        }
      });
      this.#child.once('close', () => resolve());
    });
  }

  get pid(): number | undefined {
    return this.#number('pid');
  }

  /** Awaits something unless QEMU ends first or time runs out. */
  async unlessEnded<T>(wanted: Promise<T>, timeoutMs: number): Promise<T> {
    const ended = this.#ended.then(() => {
      throw new Error('it ended at once');
    });
    const timeout = timer(timeoutMs);
    const late = timeout.done.then(() => {
      throw new Error(`it did not connect within ${timeoutMs / 1000} s`);
    });
    try {
      return await Promise.race([wanted, ended, late]);
    } finally {
      timeout.cancel();
    }
  }

  async stop(): Promise<Ending> {
    this.#child.stdin?.end();
    const timeout = timer(STOP_TIMEOUT_MS);
    await Promise.race([this.#exited, timeout.done]);
    timeout.cancel();
    const status = this.#number('exit');
    if (status === undefined) {
      this.#killByHand();
    }
    const stderr = this.printed.text;
    if (this.#logFile !== undefined) {
      writeFileSync(this.#logFile, stderr);
    }
    return { status, stderr };
  }

  #number(name: 'pid' | 'exit'): number | undefined {
    const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(this.#text);
    return found === null ? undefined : Number(found[1]);
  }

  /** Only when the watchdog itself was killed. */
  #killByHand(): void {
    try {
      if (this.#child.pid !== undefined) {
        process.kill(-this.#child.pid, 'SIGKILL');
      }
    } catch {
      // It is gone already.
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Memory files belong into memory where there is room; containers often have a small /dev/shm. */
function folderForMemory(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > RAM_BYTES + 0x400_0000) {
      return '/dev/shm';
    }
  } catch {
    // Not Linux, or no shared memory mounted.
  }
  return tmpdir();
}

/** Prepares the folder for logs and names the file for the n-th start. */
export function logFileFor(folder: string, start: number): string {
  mkdirSync(folder, { recursive: true });
  return join(folder, `qemu-${process.pid}-${start}.stderr`);
}

function unavailable(qemu: QemuFound, ending: Ending, error: unknown): TargetUnavailable {
  const why = error instanceof Error ? error.message : String(error);
  const how = ending.status === undefined || ending.status === 137 ? why : endingMessage(ending);
  const hint = 'run it by hand with "-machine q35 -device intel-iommu -device edu" to see what it lacks';
  return new TargetUnavailable(`${qemu.path} (QEMU ${qemu.version}) dies at start: ${how}`, hint);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

function connection(server: Server): Promise<Socket> {
  return new Promise((resolve) => server.once('connection', resolve));
}

function timer(ms: number): { readonly done: Promise<void>; cancel(): void } {
  let handle: NodeJS.Timeout | undefined;
  const done = new Promise<void>((resolve) => {
    handle = setTimeout(resolve, ms);
  });
  return { done, cancel: () => clearTimeout(handle) };
}
