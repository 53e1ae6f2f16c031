import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import type { InterruptMessage } from '../../../spec/interface/observations.js';
import type { QmpClient } from './qmp.js';
import { Trouble } from './trouble.js';

/** What QEMU traces: messages of devices as they leave the IOMMU, and the IOMMU's own. */
const EVENTS = ['vtd_ir_remap_msi', 'vtd_irq_generate'] as const;

/** How the two are printed. Of a device's message, what comes behind the arrow is what remapping made of it. */
const MESSAGE =
  /\bvtd_ir_remap_msi \(.*\) -> \(addr 0x([0-9a-f]+), data 0x([0-9a-f]+)\)$|\bvtd_irq_generate addr 0x([0-9a-f]+) data 0x([0-9a-f]+)$/;

/** The file is emptied when it has grown by so much. */
const LARGE = 0x10_0000;

/**
 * The file that QEMU writes its trace to: interrupt messages, a line each, there before the reply to what caused them.
 */
export class MessageLog {
  readonly #file: number;
  /** Offset of the first byte not read yet. */
  #next = 0;
  /** Offset below which the file holds nothing any more. */
  #emptied = 0;

  /** @param path file to create, before QEMU opens it */
  constructor(path: string) {
    this.#file = openSync(path, 'wx+', 0o600);
  }

  /** Begins tracing; whether this QEMU knows the events. That it prints them is another matter. */
  async enable(qmp: QmpClient): Promise<boolean> {
    for (const name of EVENTS) {
      if (!(await qmp.tries('trace-event-set-state', { name, enable: true }))) {
        return false;
      }
    }
    return true;
  }

  /** Passes over what came so far. */
  skip(): void {
    const size = this.#size();
    this.#next = Math.max(this.#next, size);
  }

  /**
   * Messages since {@link skip} or the last call.
   * @throws Trouble when there are more than one operation can cause
   */
  take(): readonly InterruptMessage[] {
    const size = this.#size();
    if (size - this.#next > LARGE) {
      throw new Trouble('nonsense', 'QEMU traces without end');
    }
    const text = Buffer.alloc(Math.max(0, size - this.#next));
    const count = readSync(this.#file, text, 0, text.length, this.#next);
    this.#next += count;
    return text
      .toString('latin1', 0, count)
      .split('\n')
      .flatMap((line) => messageIn(line) ?? []);
  }

  /** Gives memory back where the file has become large. Nothing may be in flight. */
  trim(): void {
    const size = this.#size();
    if (size - this.#emptied > LARGE) {
      this.#next = size;
      this.#emptied = size;
      ftruncateSync(this.#file, 0);
    }
  }

  close(): void {
    closeSync(this.#file);
  }

  /**
   * QEMU mostly writes on at its own offset, and then an emptied file has a hole before what comes next. Where it
   * appends, the next line is at the file's start again.
   */
  #size(): number {
    const { size } = fstatSync(this.#file);
    if (size > 0 && size < this.#next) {
      this.#next = 0;
      this.#emptied = 0;
    }
    return size;
  }
}

function messageIn(line: string): InterruptMessage | undefined {
  const found = MESSAGE.exec(line);
  if (found === null) {
    return undefined;
  }
  const [, remapped, remappedData, own, ownData] = found;
  return { address: BigInt(`0x${remapped ?? own}`), data: BigInt(`0x${remappedData ?? ownData}`) };
}
