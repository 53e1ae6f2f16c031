import type { InterruptMessage } from '../../../spec/interface/observations.js';
import { TargetUnavailable } from '../../../spec/interface/target.js';
import { VTD_REGISTERS } from '../../../spec/layout/vtd.js';
import { awaitDma, type Clock, type DmaRequest, startDma } from './edu.js';
import { readHostAddressWidth } from './fwcfg.js';
import { MSI_OFF, programMsi, sendMessage } from './msi.js';
import { configAddress, EDU_IDENTITY, setUpPci } from './pci.js';
import { Pipeline } from './pipeline.js';
import { ARENA, EDU_MSI_CAPABILITY, EDUS, type EduPlace, VTD_REGISTERS_BASE } from './platform.js';
import type { QemuFound } from './probe.js';
import { QemuProcess, type StartOptions } from './process.js';
import { readLine } from './qtest.js';
import type { Ram } from './ram.js';
import { bufferContents, fillRequest, STAGING_BYTES, stagingFrame, TABLES_BASE } from './staging.js';
import { Trouble } from './trouble.js';

/** What the machine's IOMMU says of itself: its capability registers. */
export type Capabilities = Readonly<Record<'VER' | 'CAP' | 'ECAP', bigint>>;

const MSI_CAPABILITY_ID = 0x05n;

/** A message that goes nowhere: its destination is no processor of the machine. */
const TEST_MESSAGE = { address: 0xfee7_e000n, data: 0xfe } as const;

/** A running QEMU whose devices are in place and whose `edu` buffers are loaded. */
export class Machine {
  readonly pipeline: Pipeline;
  readonly ram: Ram;
  readonly clock: Clock;
  /** Whether the invalidation queue was used since the last reset, whatever was restored since. */
  queueUsed = false;
  readonly #process: QemuProcess;
  readonly #timeoutMs: number;
  readonly #contents = EDUS.map((_, requester) => bufferContents(requester));
  #ownResets = 0;
  #showsMessages = false;

  private constructor(process: QemuProcess, options: StartOptions) {
    this.#process = process;
    this.#timeoutMs = options.timeoutMs;
    this.clock = options.qemu.accel;
    this.pipeline = new Pipeline(process.qtest);
    this.ram = process.ram;
  }

