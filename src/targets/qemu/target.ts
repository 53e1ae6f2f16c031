import { setImmediate } from 'node:timers/promises';
import type { Operation } from '../../../spec/interface/operations.js';
import type { Profile } from '../../../spec/interface/profile.js';
import type { StartState, TargetFailure } from '../../../spec/interface/scenario.js';
import type { BatchOptions, BatchResult, LateData, Target } from '../../../spec/interface/target.js';
import type { IommuOptions } from './command.js';
import { Executor, type PendingRead } from './executor.js';
import { type Check, IommuControl } from './iommu.js';
import { Machine, notThisMachine } from './machine.js';
import { IOMMU } from './platform.js';
import { probeQemu, type QemuFound } from './probe.js';
import { logFileFor } from './process.js';
import { buildProfile } from './profile.js';
import { showsEarlierQueue } from './queue-use.js';
import { paintedArena } from './ram.js';
import { emptyRequest, QUARANTINE_ROOT, STAGING_ROOT, stagingFrame, stagingTables, TABLES_BASE } from './staging.js';
import { endingMessage, lastOutput, Trouble } from './trouble.js';

/** How the QEMU target is made. */
export interface QemuOptions {
  /** Binary: a path, or a name looked up in PATH. Default "qemu-system-x86_64". */
  readonly qemuPath?: string;
  /** Address width of the IOMMU in bits. Default 48. */
  readonly awBits?: 39 | 48;
  /** Further properties of intel-iommu, as QEMU takes them, for example "caching-mode=on". Default none. */
  readonly properties?: string;
  /** Folder that keeps what QEMU prints; not kept when absent. */
  readonly logFolder?: string;
  /** How long QEMU may be silent before that is a hang, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

/** The QEMU target; a {@link Target} that also tells which process it is. */
export interface QemuTarget extends Target {
  /** Process id of the running QEMU. */
  readonly pid: number | undefined;
}

/**
 * A target that drives QEMU's intel-iommu through its qtest socket; no guest runs. Requesters are `edu` devices.
 * Not observed: how a device saw its request end, and interrupt messages but those of `signal`; what devices read is
 * known at `finish`.
 */
export function createQemuTarget(options: QemuOptions = {}): QemuTarget {
  return new Qemu(options);
}

/** How long the event loop may be kept from turning, in milliseconds. */
const BREATH_MS = 20;

/** A machine with what belongs to it. */
interface Running {
  readonly machine: Machine;
  readonly iommu: IommuControl;
  readonly profile: Profile;
}

class Qemu implements QemuTarget {
  readonly id = 'qemu';
  readonly #options: QemuOptions;
  readonly #arenaPaint = paintedArena();
  readonly #tables = stagingTables();
  #found: QemuFound | undefined;
  #profile: Profile | undefined;
  #running: Running | undefined;
  #executor: Executor | undefined;
  #start: StartState = 'ready';
  #starts = 0;
  #lastBreath = 0;

  constructor(options: QemuOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#running?.machine.pid;
  }

  async describe(): Promise<Profile> {
    return (await this.#started()).profile;
  }

  async begin(start: StartState, options: { readonly cold?: boolean } = {}): Promise<TargetFailure | undefined> {
    await this.#breathe();
    this.#start = start;
    const soiled = this.#executor?.soiled ?? false;
    const programmed = this.#executor?.programmed ?? [];
    const usedQueue = this.#executor?.usedQueue ?? false;
    this.#executor = undefined;
    if (options.cold === true) {
      await this.close();
    }
    const running = await this.#started();
    const { failure } = await this.#guarded(async () => {
      const { machine, profile } = running;
      machine.queueUsed ||= usedQueue;
      machine.pipeline.clear();
      machine.checkQuiet();
      if (start === 'reset' || soiled || machine.resetItself) {
        await machine.reset();
      } else {
        machine.disableMsi(programmed);
      }
      machine.forgetMessages();
      machine.restoreMemory(this.#arenaPaint);
      if (start === 'ready') {
        await this.#makeReady(running, usedQueue);
      }
      this.#executor = new Executor(machine, profile, this.#arenaPaint);
    });
    return failure;
  }

