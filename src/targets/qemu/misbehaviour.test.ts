import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Operation } from '../../../spec/interface/operations.js';
import type { TargetFailure } from '../../../spec/interface/scenario.js';
import { main } from '../../cli/cli.js';
import { checkComponent, defaultWorld } from '../../cli/default-world.js';
import { decodeCase, decodeReport } from '../../formats/index.js';
import { QmpClient } from './qmp.js';
import { createQemuTarget, type QemuTarget } from './target.js';

const QEMU = 'qemu-system-x86_64';
const readStatus: Operation = { op: 'regRead', component: 'iommu0', register: 'GSTS', size: 4 };

/** Stands between the harness and QEMU's qtest pipes, and says what the file MODE asks for instead of QEMU's answers. */
const LIAR = (mode: string): string => `#!/usr/bin/env node
const { spawn, execFileSync } = require('node:child_process');
const fs = require('node:fs');
const args = process.argv.slice(2);
const at = args.indexOf('-qtest') + 1;
const theirs = at > 0 ? args[at].slice('pipe:'.length) : '';
const ours = theirs + '-own';
if (at > 0) {
  execFileSync('mkfifo', [ours + '.in', ours + '.out']);
  args[at] = 'pipe:' + ours;
}
const qemu = spawn('${QEMU}', args, { stdio: 'inherit' });
qemu.on('exit', (code) => process.exit(code ?? 1));
if (at > 0) {
  fs.createReadStream(theirs + '.in').pipe(fs.createWriteStream(ours + '.in', { flags: 'r+' }));
  const out = fs.createWriteStream(theirs + '.out', { flags: 'r+' });
  const flood = (text) => { while (out.write(text)); out.once('drain', () => flood(text)); };
  fs.createReadStream(ours + '.out').on('data', (chunk) => {
    const mode = fs.existsSync('${mode}') ? fs.readFileSync('${mode}', 'utf8') : '';
    if (mode === 'silent') return;
    if (mode === 'endless') return flood('x'.repeat(65536));
    if (mode === 'lines') return flood('OK 0x0\\n'.repeat(8192));
    if (mode === 'foreign') return out.write('HELLO\\n'.repeat(chunk.toString().split('\\n').length - 1));
    out.write(mode === 'more' ? chunk + 'OK 0x1\\n' : chunk);
  });
}
`;

const folders: string[] = [];
const targets: QemuTarget[] = [];

afterEach(async () => {
  await Promise.all(targets.splice(0).map((target) => target.close()));
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'iovcheck-test-'));
  folders.push(made);
  return made;
}

