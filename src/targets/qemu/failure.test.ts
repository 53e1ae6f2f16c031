import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Operation } from '../../../spec/interface/operations.js';
import { TargetUnavailable } from '../../../spec/interface/target.js';
import { Pipeline } from './pipeline.js';
import { probeQemu } from './probe.js';
import { createQemuTarget, type QemuOptions, type QemuTarget } from './target.js';
import { endingMessage, Trouble, withoutTraces } from './trouble.js';

const readStatus: Operation = { op: 'regRead', component: 'iommu0', register: 'GSTS', size: 4 };
/** Eight bytes at once to a register of four: QEMU asserts that nobody does that. */
const assertion: Operation = { op: 'regWrite', component: 'iommu0', register: 'FECTL', size: 8, value: 0n };

const allow: Operation = { op: 'regWrite', component: 'iommu0', register: 'FECTL', size: 4, value: 0n };

const targets: QemuTarget[] = [];
const folders: string[] = [];

async function started(options: QemuOptions = {}): Promise<QemuTarget> {
  const target = createQemuTarget(options);
  targets.push(target);
  expect(await target.begin('ready')).toBeUndefined();
  return target;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'iovcheck-test-'));
  folders.push(made);
  return made;
}

function script(text: string): string {
  const path = join(folder(), 'qemu-like');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

async function refusal(work: Promise<unknown>): Promise<TargetUnavailable> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TargetUnavailable);
  return error as TargetUnavailable;
}

afterEach(async () => {
  await Promise.all(targets.splice(0).map((target) => target.close()));
  for (const made of folders.splice(0)) {
    rmSync(made, { recursive: true, force: true });
  }
});

