/** A target, a judge, a codec and properties for the harness's own tests: no architecture, faults planted by operation. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { onTestFinished } from 'vitest';
import type { Clause, Finding, Judgement } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { Profile } from '../../spec/interface/profile.js';
import type { History, StartState, TargetFailure } from '../../spec/interface/scenario.js';
import type { BatchOptions, BatchResult, Target } from '../../spec/interface/target.js';
import type { JudgeOptions } from '../judge/index.js';
import type { CampaignDependencies } from './dependencies.js';
import type { Built, Property } from './property.js';
import type { KnownDeviation, StoredCase } from './types.js';

export const ARENA = 0x10_0000n;

export const PROFILE: Profile = {
  name: 'fake',
  implementation: 'fake 1.0',
  components: { unit: { architecture: 'none', revision: '1', registers: {}, parameters: {} } },
  requesters: [{ id: 'dev0', routingId: 8, component: 'unit', dma: true, msi: true, pasidBits: 0 }],
  memory: [{ kind: 'ram', base: 0n, bytes: 0x1000_0000n }],
  arena: { base: ARENA, bytes: 0x10_0000 },
  limits: { tokens: 64, dmaBytes: 256 },
};

/** An empty folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'iovcheck-harness-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Crashes at a message with data CRASH; counts what was asked of it. */
export const CRASH = 0xdeadn;

export class FakeTarget implements Target {
  readonly id = 'fake';
  begins = 0;
  colds = 0;
  runs = 0;
  oneByOneRuns = 0;
  /** Called before each run, for tests that look at the world while a case is in flight. */
  onRun: (operations: readonly Operation[]) => void = () => {};
  /** Crashes only when it was not started cold, like a failure that does not come again. */
  flaky = false;
  private cold = false;

  describe(): Promise<Profile> {
    return Promise.resolve(PROFILE);
  }

  begin(_start: StartState, options?: { readonly cold?: boolean }): Promise<TargetFailure | undefined> {
    this.begins += 1;
    this.cold = options?.cold === true;
    if (this.cold) this.colds += 1;
    return Promise.resolve(undefined);
  }

  run(operations: readonly Operation[], options?: BatchOptions): Promise<BatchResult> {
    this.runs += 1;
    if (options?.oneByOne === true) this.oneByOneRuns += 1;
    this.onRun(operations);
    const deadly = operations.findIndex((operation) => operation.op === 'message' && operation.data === CRASH);
    if (deadly < 0 || (this.flaky && this.cold)) return Promise.resolve({ observations: operations.map(observe) });
    const failure: TargetFailure = { kind: 'crash', message: 'assertion failed', output: 'assert' };
    // Pipelined, nobody knows how far it came.
    const observations = options?.oneByOne === true ? operations.slice(0, deadly).map(observe) : [];
    return Promise.resolve({ observations, failure });
  }

