import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newerSource } from '../../bugs/index.js';
import type { CaseOrigin } from '../../harness/index.js';
import { main } from '../cli.js';
import { defaultWorld } from '../default-world.js';
import type { Io } from '../io.js';
import { JobPool } from './pool.js';

const { root } = defaultWorld();

let folder: string;

beforeAll(() => {
  if (newerSource(root) !== undefined) execFileSync('npm', ['run', '-s', 'build'], { cwd: root });
}, 120_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iovcheck-jobs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A run of the command line; `interrupted` after so many milliseconds. */
async function run(args: readonly string[], interruptedAfter?: number) {
  const shown = { out: '', err: '' };
  let timer: NodeJS.Timeout | undefined;
  const io: Io = {
    stdout: { write: (text: string) => (shown.out += text) },
    stderr: { write: (text: string) => (shown.err += text) },
    env: {},
    cwd: folder,
    onInterrupt(callback) {
      if (interruptedAfter !== undefined) timer = setTimeout(callback, interruptedAfter, 130);
      return () => clearTimeout(timer);
    },
    exitNow: () => {
      throw new Error('ended at once');
    },
  };
  const code = await main(['run', ...args], io, defaultWorld);
  return { code, ...shown };
}

/** A written report without times and speeds. */
function report(out: string): string {
  const text = readFileSync(join(folder, out, 'report.json'), 'utf8');
  return text.replace(/^.*"(started|generated|\w*[sS]econds?|\w*PerSecond)":.*$/gm, '').replaceAll(out, 'OUT');
}

describe('a run with several jobs', () => {
  it('reports the same as one with one job, times aside', async () => {
    const args = ['translation', 'isolation', '--shape', '39-2m', '--cases', '6', '--seed', '9'];
    const codes: number[] = [];
    for (const jobs of ['1', '2', '3']) {
      codes.push((await run([...args, '--jobs', jobs, '--out', `jobs${jobs}`])).code);
      expect(report(`jobs${jobs}`)).toEqual(report('jobs1'));
    }
    expect(new Set(codes).size).toBe(1);
    // Nothing is in flight any more.
    for (const jobs of ['1', '2', '3']) {
      expect(readdirSync(join(folder, `jobs${jobs}`)).filter((name) => name.startsWith('in-flight'))).toEqual([]);
    }
  });

  it('ends with a report when it is interrupted', async () => {
    const { err } = await run(['--shape', '39-2m', '--time', '10m', '--jobs', '2', '--out', 'out'], 4000);
    expect(err).toContain('interrupted: writing the report');
    expect(existsSync(join(folder, 'out', 'report.json'))).toBe(true);
    expect(report('out')).toContain('"interrupted": true');
  });

  it('needs a number of jobs', async () => {
    expect((await run(['--jobs', '0'])).code).toBe(64);
  });
});

describe('a thread that ends', () => {
  const origins = (count: number): CaseOrigin[] =>
    Array.from({ length: count }, (_, index) => ({ kind: 'random', property: 'any', seed: 1, index }));

  async function batch(body: string, count: number) {
    const file = join(folder, 'worker.mjs');
    writeFileSync(file, `${body}\nexport function close() {}\n`);
    const pool = new JobPool(file, 2, { kind: 'any', properties: [], known: [], out: folder });
    try {
      const runner = pool.runner(0, {});
      return await Promise.all([runner.run(origins(count)), runner.run(origins(4))]);
    } finally {
      await pool.close();
    }
  }

  it('costs the case at which it does, and no other', async () => {
    const [first, second] = await batch(
      `export function run({ origins }) {
        if (!origins.some(({ index }) => index === 5)) return { records: origins.map((origin) => ({ origin })), milliseconds: 1 };
        setImmediate(() => { throw new Error('out of order'); });
        return new Promise(() => {});
      }`,
      8,
    );
    expect(first!.records.map((record) => ('lost' in record ? record.lost : record.origin.index))).toEqual([
      0,
      1,
      2,
      3,
      4,
      'out of order',
      6,
      7,
    ]);
    expect(second!.records).toHaveLength(4);
  });

  it('is an error when none ever runs a case', async () => {
    await expect(batch(`export function run() { throw new Error('no such thing'); }`, 40)).rejects.toThrow(
      'no such thing',
    );
  });
});