describe('a QEMU that fails', () => {
  it('names the operation and the assertion of a crash, equally each time, and starts again', async () => {
    const target = await started();
    const { observations, failure } = await target.run([readStatus, readStatus, assertion, allow, readStatus]);
    expect(observations).toHaveLength(2);
    expect(failure).toMatchObject({ kind: 'crash', at: 2 });
    expect(failure?.message).toMatch(
      /^QEMU ended: SIGABRT: hw\/i386\/intel_iommu\.c:\d+: vtd_mem_write: Assertion `size == 4' failed\.$/,
    );
    expect(failure?.output).toContain('Assertion');
    await expect(target.run([readStatus])).rejects.toThrow(/before it was begun, or after it had failed/);
    expect(await target.finish()).toEqual({ late: [] });

    expect(await target.begin('ready')).toBeUndefined();
    const again = await target.run([readStatus, assertion], { oneByOne: true });
    expect(again.observations).toMatchObject([{ value: 0xc000_0000n }]);
    expect(again.failure).toMatchObject({ kind: 'crash', at: 1, message: failure?.message });
  });

  it('does not hide that a poll before the crash was not satisfied', async () => {
    const target = await started();
    const never = { mask: 1n << 31n, expect: 0n, limit: 3 } as const;
    const poll: Operation = { op: 'poll', component: 'iommu0', register: 'GSTS', size: 4, ...never };
    const { observations, failure } = await target.run([poll, readStatus, assertion]);
    expect(observations).toMatchObject([{ of: 'poll', satisfied: false, reads: 3 }, { value: 0xc000_0000n }]);
    expect(failure).toMatchObject({ kind: 'crash', at: 2 });
  });

  it('is a crash when somebody kills it in mid-run', async () => {
    const target = await started();
    const before = target.pid!;
    spawn('sh', ['-c', `sleep 0.2; kill -KILL ${before}`], { stdio: 'ignore' });
    let failure: unknown;
    let seen = 0;
    while (failure === undefined) {
      const result = await target.run(new Array<Operation>(100).fill(readStatus));
      failure = result.failure;
      seen += result.observations.length;
    }
    expect(failure).toMatchObject({ kind: 'crash', message: 'QEMU ended: SIGKILL' });
    expect((failure as { at: number }).at).toBeGreaterThanOrEqual(seen);
    expect(await target.begin('ready')).toBeUndefined();
    expect(target.pid).not.toBe(before);
    expect(await target.run([readStatus])).toMatchObject({ observations: [{ value: 0xc000_0000n }] });
  });

  it('is a hang when it falls silent', async () => {
    const target = await started({ timeoutMs: 300 });
    process.kill(target.pid!, 'SIGSTOP');
    const { observations, failure } = await target.run([readStatus, readStatus]);
    expect(observations).toEqual([]);
    expect(failure).toMatchObject({ kind: 'hang', at: 0, message: 'QEMU does not answer' });
    expect(await target.begin('reset')).toBeUndefined();
    process.kill(target.pid!, 'SIGSTOP');
    expect(await target.begin('reset')).toMatchObject({ kind: 'hang' });
    expect(await target.begin('ready', { cold: true })).toBeUndefined();
  });

  it('is nonsense when a reply is none', async () => {
    const pipeline = new Pipeline({ exchange: async () => ['OK 0x1', 'FAIL Unknown command'] });
    pipeline.read('readl 0x0', () => {}, 3);
    pipeline.add('writel 0x0 0x0', 4);
    await expect(pipeline.flush()).rejects.toEqual(
      new Trouble('nonsense', 'QEMU answers "FAIL Unknown command" to writel', 4),
    );
  });

  it('keeps what it printed where asked', async () => {
    const logFolder = folder();
    const target = await started({ logFolder });
    await target.run([assertion]);
    const [log] = readdirSync(logFolder);
    expect(readFileSync(join(logFolder, log!), 'utf8')).toContain('Assertion');
  });
});

describe('a QEMU that cannot be used', () => {
  it('is missing', async () => {
    const error = await refusal(createQemuTarget({ qemuPath: '/nowhere/qemu' }).describe());
    expect(error.message).toBe('QEMU "/nowhere/qemu" was not found: there is no such file');
    expect(error.hint).toContain('apt-get install qemu-system-x86');
    expect((await refusal(probeQemu('qemu-of-nobody'))).message).toContain('not in PATH');
  });

  it('is not executable', async () => {
    const path = script('');
    chmodSync(path, 0o644);
    expect((await refusal(probeQemu(path))).message).toBe(`${path} is not executable`);
  });

  it('is not QEMU', async () => {
    const error = await refusal(createQemuTarget({ qemuPath: '/bin/true' }).begin('ready'));
    expect(error.message).toBe('/bin/true is not a QEMU system emulator');
  });

  it('is too old, or has no accelerator', async () => {
    const old = script('echo "QEMU emulator version 5.2.0 (Debian 1:5.2)"');
    expect((await refusal(probeQemu(old))).message).toContain('is QEMU 5.2.0; version 6.0 or newer is needed');
    const bare = script('echo "QEMU emulator version 9.1.0"');
    expect((await refusal(probeQemu(bare))).message).toContain('neither of the accelerators');
  });

  it('dies at start', async () => {
    const error = await refusal(createQemuTarget({ properties: 'no-such-property=on' }).describe());
    expect(error.message).toMatch(/\(QEMU [\d.]+\) dies at start: QEMU ended: exit status 1: .*no-such-property/);
  });
});

describe('probe', () => {
  it('finds the installed QEMU', async () => {
    const found = await probeQemu('qemu-system-x86_64');
    expect(found.path).toMatch(/^\/.*qemu-system-x86_64$/);
    expect(found.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(['qtest', 'tcg']).toContain(found.accel);
  });
});

describe('endings', () => {
  it('reads equal when equal things happened', () => {
    const text = 'qemu-system-x86_64: /build/qemu-7.2/hw/pci/msi.c:44: oops: pid 4711 at 0x7f00deadbeef';
    expect(withoutTraces(text)).toBe('msi.c:44: oops: pid N at 0x…');
    const stderr = 'qemu-system-x86_64: warning: something else\n';
    expect(endingMessage({ status: 139, stderr })).toBe('QEMU ended: SIGSEGV');
    expect(endingMessage({ status: 1, stderr })).toBe('QEMU ended: exit status 1: warning: something else');
    expect(
      endingMessage({
        status: 134,
        stderr: 'qemu: hardware error: EDU: DMA range 0x40000000-0x40001000 bad\nCPU #0:\nRAX=0',
      }),
    ).toBe('QEMU ended: SIGABRT: hardware error: EDU: DMA range 0x…-0x… bad');
  });
});
