import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCase, decodeReplayable } from '../formats/index.js';
import { checkComponent } from './default-world.js';
import { type Ended, type Installed, installPlanted, start } from './process-testing.js';

const RUN = [
  'run',
  'dma-isolation',
  '--target',
  'engine',
  '--shape',
  '48-1g',
  '--cases',
  '12',
  '--time',
  '5s',
  '--seed',
  '3',
];
const FULL = 'no space left on the disk';

let installed: Installed;
let folder: string;
beforeAll(() => {
  installed = installPlanted();
  folder = mkdtempSync(join(tmpdir(), 'iovcheck-disk-'));
}, 120_000);
afterAll(() => {
  installed.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a shell script that ends in `exec "$@"` with the program: what it does with its process id concerns the program. */
function inShell(cwd: string, script: string, ...more: readonly string[]): Promise<Ended> {
  const program = [process.execPath, installed.main, ...RUN, ...more];
  return start(cwd, '/bin/sh', '-c', `${script}\nexec "$@"`, 'sh', ...program).ended;
}

function place(): string {
  return mkdtempSync(join(folder, 'run-'));
}

/** The messages about what went wrong, of which there is to be one. */
function complaints(err: string): readonly string[] {
  return err.split('\n').filter((line) => line.startsWith('iovcheck: '));
}

/** Temporary files are named after the process: the shell makes the file one that is always full. */
const full = (name: string): string => `mkdir -p out/cases; ln -s /dev/full "out/${name}.$$.tmp"`;

describe('a disk that is full', () => {
  it('for the case in flight: nothing runs', async () => {
    const cwd = place();
    const { code, err, out } = await inShell(cwd, full('in-flight.json'), '--out', 'out');
    expect([code, out]).toEqual([73, '']);
    expect(complaints(err)).toEqual([`iovcheck: ${join(cwd, 'out/in-flight.json')}: ${FULL}`]);
    expect(readdirSync(join(cwd, 'out'))).toEqual(['cases']);
  });

  it('for a case, for a moment: the run ends, and the case is kept as soon as it can be', async () => {
    const found = place();
    expect((await inShell(found, '', '--out', 'out')).code).toBe(1);
    const names = readdirSync(join(found, 'out/cases'));
    const cwd = place();
    const script = names.map((name) => full(`cases/${name}`)).join('\n');
    const { code, err, out } = await inShell(cwd, script, '--out', 'out');
    expect(code).toBe(73);
    expect(complaints(err)).toHaveLength(1);
    expect(err).toMatch(/iovcheck: \S+out\/cases\/\S+\.json: no space left on the disk\n$/);
    expect(out).toContain('interrupted');
    for (const name of readdirSync(join(cwd, 'out/cases'))) {
      expect(out).toContain(`npx iovcheck replay out/cases/${name} --target engine`);
      decodeCase(readFileSync(join(cwd, 'out/cases', name), 'utf8'), name, checkComponent);
    }
    expect(readdirSync(join(cwd, 'out')).sort()).toEqual(['cases', 'in-flight.json', 'report.json', 'summary.md']);
    const again = start(cwd, process.execPath, installed.main, 'replay', 'out/in-flight.json');
    expect(await again.ended).toMatchObject({ code: 1, out: expect.stringContaining('deviant') });
  });

  it('for a file of the report: it is on the terminal, the other file is written, and the cases are kept', async () => {
    for (const [lost, other] of [
      ['report.json', 'summary.md'],
      ['summary.md', 'report.json'],
    ] as const) {
      const cwd = place();
      const { code, err, out } = await inShell(cwd, full(lost), '--out', 'out');
      expect(code).toBe(73);
      expect(complaints(err)).toEqual([`iovcheck: ${join(cwd, 'out', lost)}: ${FULL}`]);
      expect(out).toContain('DEVIANT');
      expect(readdirSync(join(cwd, 'out')).sort()).toEqual(['cases', other].sort());
      for (const name of readdirSync(join(cwd, 'out/cases'))) {
        decodeCase(readFileSync(join(cwd, 'out/cases', name), 'utf8'), name, checkComponent);
      }
    }
  });

  it('for standard output: one message, and the report is in its files', async () => {
    const cwd = place();
    const { code, err } = await inShell(cwd, 'exec >/dev/full', '--out', 'out');
    expect(code).toBe(73);
    expect(complaints(err)).toEqual([`iovcheck: standard output: ${FULL}`]);
    expect(existsSync(join(cwd, 'out/summary.md'))).toBe(true);
  });

  it('for standard error: the run goes on', async () => {
    const cwd = place();
    expect(await inShell(cwd, 'exec 2>/dev/full', '--out', 'out')).toMatchObject({
      code: 1,
      out: expect.stringContaining('DEVIANT'),
    });
  });

  it('in the middle, file by file smaller than a case: what there is room for is kept', async () => {
    const cwd = place();
    // Blocks of 512 bytes: the record in flight fits, a case does not.
    const { code, err, out } = await inShell(cwd, 'ulimit -f 2', '--out', 'out');
    expect(code).toBe(73);
    expect(complaints(err)).toHaveLength(1);
    expect(err).toContain('/out/cases/');
    expect(out).toContain('its case could not be written');
    expect(out).toContain('npx iovcheck run dma-isolation --target engine --seed 3 --shape 48-1g');
    const kept = readdirSync(join(cwd, 'out'), { recursive: true, encoding: 'utf8' });
    expect(kept.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const record = decodeReplayable(readFileSync(join(cwd, 'out/in-flight.json'), 'utf8'), 'in-flight.json');
    expect(record.format).toBe('iovcheck-in-flight');
  });

  it('of 48 KiB: the run ends with what it has, and everything on it is whole', async () => {
    const cwd = place();
    const mount = 'mkdir out && mount -t tmpfs -o size=48k none out || exit 99';
    // What is on it is copied before it goes with its namespace.
    const program = [process.execPath, installed.main, ...RUN, '--out', 'out'];
    const script = `${mount}\ndd if=/dev/zero of=out/ballast bs=1k count=30 2>/dev/null\n"$@"\ncode=$?\ncp -r out kept\nexit $code`;
    const { code, err, out } = await start(cwd, 'unshare', '-m', '/bin/sh', '-c', script, 'sh', ...program).ended;
    if (code === 99 || err.startsWith('unshare:')) {
      console.log('no file system can be mounted here: left out');
      return;
    }
    expect(code).toBe(73);
    expect(complaints(err)).toHaveLength(1);
    expect(err).toContain(FULL);
    expect(out).toMatch(/VTD-SS-\d+/);
    for (const name of readdirSync(join(cwd, 'kept'), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.json') || name === 'report.json') continue;
      decodeReplayable(readFileSync(join(cwd, 'kept', name), 'utf8'), name, checkComponent);
    }
  });
});

describe('a folder that cannot be written', () => {
  it.each([
    ['below a file', 'file/deeper', 'a part of the path is not a folder'],
    ['that is a file', 'file', 'a part of the path is not a folder'],
    ['of the system', '/proc/iovcheck', 'no such file'],
  ])('%s: one message before anything runs', async (_, out, reason) => {
    const cwd = place();
    writeFileSync(join(cwd, 'file'), 'mine');
    const ended = await inShell(cwd, '', '--out', out);
    expect([ended.code, ended.out]).toEqual([73, '']);
    expect(ended.err).toBe(`iovcheck: ${out.startsWith('/') ? out : join(cwd, out)}: ${reason}\n`);
    expect(readFileSync(join(cwd, 'file'), 'utf8')).toBe('mine');
  });

  it('with a file in the place of the cases: told before anything runs', async () => {
    const cwd = place();
    mkdirSync(join(cwd, 'out'));
    writeFileSync(join(cwd, 'out/cases'), 'mine');
    const { code, err } = await inShell(cwd, '', '--out', 'out');
    expect(code).not.toBe(0);
    expect(complaints(err)).toHaveLength(1);
    expect(readFileSync(join(cwd, 'out/cases'), 'utf8')).toBe('mine');
  });
});
