import type { InterruptMessage, Observation } from '../../../spec/interface/observations.js';
import type { Operation } from '../../../spec/interface/operations.js';
import type { History, Step } from '../../../spec/interface/scenario.js';
import { type CapabilityFields, machine, type Requester } from './world.js';

/** What the line of a history says to the one who writes it down. */
export type Line = (writer: Writer) => void;

/** A verdict, and the clauses (or the beginnings of their ids) of which one must be named. */
export type Expected =
  | { readonly verdict: 'conformant' | 'inconclusive' }
  | { readonly verdict: 'deviant'; readonly clauses: readonly string[] };

export const CONFORMANT: Expected = { verdict: 'conformant' };
export const deviant = (...clauses: readonly string[]): Expected => ({ verdict: 'deviant', clauses });

/** A history written by hand, with the verdict that the facts give it. */
export interface HandWritten {
  readonly name: string;
  /** What happens, in two sentences. */
  readonly says: readonly [string, string];
  /** Rows and sections of the facts that it rests on. */
  readonly rows: readonly string[];
  readonly expect: Expected;
  readonly cap?: CapabilityFields;
  readonly ecap?: CapabilityFields;
  /** The one who watched could see interrupt messages. */
  readonly hears?: boolean;
  readonly lines: readonly Line[];
}

interface Observed {
  readonly value?: bigint;
  readonly data?: Uint8Array;
  readonly status?: 'ok' | 'unsupported-request';
  readonly satisfied?: boolean;
  readonly reads?: number;
  readonly messages?: readonly InterruptMessage[];
}

/** Writes down operations one after the other, and counts what must be counted. */
export class Writer {
  readonly steps: Step[] = [];
  /** Descriptors put into the queue so far. */
  queued = 0;
  private readonly hears: boolean;
  private readonly tokens = new Map<string, number>();

  constructor(hears: boolean) {
    this.hears = hears;
  }

  add(operation: Operation, observed: Observed = {}): void {
    const at = this.steps.length;
    const base = { of: operation.op, begin: at, complete: at, ...(this.hears ? { messages: [] } : {}) };
    this.steps.push({ operation, observation: { ...base, ...observed } as Observation });
  }

  /** The next unused token of a requester in one direction. */
  token(requester: Requester, direction: 'read' | 'write'): number {
    const key = `${requester} ${direction}`;
    const token = this.tokens.get(key) ?? 0;
    this.tokens.set(key, token + 1);
    return token;
  }
}

/** The history that was written by hand, as data. */
export function historyOf({ cap, ecap, hears, lines }: HandWritten): History {
  const writer = new Writer(hears ?? false);
  for (const line of lines) line(writer);
  return { profile: machine(cap, ecap), start: 'ready', steps: writer.steps };
}
