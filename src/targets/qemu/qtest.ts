import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Trouble } from './trouble.js';

/** An exchange that did not end; holds the replies that came before. */
export class ExchangeFailed extends Trouble {
  readonly replies: readonly string[];
  constructor(kind: Trouble['kind'], message: string, replies: readonly string[]) {
    super(kind, message);
    this.replies = replies;
  }
}

/** Names of the two pipes, from the name given to QEMU. */
export function pipeNames(path: string): { readonly toQemu: string; readonly fromQemu: string } {
  return { toQemu: `${path}.in`, fromQemu: `${path}.out` };
}

/**
 * How replies are awaited: look again at once so many times, then after short naps that hold up this process, then
 * with timers. Replies mostly come within 20 microseconds; a turn of the event loop takes five times as long.
 */
const LOOKS = 6;
const NAPS = 40;
const NAP_MS = 0.05;

const CHUNK = 0x1_0000;

/** Characters that a reply may have. */
const LONGEST = 0x1000;

/**
 * Client of QEMU's qtest line protocol: sends many lines, then reads as many replies. It works on a pair of named
 * pipes without blocking.
 */
export class QtestClient {
  readonly #timeoutMs: number;
  readonly #in: number;
  readonly #out: number;
  readonly #chunk = Buffer.alloc(CHUNK);
  readonly #napping = new Int32Array(new SharedArrayBuffer(4));
  #unsent: Buffer = Buffer.alloc(0);
  #rest = '';
  #busy = false;
  #state: 'open' | 'ended' | 'closed' = 'open';

  /**
   * @param path as given to QEMU; the pipes exist
   * @param timeoutMs how long QEMU may be silent while replies are due
   */
  constructor(path: string, timeoutMs: number) {
    const { toQemu, fromQemu } = pipeNames(path);
    this.#timeoutMs = timeoutMs;
    // Opened for reading too, so that opening and writing succeed whether or not QEMU has the other end.
    this.#in = openSync(toQemu, constants.O_RDWR | constants.O_NONBLOCK);
    this.#out = openSync(fromQemu, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /**
   * Sends lines and gives their replies, in order. One exchange at a time; not before QEMU has opened the pipes.
   * @throws ExchangeFailed when QEMU ends or is silent for too long
   */
  async exchange(lines: readonly string[]): Promise<readonly string[]> {
    if (this.#busy) {
      throw new Error('qtest: an exchange is still under way');
    }
    this.#busy = true;
    this.#unsent = Buffer.from(`${lines.join('\n')}\n`, 'latin1');
    const replies: string[] = [];
    try {
      await this.#await(replies, lines.length);
      return replies;
    } finally {
      this.#busy = false;
    }
  }

  close(): void {
    if (this.#state !== 'closed') {
      this.#state = 'closed';
      closeSync(this.#in);
      closeSync(this.#out);
    }
  }

  async #await(replies: string[], count: number): Promise<void> {
    let quiet = 0;
    let since = 0;
    while (replies.length < count) {
      if (this.#state !== 'open') {
        throw new ExchangeFailed('crash', 'QEMU ended', replies);
      }
      const sent = this.#send();
      if (this.#receive(replies) || sent) {
        quiet = 0;
        continue;
      }
      quiet += 1;
      if (quiet === LOOKS) {
        since = performance.now();
      } else if (quiet > LOOKS + NAPS) {
        await delay(1);
      } else if (quiet > LOOKS) {
        Atomics.wait(this.#napping, 0, 0, NAP_MS);
      }
      if (quiet > LOOKS && performance.now() - since > this.#timeoutMs) {
        throw new ExchangeFailed('hang', 'QEMU does not answer', replies);
      }
    }
  }

  #send(): boolean {
    if (this.#unsent.length === 0) {
      return false;
    }
    const count = unlessBusy(() => writeSync(this.#in, this.#unsent)) ?? 0;
    this.#unsent = this.#unsent.subarray(count);
    return count > 0;
  }

  /**
   * Looks for replies to nothing; between exchanges.
   * @throws ExchangeFailed when there is one
   */
  checkQuiet(): void {
    const replies: string[] = [];
    if (this.#state === 'open' && (this.#receive(replies) || this.#rest !== '') && this.#state === 'open') {
      throw new ExchangeFailed('nonsense', 'QEMU answers what it was not asked', replies);
    }
  }

  /** Takes what is there; whether that is progress: whole replies, or the end. */
  #receive(replies: string[]): boolean {
    const count = unlessBusy(() => readSync(this.#out, this.#chunk, 0, CHUNK, null));
    if (count === undefined) {
      return false;
    }
    if (count === 0) {
      this.#state = 'ended';
      return true;
    }
    const lines = (this.#rest + this.#chunk.toString('latin1', 0, count)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST) {
      throw new ExchangeFailed('nonsense', 'QEMU answers a line without end', replies);
    }
    for (const line of lines) {
      replies.push(line);
    }
    return lines.length > 0;
  }
}

/** Result of a system call, or `undefined` when it would have had to wait. */
function unlessBusy(call: () => number): number | undefined {
  const limit = Error.stackTraceLimit;
  try {
    // Having to wait is common, and most of an exception's cost is its stack trace.
    Error.stackTraceLimit = 0;
    return call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
      return undefined;
    }
    throw error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/**
 * A number as qtest takes it. QEMU aborts on anything else, so that nothing else is ever sent.
 * @throws Error when the value is negative, fractional or wider than 64 bits
 */
export function hex(value: number | bigint): string {
  const whole = BigInt(value);
  if (whole < 0n || whole >> 64n !== 0n) {
    throw new Error(`qtest: ${value} is not a 64-bit unsigned number`);
  }
  return `0x${whole.toString(16)}`;
}

const READ = { 1: 'readb', 2: 'readw', 4: 'readl', 8: 'readq' } as const;
const WRITE = { 1: 'writeb', 2: 'writew', 4: 'writel', 8: 'writeq' } as const;

/** Line that reads `size` bytes of physical memory. */
export function readLine(size: 1 | 2 | 4 | 8, address: number | bigint): string {
  return `${READ[size]} ${hex(address)}`;
}

/** Line that writes `size` bytes; the value is cut to that width. */
export function writeLine(size: 1 | 2 | 4 | 8, address: number | bigint, value: number | bigint): string {
  return `${WRITE[size]} ${hex(address)} ${hex(BigInt.asUintN(size * 8, BigInt(value)))}`;
}
