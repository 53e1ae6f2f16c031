import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '../engine/chance.js';
import { decodeCase, decodeReplayable, decodeReport } from '../formats/index.js';
import { renderMarkdown } from '../report/index.js';
import { checkComponent } from './default-world.js';
import { type Installed, installPlanted, start } from './process-testing.js';

const KILLS = 100;
const CHAINS = 4;
const WRITER_KILLS = 30;
const RUN = ['run', 'dma-isolation', '--target', 'engine', '--shape', '48-1g', '--out', 'out'];
const SHORT = ['--time', '400ms'];

/** Share of the kills that come before the run has said what it does. */
const EARLY = 0.15;

let installed: Installed;
let folder: string;
beforeAll(() => {
  installed = installPlanted();
  // In memory where possible: there a write can be torn between any two pages.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'iovcheck-kill-'));
}, 120_000);
afterAll(() => {
  installed.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** What was on disk after a run: everything that is there must be whole. */
interface Kept {
  readonly inFlight: 'none' | 'random' | 'sweep' | 'stored' | 'candidate';
  readonly cases: number;
  readonly temporary: readonly string[];
}

function inspect(out: string, reports: Set<string>): Kept {
  const names = existsSync(out) ? readdirSync(out, { recursive: true, encoding: 'utf8' }) : [];
  const temporary = names.filter((name) => name.endsWith('.tmp'));
  let inFlight: Kept['inFlight'] = 'none';
  for (const name of names.filter((each) => each !== 'cases' && !temporary.includes(each))) {
    const text = readFileSync(join(out, name), 'utf8');
    if (/^in-flight(-\d+)?\.json$/.test(name)) {
      const read = decodeReplayable(text, name, checkComponent);
      if (name === 'in-flight.json') inFlight = read.format === 'iovcheck-case' ? 'candidate' : read.kind;
    } else if (name.startsWith('cases/')) {
      expect(`${decodeCase(text, name, checkComponent).id}.json`).toBe(basename(name));
    } else if (name === 'report.json') {
      reports.add(renderMarkdown(decodeReport(text, name)));
    } else {
      expect(['summary.md', '.running']).toContain(name);
    }
  }
  // Of the two files of a report the second may still be that of the run before.
  if (names.includes('summary.md')) expect(reports).toContain(readFileSync(join(out, 'summary.md'), 'utf8'));
  return { inFlight, cases: names.filter((name) => /^cases\/.*\.json$/.test(name)).length, temporary };
}

/** What a killed run was doing, and what it left. */
interface Killed {
  readonly early: boolean;
  readonly kept: Kept;
}

/** A folder in which one run after the other is killed. */
class Chain {
  readonly killed: Killed[] = [];
  readonly out: string;
  completed = 0;
  private readonly reports = new Set<string>();
  private before: Kept = { inFlight: 'none', cases: 0, temporary: [] };

  /** Begins with the cases in a folder, so that there is something to shrink from the first run on. */
  constructor(
    cases: string,
    private readonly cwd: string,
    private readonly seed: number,
  ) {
    this.out = join(cwd, 'out');
    cpSync(cases, join(this.out, 'cases'), { recursive: true });
  }

  /** Runs until it ends or until so many milliseconds after its start or, when not early, after its first line; how long it took. */
  async run(after: number, early: boolean): Promise<number> {
    const args = [...RUN, ...SHORT, '--seed', String(this.seed + this.killed.length)];
    const { child, ended, err } = start(this.cwd, process.execPath, installed.main, ...args);
    let over = false;
    const finish = ended.finally(() => {
      over = true;
    });
    while (!early && !over && !err().includes('target engine')) await delay(5);
    const begin = performance.now();
    const timer = setTimeout(() => child.kill('SIGKILL'), after);
    const { code, signal, err: said } = await finish;
    clearTimeout(timer);
    const took = performance.now() - begin;
    const begun = said.includes('target engine');
    const told = said.includes('ended in the middle of a case, which is kept: npx iovcheck replay out/in-flight-');
    if (begun) expect(told).toBe(this.before.inFlight !== 'none');
    const kept = inspect(this.out, this.reports);
    expect(kept.cases).toBeGreaterThanOrEqual(this.before.cases);
    if (begun) for (const name of this.before.temporary) expect(kept.temporary).not.toContain(name);
    for (const name of kept.temporary) if (begun) expect(name).toContain(`.${child.pid}.tmp`);
    this.before = kept;
    if (signal === 'SIGKILL') this.killed.push({ early: !begun, kept });
    else {
      expect([0, 1, 2]).toContain(code);
      expect([kept.inFlight, kept.temporary]).toEqual(['none', []]);
      this.completed += 1;
    }
    return took;
  }
}

/** A folder with a case that an undisturbed run found. */
async function foundCases(): Promise<string> {
  const cwd = mkdtempSync(join(folder, 'found-'));
  const { code, err } = await start(cwd, process.execPath, installed.main, ...RUN, '--cases', '12', '--seed', '3')
    .ended;
  expect([code, err]).toEqual([1, expect.stringContaining('target engine')]);
  return join(cwd, 'out/cases');
}

/** Says all the time that something else is in flight: long texts of one letter each, and short records. */
const WRITER = `
const { InFlight } = await import(process.argv[1]);
const inFlight = new InFlight(process.argv[2], 'engine', { name: 'n', implementation: 'i' });
for (let n = 0; ; n += 1) {
  const long = 'abc'[n % 3].repeat(20_000 + (n % 5) * 5000);
  inFlight.text(JSON.stringify({ long }));
  if (n % 2 === 0) inFlight.origin({ kind: 'random', property: 'p', seed: n, index: n });
  if (n % 4 === 0) inFlight.origin({ kind: 'random', property: 'another', seed: n, index: n });
}
`;

describe('the case in flight', () => {
  it('is whole when the process is killed in the middle of writing it', async () => {
    const seed = Math.floor(Math.random() * 0x7fff_ffff);
    console.log(`kills while writing: seed ${seed}`);
    const chance = new Chance(seed);
    const module = join(installed.folder, 'dist/src/harness/inflight.js');
    for (let kill = 0; kill < WRITER_KILLS; kill += 1) {
      const out = mkdtempSync(join(folder, 'writer-'));
      const file = join(out, 'in-flight.json');
      const { child, ended } = start(out, process.execPath, '--input-type=module', '-e', WRITER, module, out);
      while (!existsSync(file) && child.exitCode === null) await delay(2);
      await delay(chance.below(20));
      child.kill('SIGKILL');
      expect(await ended).toMatchObject({ signal: 'SIGKILL', err: '' });
      const read = JSON.parse(readFileSync(file, 'utf8')) as { readonly long?: string; readonly format?: string };
      if (read.long === undefined) expect(read.format).toBe('iovcheck-in-flight');
      else expect(new Set(read.long).size).toBe(1);
    }
  });
});

describe('a run that is killed', () => {
  it(`${KILLS} times at any moment loses at most the case in flight, and the next goes on`, async () => {
    const seed = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 0x7fff_ffff));
    console.log(`kills: seed ${seed}`);
    const cases = await foundCases();
    const chains = Array.from(
      { length: CHAINS },
      (_, n) => new Chain(cases, mkdtempSync(join(folder, 'chain-')), n * 1000),
    );
    const spans = await Promise.all(chains.map((chain) => chain.run(600_000, false)));
    const span = Math.max(...spans);
    await Promise.all(
      chains.map(async (chain, n) => {
        const chance = new Chance(seed + n);
        while (chain.killed.length < KILLS / CHAINS) {
          const early = chance.below(1000) < EARLY * 1000;
          await chain.run((chance.below(1000) / 1000) * span * (early ? 0.3 : 1), early);
        }
      }),
    );
    const all = chains.flatMap(({ killed }) => killed);
    const count = (is: (each: Killed) => boolean): number => all.filter(is).length;
    const kinds = ['none', 'random', 'sweep', 'stored', 'candidate'] as const;
    const perKind = kinds.map((kind) => `${kind} ${count(({ kept }) => kept.inFlight === kind)}`).join(', ');
    console.log(
      `${all.length} kills over ${Math.round(span)} ms, ${count(({ early }) => early)} before the first line; in flight: ${perKind}; ` +
        `${count(({ kept }) => kept.temporary.length > 0)} left a temporary file; ${chains.reduce((n, { completed }) => n + completed, 0)} runs ended first`,
    );
    expect(all).toHaveLength(KILLS);
    expect(count(({ kept }) => kept.inFlight !== 'none')).toBeGreaterThan(0);

    // What was in flight runs again, the candidates of shrinking and the cases of properties alike.
    for (const { out } of chains) {
      const left = readdirSync(out).filter((name) => /^in-flight-\d+\.json$/.test(name));
      if (left.length === 0) continue;
      const args = left.slice(0, 5).map((name) => `out/${name}`);
      const { code, out: said } = await start(join(out, '..'), process.execPath, installed.main, 'replay', ...args)
        .ended;
      expect([0, 1, 2]).toContain(code);
      for (const name of args) expect(said).toContain(`${name}: `);
    }
  }, 600_000);
});
