import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEFECTS, type Defect, newerSource, runHunters, survivors } from '../../bugs/index.js';
import { main } from '../cli.js';
import { defaultWorld } from '../default-world.js';

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function bugs(argv: readonly string[], cwd = process.cwd()): Promise<Said> {
  let out = '';
  let err = '';
  const io = {
    stdout: {
      write: (text: string): void => {
        out += text;
      },
    },
    stderr: {
      write: (text: string): void => {
        err += text;
      },
    },
    env: {},
    cwd,
    onInterrupt: () => () => {},
    exitNow: () => {},
  };
  const code = await main(['bugs', ...argv], io, defaultWorld);
  return { code, out, err };
}

describe('bugs', () => {
  it('explains itself, with examples', async () => {
    const { code, out } = await bugs(['--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/\$ iovcheck bugs --area caches --seeds 20/);
  });

  it('lists every defect and where it shipped', async () => {
    const { code, out } = await bugs(['--list']);
    expect(code).toBe(0);
    for (const { id } of DEFECTS) expect(out).toContain(id);
  });

  it.each([
    [['nonsense'], /unknown defect "nonsense": expected table-reserved-unchecked, /],
    [['--area', 'weather'], /unknown area "weather": expected translation/],
    [['table-reserved-unchecked', '--area', 'queue'], /no run: /],
    [['--seeds', '0'], /--seeds: expected a whole number from 1 /],
    [['--jobs', '9'], /--jobs: expected a whole number from 1 to 2, got "9"/],
    [['--cases', 'many'], /--cases: expected a whole number/],
    [['--wrong'], /unknown flag "--wrong"/],
  ])('refuses %s with one line', async (argv, message) => {
    const { code, out, err } = await bugs(argv);
    expect(code).toBe(64);
    expect(out).toBe('');
    expect(err).toMatch(message);
    expect(err.trimEnd()).not.toContain('\n');
  });
});

const ROOT = process.cwd();

/** One or two of each area, quick to be found, so that all of the machinery is gone through. */
const SMOKE = [
  'superpage-offset-of-4k',
  'iotlb-snoop-on-hit',
  'event-dropped-while-masked',
  'status-needs-interrupt',
  'function-aliases-device',
];

const SAMPLE = DEFECTS[0]!;

describe('planted defects', () => {
  const hunters = (
    defects: readonly Defect[],
    more: { readonly cases?: number; readonly shrinkSeconds?: number } = {},
  ) => runHunters({ root: ROOT, defects, seeds: [3], cases: 1000, shrinkSeconds: 0, jobs: 2, ...more });

  beforeAll(() => {
    // They are planted in what was built from these sources.
    if (newerSource(ROOT) !== undefined) execFileSync('npm', ['run', '-s', 'build'], { cwd: ROOT });
  }, 120_000);

  it('of every area are found, by a verdict', async () => {
    const chosen = DEFECTS.filter(({ id }) => SMOKE.includes(id));
    expect(new Set(chosen.map(({ area }) => area))).toEqual(new Set(DEFECTS.map(({ area }) => area)));
    expect(survivors(await hunters(chosen))).toEqual([]);
  }, 180_000);

  it('give the same with the same seed, and a shorter case when shrunk', async () => {
    const chosen = DEFECTS.filter(({ id }) => id === 'status-needs-interrupt');
    const [one, other] = [await hunters(chosen, { shrinkSeconds: 2 }), await hunters(chosen)];
    const { cases, found } = one[0]!.outcomes[0]!;
    expect(other[0]!.outcomes[0]).toMatchObject({ cases, found });
    expect(one[0]!.shrunk!.to).toBeLessThan(found!.operations);
  }, 180_000);

  it('are not found because the engine throws, nor when they change nothing', async () => {
    const throws = { ...SAMPLE, id: 'throws', replacement: `missing();\n${SAMPLE.anchor}` };
    const nothing = { ...SAMPLE, id: 'nothing', replacement: SAMPLE.anchor };
    const [thrown, same] = await hunters([throws, nothing], { cases: 20 });
    expect(thrown!.outcomes).toMatchObject([{ trouble: expect.stringContaining('missing is not defined') }]);
    expect(same!.outcomes).toMatchObject([{ cases: 20, aside: 0 }]);
    expect(survivors([thrown!, same!]).length).toBe(2);
  }, 180_000);

  it('that lost their anchor, or are in a file that nobody loads, end as trouble', async () => {
    const lost = { ...SAMPLE, id: 'lost', anchor: 'not there' };
    const other = {
      file: 'src/cli/progress.ts',
      anchor: 'const LINE_EVERY = 10;',
      replacement: 'const LINE_EVERY = 1;',
    };
    const [first, second] = await hunters([lost, { ...SAMPLE, id: 'elsewhere', ...other }], { cases: 5 });
    expect(first!.outcomes).toMatchObject([{ cases: 0, trouble: expect.stringContaining('occurs 0 times') }]);
    expect(second!.outcomes).toMatchObject([{ cases: 0, trouble: expect.stringContaining('was not loaded') }]);
  }, 180_000);

  it('plants, reports where each was found, and says so in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bugs-'));
    const argv = ['superpage-offset-of-4k', '--seeds', '2', '--seed', '7', '--cases', '500', '--shrink', '0'];
    const { code, out, err } = await bugs(argv, folder);
    const written: unknown = JSON.parse(readFileSync(join(folder, '.iovcheck/bugs.json'), 'utf8'));
    rmSync(folder, { recursive: true });
    expect(out).toMatch(/^1 defects?, seeds 7 to 8, /);
    expect(out).toMatch(/superpage-offset-of-4k +translation +242 +2 of 2 /);
    expect(out).toMatch(/2 of 2 runs found their defect \(100.0%/);
    expect(err).toMatch(/1 of 1 defects, 2 of 2 runs found, .*superpage-offset-of-4k: found with 2 of 2 seeds\n/);
    expect(written).toMatchObject({ seed: 7, total: { runs: 2, found: 2 }, defects: [{ found: 2 }] });
    expect(code).toBe(0);
  }, 180_000);
});