function program(text: string, name: string = 'qemu-like'): string {
  const path = join(folder(), name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

function created(qemuPath: string, timeoutMs = 10_000): QemuTarget {
  const target = createQemuTarget({ qemuPath, timeoutMs });
  targets.push(target);
  return target;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // What is dead and was not waited for yet does nothing any more.
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<boolean> {
  for (let waited = 0; waited < 500 && isAlive(pid); waited += 1) await delay(20);
  return !isAlive(pid);
}

function pidIn(file: string): number {
  return Number(readFileSync(file, 'utf8'));
}

/** Scenarios, one after the other, until one fails. */
async function firstFailure(target: QemuTarget): Promise<TargetFailure> {
  for (;;) {
    const refused = await target.begin('ready');
    if (refused !== undefined) return refused;
    const { failure } = await target.run(new Array<Operation>(50).fill(readStatus));
    if (failure !== undefined) return failure;
  }
}

describe('a QEMU that lies on its socket', () => {
  it.each([
    ['foreign', 'nonsense', 'QEMU answers "HELLO" to'],
    ['more', 'nonsense', /QEMU answers (more lines than it was sent|what it was not asked|")/],
    ['lines', 'nonsense', /QEMU answers (more lines than it was sent|what it was not asked|")/],
    ['endless', 'nonsense', 'QEMU answers a line without end'],
    ['silent', 'hang', 'QEMU does not answer'],
  ] as const)('%s: a %s, and the next begins anew', async (mode, kind, message) => {
    const file = join(folder(), 'mode');
    const target = created(program(LIAR(file), 'liar.cjs'), 5000);
    expect(await target.begin('ready')).toBeUndefined();
    const liar = target.pid!;
    writeFileSync(file, mode);
    const failure = await firstFailure(target);
    expect(failure.kind).toBe(kind);
    expect(failure.message).toMatch(message);
    expect(await gone(liar)).toBe(true);
    rmSync(file);
    expect(await target.begin('ready')).toBeUndefined();
    expect(await target.run([readStatus])).toMatchObject({ observations: [{ value: 0xc000_0000n }] });
  });

  it.each([
    ['words', 'what is this\n', /does not speak QMP/],
    ['a number', '5\n', /does not speak QMP/],
    ['a line without end', 'x'.repeat(0x20_0000), /a line without end/],
    ['a refusal', '{"error":{"desc":"no"}}\n', /refuses qmp_capabilities: no/],
  ])('with %s on QMP', async (_, said, message) => {
    const path = join(folder(), 'qmp');
    const server = createServer((socket) => socket.on('error', () => {}).write(said));
    await new Promise<void>((done) => server.listen(path, done));
    const socket: Socket = dial(path);
    const client = new QmpClient(socket, 20_000);
    await expect(client.open()).rejects.toMatchObject({ kind: 'nonsense', message: expect.stringMatching(message) });
    client.close();
    server.close();
  });
});

describe('a QEMU that floods', () => {
  /** Prints without end besides its work, the first time it runs. */
  const flooder = (where: string, pidFile: string): string =>
    program(`#!/bin/sh
case "$*" in *-qtest*) [ -e '${pidFile}' ] || { yes 'a warning that nobody wants' ${where} & echo $! >'${pidFile}'; };; esac
exec ${QEMU} "$@"
`);

  it('its standard error is ended, with bounded memory, and starts again', async () => {
    const file = join(folder(), 'pid');
    const target = created(flooder('>&2', file));
    const before = process.memoryUsage().rss;
    const failure = await firstFailure(target);
    expect(failure).toMatchObject({ kind: 'nonsense', message: 'QEMU floods its standard error' });
    expect(failure.output!.length).toBeLessThan(10_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(500e6);
    expect(await gone(pidIn(file))).toBe(true);
    expect(await target.begin('ready')).toBeUndefined();
    expect(await target.run([readStatus])).toMatchObject({ observations: [{ value: 0xc000_0000n }] });
  });

  it('its standard output is not read, and ends with it', async () => {
    const file = join(folder(), 'pid');
    const target = created(flooder('', file));
    expect(await target.begin('ready')).toBeUndefined();
    expect(await target.run([readStatus])).toMatchObject({ observations: [{ value: 0xc000_0000n }] });
    expect(isAlive(pidIn(file))).toBe(true);
    await target.close();
    expect(await gone(pidIn(file))).toBe(true);
  });
});

describe('a QEMU behind a program that starts it', () => {
  it('is gone with it', async () => {
    const file = join(folder(), 'pid');
    const wrapper = program(`#!/bin/sh
case "$*" in *-qtest*) ${QEMU} "$@" & echo $! >'${file}'; wait $!;; *) ${QEMU} "$@";; esac
`);
    const target = created(wrapper);
    expect(await target.begin('ready')).toBeUndefined();
    const pid = pidIn(file);
    expect(isAlive(pid)).toBe(true);
    await target.close();
    expect(await gone(pid)).toBe(true);
  });
});

describe('a campaign on a QEMU that misbehaves', () => {
  it('goes on after each restart, and reports it with a stored case', async () => {
    const cwd = folder();
    const starts = join(cwd, 'starts');
    // Every one dies of its own accord a little after its start.
    const wrapper = program(`#!/bin/sh
case "$*" in *-qtest*) echo >>'${starts}'; ( sleep 1; echo 'qemu: fatal: had enough' >&2; kill -ABRT $$ ) & ;; esac
exec ${QEMU} "$@"
`);
    let out = '';
    const write = (text: string): void => {
      out += text;
    };
    const io = {
      stdout: { write },
      stderr: { write: () => {} },
      env: {},
      cwd,
      onInterrupt: () => () => {},
      exitNow: () => {},
    };
    const args = ['run', 'dma-translation', '--target', 'qemu', '--aw-bits', '48', '--qemu', wrapper, '--time', '8s'];
    const code = await main(args, io, defaultWorld);
    expect([1, 2, 3]).toContain(code);
    expect(out).toContain('TARGET');
    const report = decodeReport(readFileSync(join(cwd, '.iovcheck/report.json'), 'utf8'), 'report.json');
    expect(report.runs[0]!.totals.restarts).toBeGreaterThan(0);
    const failure = report.runs[0]!.deviations.find(({ clause }) => clause === 'TARGET');
    expect(failure).toMatchObject({ kind: 'crash', discriminator: expect.stringContaining('had enough') });
    const file = join(cwd, failure!.file);
    expect(decodeCase(readFileSync(file, 'utf8'), file, checkComponent).identity.clause).toBe('TARGET');
    expect(readFileSync(starts, 'utf8').length).toBeGreaterThan(1);
    expect(existsSync(join(cwd, '.iovcheck/in-flight.json'))).toBe(false);
    expect(readdirSync(join(cwd, '.iovcheck')).sort()).toEqual(['cases', 'report.json', 'summary.md']);
  }, 120_000);
});
