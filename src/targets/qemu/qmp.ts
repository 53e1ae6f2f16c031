import type { Socket } from 'node:net';
import { ExchangeFailed } from './qtest.js';

interface Message {
  readonly event?: string;
  readonly return?: unknown;
  readonly error?: { readonly desc?: string };
}

/** What is awaited: a reply or an event. */
interface Waiter {
  readonly wants: (message: Message) => boolean;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: Error) => void;
}

/** Characters that a line may have. */
const LONGEST = 0x10_0000;

/** Client of QEMU's machine protocol: one command at a time. */
export class QmpClient {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #waiters: Waiter[] = [];
  #rest = '';
  #closed: ExchangeFailed | undefined;
  #resets = 0;

  constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => this.#receive(chunk));
    socket.on('error', () => this.#end());
    socket.on('close', () => this.#end());
  }

  /** How often the machine was reset, by whomever. */
  get resets(): number {
    return this.#resets;
  }

  /** Leaves the negotiation mode; the first thing to do. */
  async open(): Promise<void> {
    await this.execute('qmp_capabilities');
  }

  /** Runs a command. @throws ExchangeFailed */
  async execute(command: string): Promise<void> {
    const { error } = await this.#exchange(command);
    if (error !== undefined) {
      throw new ExchangeFailed('nonsense', `QEMU refuses ${command}: ${error.desc ?? 'no reason given'}`, []);
    }
  }

  /** Runs a command that QEMU may refuse; whether it did not. */
  async tries(command: string, values: Readonly<Record<string, string | boolean>>): Promise<boolean> {
    const { error } = await this.#exchange(command, values);
    return error === undefined;
  }

  /** Resets the machine and waits until it is done. Memory keeps its contents. */
  async reset(): Promise<void> {
    const done = this.#wait((message) => message.event === 'RESET');
    await Promise.all([done, this.execute('system_reset')]);
  }

  close(): void {
    this.#socket.destroy();
  }

  #exchange(command: string, values: Readonly<Record<string, string | boolean>> = {}): Promise<Message> {
    const reply = this.#wait((message) => message.event === undefined && !('QMP' in message));
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: values })}\n`);
    return reply;
  }

  #wait(wants: Waiter['wants']): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      const timer = setTimeout(() => {
        this.#remove(waiter);
        reject(new ExchangeFailed('hang', 'QEMU does not answer on QMP', []));
      }, this.#timeoutMs);
      const settled = <T>(settle: (value: T) => void): ((value: T) => void) => {
        return (value) => {
          clearTimeout(timer);
          settle(value);
        };
      };
      const waiter: Waiter = { wants, resolve: settled(resolve), reject: settled(reject) };
      this.#waiters.push(waiter);
    });
  }

  #receive(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') {
        this.#take(line);
      }
    }
    if (this.#rest.length > LONGEST) {
      this.#refuse('QEMU sends a line without end on QMP');
    }
  }

  #take(line: string): void {
    const message = messageIn(line);
    if (message === undefined) {
      this.#refuse('QEMU does not speak QMP');
    } else {
      this.#dispatch(message);
    }
  }

  /** Nothing that comes after nonsense is looked at. */
  #refuse(message: string): void {
    this.#socket.destroy();
    this.#end(new ExchangeFailed('nonsense', message, []));
  }

  #dispatch(message: Message): void {
    if (message.event === 'RESET') {
      this.#resets += 1;
    }
    const waiter = this.#waiters.find(({ wants }) => wants(message));
    if (waiter !== undefined) {
      this.#remove(waiter);
      waiter.resolve(message);
    }
  }

  #remove(waiter: Waiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) {
      this.#waiters.splice(index, 1);
    }
  }

  #end(why: ExchangeFailed = new ExchangeFailed('crash', 'QEMU ended', [])): void {
    this.#closed ??= why;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.reject(this.#closed);
    }
  }
}

function messageIn(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