  async run(operations: readonly Operation[], { oneByOne = false }: BatchOptions = {}): Promise<BatchResult> {
    // Only a scenario that is run as a whole can be run again when hopes were wrong.
    const whole = this.#executor?.count === 0;
    const hopes = whole && !oneByOne;
    const unprepared = whole ? await this.#forgetQueue(operations) : undefined;
    if (unprepared !== undefined) {
      return { observations: [], failure: unprepared };
    }
    const executor = this.#executor;
    const result = await this.#perform(operations, oneByOne, hopes);
    if (executor?.disappointed !== true) {
      return result;
    }
    // After a failure the machine is gone, and started again.
    const ended = result.failure === undefined ? (await this.finish()).failure : undefined;
    const failure = ended ?? (await this.begin(this.#start));
    return failure === undefined ? this.#perform(operations, false, false) : { observations: [], failure };
  }

  async #perform(operations: readonly Operation[], oneByOne: boolean, hopes: boolean): Promise<BatchResult> {
    const executor = this.#executor;
    if (executor === undefined) {
      throw new Error('the QEMU target was asked to run operations before it was begun, or after it had failed');
    }
    const first = executor.count;
    const { failure } = await this.#guarded(async () => {
      await executor.run(operations, { oneByOne, hopes });
      this.#running?.machine.checkPrinted();
      if (this.#running?.machine.resetItself === true) {
        throw new Trouble('crash', 'the machine reset itself', executor.count - 1);
      }
    });
    const observed = executor.observedFrom(first);
    if (failure === undefined) {
      return { observations: observed };
    }
    // Writes count as done when they are sent; those behind the operation that failed were not.
    const done = failure.at === undefined ? observed.length : Math.max(0, failure.at - first);
    return { observations: observed.slice(0, done), failure };
  }

  async finish(): Promise<{ readonly late: readonly LateData[]; readonly failure?: TargetFailure }> {
    const running = this.#running;
    const executor = this.#executor;
    if (running === undefined || executor === undefined || executor.reads.length === 0) {
      return { late: [] };
    }
    const { value, failure } = await this.#guarded(() => this.#fetchReads(running, executor));
    return failure === undefined ? { late: value ?? [] } : { late: [], failure };
  }

  async close(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    this.#executor = undefined;
    await running?.machine.stop();
  }

