import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Chance } from '../engine/chance.js';
import { decodeCase, decodeReplayable, decodeReport } from '../formats/index.js';
import { checkComponent } from './default-world.js';
import { type Installed, installPlanted, type Running, start } from './process-testing.js';

const RUN = ['run', '--target', 'engine', '--shape', '48-1g', '--out', 'out'];

let installed: Installed;
let folder: string;
beforeAll(() => {
  installed = installPlanted();
  folder = mkdtempSync(join(tmpdir(), 'iovcheck-interrupt-'));
}, 120_000);
afterAll(() => {
  installed.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** What is in flight in a folder: the kind of case, or "candidate" while shrinking. */
function inFlight(out: string): string | undefined {
  try {
    const read = decodeReplayable(readFileSync(join(out, 'in-flight.json'), 'utf8'), 'in-flight.json', checkComponent);
    return read.format === 'iovcheck-case' ? 'candidate' : read.kind;
  } catch {
    return undefined;
  }
}

async function until(running: Running, condition: () => boolean): Promise<void> {
  let over = false;
  void running.ended.finally(() => {
    over = true;
  });
  while (!over && !condition()) await delay(5);
  expect(over ? running.err() : '').toBe('');
}

describe('a run that is interrupted', () => {
  it.each([
    ['sweep', 'SIGINT', 130, ['entry-sweep', '--cases', '100000']],
    ['random', 'SIGTERM', 143, ['dma-translation', 'dma-isolation', '--cases', '1000000']],
    ['candidate', 'SIGINT', 130, ['dma-isolation', '--cases', '12', '--seed', '3']],
  ] as const)(
    'while its case in flight is a %s, by %s: ends with %i and a report of what was done',
    async (kind, name, exit, args) => {
      const seed = Math.floor(Math.random() * 0x7fff_ffff);
      console.log(`interrupt: seed ${seed}`);
      const cwd = mkdtempSync(join(folder, `${kind}-`));
      const out = join(cwd, 'out');
      const running = start(cwd, process.execPath, installed.main, ...RUN, ...args);
      await until(running, () => inFlight(out) === kind);
      await delay(new Chance(seed).below(300));
      running.child.kill(name);
      const { code, out: said, err } = await running.ended;
      expect([code, err]).toEqual([exit, expect.stringContaining('interrupted: writing the report')]);
      const report = decodeReport(readFileSync(join(out, 'report.json'), 'utf8'), 'report.json');
      const [run] = report.runs;
      expect(run).toMatchObject({ interrupted: true });
      expect(report.summary).toContain('interrupted');
      expect(said).toContain('interrupted');
      expect(readFileSync(join(out, 'summary.md'), 'utf8')).toContain('interrupted');
      expect(run!.totals.cases).toBe(run!.properties.reduce((sum, each) => sum + each.cases + each.swept, 0));
      expect(run!.totals.cases).toBeGreaterThan(0);
      for (const { file, clause } of run!.deviations) {
        const stored = decodeCase(readFileSync(join(cwd, file), 'utf8'), file, checkComponent);
        expect(stored.identity.clause).toBe(clause);
      }
      expect(readdirSync(out).filter((name) => !['cases', 'report.json', 'summary.md'].includes(name))).toEqual([]);
    },
  );

  it('twice: ends at once, with 130', async () => {
    const cwd = mkdtempSync(join(folder, 'twice-'));
    const running = start(cwd, process.execPath, installed.main, ...RUN, 'dma-isolation', '--cases', '1000000');
    await until(running, () => inFlight(join(cwd, 'out')) !== undefined);
    running.child.kill('SIGINT');
    running.child.kill('SIGINT');
    await delay(50);
    running.child.kill('SIGINT');
    const { code } = await running.ended;
    expect(code).toBe(130);
  });
});

describe('a folder', () => {
  it('has one run at a time; that of a killed process is over', async () => {
    const cwd = mkdtempSync(join(folder, 'claim-'));
    const first = start(cwd, process.execPath, installed.main, ...RUN, 'dma-translation', '--cases', '1000000');
    await until(first, () => inFlight(join(cwd, 'out')) !== undefined);
    const second = await start(cwd, process.execPath, installed.main, ...RUN, 'dma-translation', '--cases', '2').ended;
    expect(second.code).toBe(73);
    expect(second.err).toContain(`out: the run of process ${first.child.pid} writes there; choose another --out`);
    first.child.kill('SIGKILL');
    await first.ended;
    const third = await start(cwd, process.execPath, installed.main, ...RUN, 'dma-translation', '--cases', '2').ended;
    expect([third.code, third.err]).not.toEqual([73, expect.anything()]);
    expect(third.err).toContain('an earlier run ended in the middle of a case');
  });
});
