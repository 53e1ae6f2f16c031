import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQemuTarget } from './target.js';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const GONE_WITHIN_MS = 10_000;

/** Starts the target, says which QEMU it is, and works without end. */
const HARNESS = `
import { createQemuTarget } from './out/src/targets/qemu/target.js';
const target = createQemuTarget();
await target.begin('ready');
console.log(target.pid);
for (;;) {
  await target.begin('ready');
  await target.run([{ op: 'regRead', component: 'iommu0', register: 'GSTS', size: 4 }]);
}
`;

function compile(folder: string): void {
  const program = ts.createProgram([join(ROOT, 'src/targets/qemu/target.ts')], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    rootDir: ROOT,
    outDir: join(folder, 'out'),
    noCheck: true,
    noLib: true,
    types: [],
  });
  program.emit();
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'harness.js'), HARNESS);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The private folder of a QEMU, from its command line. */
function folderOf(pid: number): string {
  const found = /mem-path=([^,]*)\/ram,/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  expect(found).not.toBeNull();
  return found![1]!;
}

async function holdsWithin(ms: number, condition: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < ms && !condition(); waited += 20) {
    await delay(20);
  }
  return condition();
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolveLine, reject) => {
    let text = '';
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('\n')) {
        resolveLine(text.split('\n')[0]!);
      }
    });
    child.once('exit', () => reject(new Error(`the harness ended before it had started QEMU: ${errors}`)));
  });
}

describe('nothing is left behind', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'iovcheck-cleanup-'));
    compile(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('when the target is closed', async () => {
    const target = createQemuTarget();
    await target.begin('ready');
    const pid = target.pid!;
    const memory = folderOf(pid);
    expect(isAlive(pid) && existsSync(memory)).toBe(true);
    await target.close();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(memory)).toBe(false);
    expect(target.pid).toBeUndefined();
  });

  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)('when the harness gets %s', async (signal) => {
    const child = spawn(process.execPath, ['harness.js'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const pid = Number(await firstLine(child));
    const memory = folderOf(pid);
    expect(isAlive(pid) && existsSync(memory)).toBe(true);
    child.kill(signal);
    expect(await holdsWithin(GONE_WITHIN_MS, () => !isAlive(pid) && !existsSync(memory))).toBe(true);
    expect(await holdsWithin(GONE_WITHIN_MS, () => child.exitCode !== null || child.signalCode !== null)).toBe(true);
  });
});
