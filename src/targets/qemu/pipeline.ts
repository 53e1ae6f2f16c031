import { ExchangeFailed, type QtestClient } from './qtest.js';
import { Trouble } from './trouble.js';

interface Line {
  readonly text: string;
  /** Index of the operation it belongs to; `undefined` for lines of the target's own. */
  readonly owner: number | undefined;
  readonly use: ((value: bigint) => void) | undefined;
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
    this.#lines.push({ text, owner, use: undefined });
  }

  /** Adds a line that reads a value. */
  read(text: string, use: (value: bigint) => void, owner?: number): void {
    this.#lines.push({ text, owner, use });
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
      accept(line, reply);
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

function accept(line: Line, reply: string): void {
  if (line.use === undefined) {
    if (reply !== 'OK') {
      throw new Trouble('nonsense', nonsense(line, reply), line.owner);
    }
    return;
  }
  if (!/^OK 0x[0-9a-f]{1,16}$/.test(reply)) {
    throw new Trouble('nonsense', nonsense(line, reply), line.owner);
  }
  line.use(BigInt(reply.slice(3)));
}

function nonsense(line: Line, reply: string): string {
  return `QEMU answers "${reply.slice(0, 60)}" to ${line.text.split(' ')[0]}`;
}