  finish(): Promise<{ late: [] }> {
    return Promise.resolve({ late: [] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function observe(operation: Operation, index: number): Observation {
  const span = { begin: index, complete: index };
  switch (operation.op) {
    case 'regRead':
      return { of: 'regRead', value: 0x77n, ...span };
    case 'dma':
      return { of: 'dma', status: 'ok', ...span };
    case 'store':
    case 'regWrite':
    case 'message':
    case 'settle':
      return { of: operation.op, ...span };
    default:
      throw new Error(`the fake target does not know ${operation.op}`);
  }
}

function finding(clause: string, discriminator: string, at: number, certain = true): Finding {
  const evidence = [{ what: 'stored word', reading: discriminator }];
  return {
    clause,
    kind: 'value-differs',
    discriminator,
    at,
    shownAt: at,
    expected: 'x',
    observed: 'y',
    evidence,
    certain,
  };
}

/** Bits of stored words that are wrong as soon as a DMA follows, and the clauses they break; C-9 is never certain. */
const PLANTED: ReadonlyMap<bigint, string> = new Map([
  [1n, 'C-1'],
  [2n, 'C-2'],
  [3n, 'C-9'],
]);

/** What the planted rules say of a history: the first DMA after a marked word shows it, and so does a chain of frames. */
function deviations(history: History): readonly Finding[] {
  const found: Finding[] = [];
  const marked: Finding[] = [];
  const stored = new Set<bigint>();
  const pointers: { at: number; to: bigint }[] = [];
  for (const [at, { operation }] of history.steps.entries()) {
    if (operation.op === 'store') {
      stored.add(operation.address & ~0xfffn);
      for (const word of operation.words) {
        for (const [bit, clause] of PLANTED) {
          if ((word >> bit) & 1n) marked.push(finding(clause, `bit ${bit}`, at, clause !== 'C-9'));
        }
        // Present bit and a pointer to another frame.
        if (word & 1n) pointers.push({ at, to: word & 0xf_ffff_f000n });
      }
    }
    if (operation.op === 'regWrite' && typeof operation.value !== 'bigint') {
      if (history.steps[operation.value.ref]?.operation.op === 'regRead') found.push(finding('C-4', 'reference', at));
    }
    if (operation.op !== 'dma') continue;
    found.push(...marked.splice(0).map((mark) => ({ ...mark, shownAt: at })));
    const chain = pointers.find(({ to }) => stored.has(to));
    if (chain !== undefined) found.push({ ...finding('C-3', 'chain', chain.at), shownAt: at });
  }
  return found;
}

/** Judges by the planted rules; a `settle` makes everything undecided, and a settled history shows nothing. */
export function fakeJudge(history: History, options: JudgeOptions = {}): Judgement {
  const all = deviations(history);
  const known = all.filter((one) => options.known?.(one) === true);
  const [first, ...candidates] = all.filter((one) => options.known?.(one) !== true);
  const open = first === undefined && history.steps.some(({ operation }) => operation.op === 'settle');
  const dmas = history.steps.filter(({ operation }) => operation.op === 'dma');
  const operations = history.steps.length;
  return {
    verdict: first !== undefined ? 'deviant' : open ? 'inconclusive' : 'conformant',
    ...(first === undefined ? {} : { finding: first }),
    candidates,
    known,
    undecided: open ? [{ at: 0, kind: 'inconclusive', reason: 'settle' }] : [],
    clauses: dmas.length > 0 ? { 'C-1': dmas.length, 'C-5': 1 } : {},
    labels: { read: dmas.length },
    statistics: { operations, judged: operations, admissible: { sum: 2 * dmas.length, count: dmas.length }, worlds: 1 },
  };
}

export function clause(id: string, more: Partial<Clause> = {}): Clause {
  const document = { document: 'D', revision: '1', section: 'S', rule: 'R', needs: '-', choices: [] };
  return { id, ...document, obligation: 'MUST', tag: '2', ...more };
}

export function dependencies(more: Partial<CampaignDependencies> = {}): CampaignDependencies {
  return {
    judge: fakeJudge,
    encodeCase: (stored) =>
      JSON.stringify(stored, (_key, value: unknown) => (typeof value === 'bigint' ? `bigint:${value}` : value)),
    decodeCase: (text) => {
      const value: unknown = JSON.parse(text, (_key, part: unknown) =>
        typeof part === 'string' && part.startsWith('bigint:') ? BigInt(part.slice(7)) : part,
      );
      if ((value as StoredCase).format !== 'iovcheck-case') throw new Error('not a case');
      return value as StoredCase;
    },
    catalogue: ['C-1', 'C-2', 'C-3', 'C-4', 'C-5', 'C-6'].map((id) => clause(id)),
    tool: { name: 'iovcheck', version: '0' },
    ...more,
  };
}

export const store = (address: bigint, ...words: readonly bigint[]): Operation => ({ op: 'store', address, words });
export const dma = (token = 0, bytes = 8, address = 0n): Operation => ({
  op: 'dma',
  requester: 'dev0',
  address,
  direction: 'read',
  bytes,
  token,
});
export const message = (data: bigint): Operation => ({ op: 'message', requester: 'dev0', address: 0n, data });

interface Intent {
  readonly what: 'store' | 'dma' | 'message';
  readonly frame: number;
  readonly word: bigint;
  readonly crash: boolean;
}

/** Random stores, DMA and messages; `crashes` lets some messages kill the target. */
export function fakeProperty(more: Partial<Property> = {}, crashes = false): Property {
  const intent: fc.Arbitrary<Intent> = fc.record({
    what: fc.constantFrom('store' as const, 'dma' as const, 'message' as const),
    frame: fc.nat(200),
    word: fc.bigInt({ min: 0n, max: 0xffn }),
    crash: fc.nat(9).map((n) => crashes && n === 9),
  });
  return {
    id: 'fake-property',
    claim: 'the fake target does right',
    clauses: ['C-1', 'C-2', 'C-6'],
    intents: () => fc.array(intent, { minLength: 1, maxLength: 12, size: 'max' }),
    build: (_profile, intents) => ({
      scenario: { level: 'operations', start: 'ready', operations: (intents as Intent[]).map(resolve) },
      labels: { made: (intents as Intent[]).length },
    }),
    minimumShares: () => ({ read: 0.5 }),
    ...more,
  };
}

function resolve({ what, frame, word, crash }: Intent, index: number): Operation {
  if (what === 'store') return store(ARENA + BigInt(frame) * 0x1000n, word & ~1n, 0xf0n);
  return what === 'dma' ? dma(index, 64) : message(crash ? CRASH : word);
}

export function built(...operations: readonly Operation[]): Built {
  return { scenario: { level: 'operations', start: 'ready', operations }, labels: {} };
}

export function knownEntry(more: Partial<KnownDeviation> = {}): KnownDeviation {
  const facts = { row: 'R-1', tag: '2' as const };
  const base = { clause: 'C-1', kind: 'value-differs', discriminator: 'bit 1', implementation: '^fake', facts };
  return { ...base, lawfulChoices: [], case: 'cases/c1.json', reason: 'known', ...more };
}