  async #started(): Promise<Running> {
    if (this.#running !== undefined) {
      return this.#running;
    }
    const {
      qemuPath = 'qemu-system-x86_64',
      awBits = 48,
      properties = '',
      timeoutMs = 10_000,
      logFolder,
    } = this.#options;
    this.#found ??= await probeQemu(qemuPath);
    this.#starts += 1;
    const log = logFolder === undefined ? {} : { logFile: logFileFor(logFolder, this.#starts) };
    const iommu = { awBits, properties };
    const machine = await Machine.start({ qemu: this.#found, iommu, timeoutMs, ...log });
    const profile = this.#profile ?? (await profileOf(machine, this.#found, iommu));
    this.#profile = profile;
    this.#running = {
      machine,
      iommu: new IommuControl(machine.pipeline, profile.components[IOMMU]!.registers),
      profile,
    };
    return this.#running;
  }

  /** Begins again with a reset where what the queue did in earlier scenarios would show. */
  async #forgetQueue(operations: readonly Operation[]): Promise<TargetFailure | undefined> {
    const running = this.#running;
    if (running?.machine.queueUsed !== true || !showsEarlierQueue(operations)) {
      return undefined;
    }
    const { failure } = await this.#guarded(async () => {
      await running.machine.reset();
      if (this.#start === 'ready') {
        await this.#makeReady(running);
      }
    });
    return failure;
  }

  /** Translation on, an empty root table, no fault; by a reset when that is not enough otherwise. */
  async #makeReady({ machine, iommu }: Running, usedQueue = false): Promise<void> {
    const attempt = async (): Promise<string | undefined> => {
      machine.ram.write(TABLES_BASE, this.#tables);
      iommu.restoreOthers();
      const checks: Check[] = [iommu.enter(QUARANTINE_ROOT), iommu.clearFaults()];
      if (usedQueue && machine.queueUsed) {
        checks.push(...iommu.restoreQueue());
      }
      await machine.pipeline.flush();
      return checks.map((check) => check()).find((complaint) => complaint !== undefined);
    };
    if ((await attempt()) === undefined) {
      return;
    }
    await machine.reset();
    const complaint = await attempt();
    if (complaint !== undefined) {
      throw new Trouble('nonsense', complaint);
    }
  }

  /** Has the devices that read something write it to memory, and fills their buffers anew. */
  async #fetchReads(running: Running, { reads, soiled }: Executor): Promise<readonly LateData[]> {
    const { machine, iommu } = running;
    const requesters = [...new Set(reads.map(({ requester }) => requester))];
    const emptyBuffers = requesters.map((requester) => [requester, emptyRequest(requester)] as const);
    machine.ram.write(TABLES_BASE, this.#tables);
    const check = soiled ? () => 'the state of the machine is unknown' : iommu.enter(STAGING_ROOT);
    if (soiled) {
      await machine.reset();
    }
    await machine.runDma(emptyBuffers);
    if (!soiled && check() !== undefined) {
      await machine.reset();
      await machine.runDma(emptyBuffers);
    }
    const late = reads.filter((read) => !isOverwritten(read, reads)).map((read) => lateData(machine, read));
    await machine.fillBuffers(requesters);
    return late;
  }

  /** Exchanges with QEMU mostly end without a turn of the event loop; timers and signals get theirs here. */
  async #breathe(): Promise<void> {
    if (performance.now() - this.#lastBreath > BREATH_MS) {
      await setImmediate();
      this.#lastBreath = performance.now();
    }
  }

  /** Turns trouble into a failure and ends the machine, which the next `begin` starts again. */
  async #guarded<T>(work: () => Promise<T>): Promise<{ readonly value?: T; readonly failure?: TargetFailure }> {
    try {
      return { value: await work() };
    } catch (error) {
      if (!(error instanceof Trouble)) {
        throw error;
      }
      return { failure: await this.#fail(error) };
    }
  }

  async #fail({ kind, message, at }: Trouble): Promise<TargetFailure> {
    const running = this.#running;
    this.#running = undefined;
    this.#executor = undefined;
    const ending = await running?.machine.stop();
    const ended = kind === 'crash' && ending !== undefined && message === 'QEMU ended';
    const output = lastOutput(ending?.stderr ?? '');
    return {
      kind,
      message: ended ? endingMessage(ending) : message,
      ...(at === undefined ? {} : { at }),
      ...(output === undefined ? {} : { output }),
    };
  }
}

async function profileOf(machine: Machine, qemu: QemuFound, iommu: IommuOptions): Promise<Profile> {
  try {
    return await buildProfile(machine, qemu, iommu);
  } catch (error) {
    await machine.stop();
    throw error instanceof Trouble ? notThisMachine(qemu, error) : error;
  }
}

/** Full-length reads into the last two slots share a byte; what the earlier of them received is not known then. */
function isOverwritten(read: PendingRead, reads: readonly PendingRead[]): boolean {
  return reads.some(
    (other) =>
      other.at > read.at &&
      other.requester === read.requester &&
      other.offset < read.offset + read.bytes &&
      read.offset < other.offset + other.bytes,
  );
}

function lateData(machine: Machine, { at, requester, offset, bytes }: PendingRead): LateData {
  return { at, data: machine.ram.read(stagingFrame(requester) + offset, bytes) };
}