  /** @throws TargetUnavailable when QEMU does not come up as the machine that is needed */
  static async start(options: StartOptions): Promise<Machine> {
    const process = await QemuProcess.start(options);
    const machine = new Machine(process, options);
    try {
      await machine.#setUp();
      await machine.fillBuffers([...EDUS.keys()]);
      await machine.#watchMessages();
      return machine;
    } catch (error) {
      await process.stop();
      throw error instanceof Trouble ? notThisMachine(options.qemu, error) : error;
    }
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Whether the machine was reset by something else than {@link reset}, such as a fault of its CPU. */
  get resetItself(): boolean {
    return this.#process.qmp.resets !== this.#ownResets;
  }

  /** Resets the machine and puts its devices back into place; memory and the devices' buffers keep their contents. */
  async reset(): Promise<void> {
    await this.pipeline.flush();
    await this.#process.qmp.reset();
    this.#ownResets = this.#process.qmp.resets;
    this.queueUsed = false;
    await this.#setUp();
  }

  async readCapabilities(): Promise<Capabilities> {
    const values = { VER: 0n, CAP: 0n, ECAP: 0n };
    for (const name of ['VER', 'CAP', 'ECAP'] as const) {
      const { offset, bytes } = VTD_REGISTERS[name];
      this.pipeline.read(readLine(bytes, VTD_REGISTERS_BASE + offset), (value) => {
        values[name] = value;
      });
    }
    await this.pipeline.flush();
    return values;
  }

  /** Width of host-physical addresses as the machine's firmware tables tell it. */
  hostAddressWidth(): Promise<number | undefined> {
    return readHostAddressWidth(this.pipeline, this.ram);
  }

  /** Has requesters execute one request each and awaits their end. */
  async runDma(requests: readonly (readonly [requester: number, request: DmaRequest])[]): Promise<void> {
    for (const [requester, request] of requests) {
      startDma(this.pipeline, EDUS[requester]!, request);
    }
    await this.awaitDma(requests.map(([requester]) => requester));
  }

  /** Sends what waits and awaits the end of these requesters' requests. */
  awaitDma(requesters: readonly number[], owner?: number): Promise<void> {
    const edus = requesters.map((requester) => EDUS[requester]!);
    return awaitDma(this.pipeline, edus, this.clock, this.#timeoutMs, owner);
  }

  /**
   * Sends what waits, then the lines that `add` adds; gives the interrupt messages that these caused, or `undefined`
   * where this QEMU does not show them.
   */
  async messagesDuring(add: () => void): Promise<readonly InterruptMessage[] | undefined> {
    const { messages } = this.#process;
    await this.pipeline.flush();
    messages.skip();
    add();
    await this.pipeline.flush();
    return this.#showsMessages ? messages.take() : undefined;
  }

  /** Adds the lines that disable MSI of these devices, as after a reset. */
  disableMsi(edus: readonly EduPlace[]): void {
    for (const edu of edus) {
      programMsi(this.pipeline, edu, MSI_OFF);
    }
  }

  /** Loads requesters' buffers with tokens and filler, through their staging frames, which they must be able to reach. */
  async fillBuffers(requesters: readonly number[]): Promise<void> {
    for (const requester of requesters) {
      this.ram.write(stagingFrame(requester), this.#contents[requester]!);
    }
    await this.runDma(requesters.map((requester) => [requester, fillRequest(requester)] as const));
  }

  /** The arena holds its paint, other memory is zero again if a device reached it. */
  restoreMemory(arenaPaint: Uint8Array): void {
    if (!this.ram.isSoiled) {
      this.ram.write(ARENA.base, arenaPaint);
      return;
    }
    this.ram.clear();
    this.ram.write(TABLES_BASE, new Uint8Array(STAGING_BYTES));
    this.ram.write(ARENA.base, arenaPaint);
    this.ram.markClean();
  }

  /** Finds out whether messages are shown: not every QEMU is built to print what it traces. */
  async #watchMessages(): Promise<void> {
    this.#showsMessages = await this.#process.messages.enable(this.#process.qmp);
    const { address, data } = TEST_MESSAGE;
    const shown = await this.messagesDuring(() => sendMessage(this.pipeline, EDUS[0]!, TEST_MESSAGE, MSI_OFF));
    const [only, ...others] = shown ?? [];
    this.#showsMessages = only?.address === address && only.data === BigInt(data) && others.length === 0;
  }

  /**
   * A scenario begins: nothing may be in flight.
   * @throws Trouble when QEMU said something that nobody asked for, or more than anybody reads
   */
  checkQuiet(): void {
    this.#process.printed.next();
    this.#process.qtest.checkQuiet();
    this.checkPrinted();
  }

  /** @throws Trouble when QEMU has printed more than anybody reads */
  checkPrinted(): void {
    if (this.#process.printed.floods) {
      throw new Trouble('nonsense', 'QEMU floods its standard error');
    }
  }

  /** Keeps the record of messages small. Nothing may be in flight. */
  forgetMessages(): void {
    this.#process.messages.trim();
  }

  /** Ends QEMU; says how it ended, if it did so by itself. */
  stop(): ReturnType<QemuProcess['stop']> {
    return this.#process.stop();
  }

  /** Places the devices and checks that they are there. */
  async #setUp(): Promise<void> {
    setUpPci(this.pipeline);
    const wrong: string[] = [];
    const expectValue = (address: number, size: 1 | 4, expected: bigint, what: string) => {
      this.pipeline.read(readLine(size, address), (value) => {
        if (value !== expected) {
          wrong.push(`${what} is 0x${value.toString(16)}, not 0x${expected.toString(16)}`);
        }
      });
    };
    for (const { id, routingId } of EDUS) {
      expectValue(configAddress(routingId, 0), 4, EDU_IDENTITY, `identity of ${id}`);
      expectValue(configAddress(routingId, EDU_MSI_CAPABILITY), 1, MSI_CAPABILITY_ID, `capability of ${id}`);
    }
    await this.pipeline.flush();
    if (wrong.length > 0) {
      throw new Trouble('nonsense', wrong[0]!);
    }
  }
}

/** QEMU runs but is not the machine that is needed. */
export function notThisMachine(qemu: QemuFound, { message }: Trouble): TargetUnavailable {
  const hint = 'a QEMU with q35, intel-iommu, pcie-root-port and edu is needed';
  return new TargetUnavailable(`${qemu.path} (QEMU ${qemu.version}) fails at start: ${message}`, hint);
}
