import { ExchangeFailed, hex, type QtestClient } from './qtest.js';
import { Trouble } from './trouble.js';

interface Line {
  readonly text: string;
  /** Index of the operation it belongs to; `undefined` for lines of the target's own. */
  readonly owner: number | undefined;
  /** Takes the reply; whether it is one that such a line can have. */
  readonly accept: (reply: string) => boolean;
}

/** What lines are added to. */
export type LineSink = Pick<Pipeline, 'add' | 'read'>;

/** Lines that wait to be sent together, each with what is to be done with its reply. */
export class Pipeline {
  readonly #qtest: Pick<QtestClient, 'exchange'>;
  #lines: Line[] = [];

  constructor(qtest: Pick<QtestClient, 'exchange'>) {
    this.#qtest = qtest;
  }

  /** Whether every line added so far was answered. */
  get empty(): boolean {
    return this.#lines.length === 0;
  }

  /** Adds a line whose reply carries nothing. */
  add(text: string, owner?: number): void {
    this.#lines.push({ text, owner, accept: isDone });
  }

  /** Adds a line that reads a value. */
  read(text: string, use: (value: bigint) => void, owner?: number): void {
    const accept = (reply: string): boolean => {
      const isValue = VALUE.test(reply);
      if (isValue) {
        use(BigInt(reply.slice(3)));
      }
      return isValue;
    };
    this.#lines.push({ text, owner, accept });
  }

  /** Adds a line that reads so many bytes of memory. */
  readBytes(address: number, bytes: number, use: (data: Uint8Array) => void, owner?: number): void {
    const accept = (reply: string): boolean => {
      const isData = reply.startsWith('OK 0x') && reply.length === 5 + 2 * bytes;
      const data = isData ? Uint8Array.from(Buffer.from(reply.slice(5), 'hex')) : undefined;
      if (data?.length !== bytes) {
        return false;
      }
      use(data);
      return true;
    };
    this.#lines.push({ text: `read ${hex(address)} ${hex(bytes)}`, owner, accept });
  }

  /** Adds a line that writes bytes to memory. */
  writeBytes(address: number, data: Uint8Array, owner?: number): void {
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
    this.add(`b64write ${hex(address)} ${hex(data.length)} ${text}`, owner);
  }

  /** Drops lines that were not sent. */
  clear(): void {
    this.#lines = [];
  }

  /**
   * Sends what waits, in order, and hands on the replies.
   * @throws Trouble with the operation whose line was not answered, or was answered by nonsense
   */
  async flush(): Promise<void> {
    const lines = this.#lines;
    if (lines.length === 0) {
      return;
    }
    this.#lines = [];
    const { replies, failure } = await this.#send(lines);
    for (const [index, reply] of replies.entries()) {
      const line = lines[index];
      if (line === undefined) {
        throw new Trouble('nonsense', 'QEMU answers more lines than it was sent', lines.at(-1)?.owner);
      }
      if (!line.accept(reply)) {
        throw new Trouble('nonsense', nonsense(line, reply), line.owner);
      }
    }
    if (failure !== undefined) {
      throw new Trouble(failure.kind, failure.message, (lines[replies.length] ?? lines.at(-1))?.owner);
    }
  }

  /** The replies, and what kept the rest from coming. */
  async #send(lines: readonly Line[]): Promise<{ replies: readonly string[]; failure?: ExchangeFailed }> {
    try {
      return { replies: await this.#qtest.exchange(lines.map(({ text }) => text)) };
    } catch (error) {
      if (error instanceof ExchangeFailed) {
        return { replies: error.replies, failure: error };
      }
      throw error;
    }
  }
}

const VALUE = /^OK 0x[0-9a-f]{1,16}$/;

function isDone(reply: string): boolean {
  return reply === 'OK';
}

function nonsense(line: Line, reply: string): string {
  return `QEMU answers "${reply.slice(0, 60)}" to ${line.text.split(' ')[0]}`;
}
