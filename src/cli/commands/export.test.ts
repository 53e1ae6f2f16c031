import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TargetUnavailable } from '../../../spec/interface/target.js';
import { encodeCase, readCase } from '../../formats/index.js';
import type { StoredCase } from '../../harness/index.js';
import { probeQemu } from '../../targets/qemu/probe.js';
import { defaultWorld } from '../default-world.js';
import { knownDeviations } from '../stored.js';
import { runCli } from '../testing.js';

const WORLD = defaultWorld();
const CASES = knownDeviations(WORLD, 'qemu', WORLD.root).map((each) =>
  join(WORLD.root, 'properties', 'known', each.case),
);
const PAGE_TABLE_CASE = CASES.find((file) => file.includes('VTD-SS-005-fault-not-recorded-1802d4826c'))!;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'iovcheck-export-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Why there is nothing to run scripts on, if so. */
const missing = await probeQemu('qemu-system-x86_64').then(
  () => undefined,
  (error: unknown) => {
    if (error instanceof TargetUnavailable) return error.message;
    throw error;
  },
);

interface Ran {
  readonly code: number;
  readonly last: string;
  readonly text: string;
}

function sh(file: string): Promise<Ran> {
  return new Promise((done) => {
    execFile('/bin/sh', [file], { env: { ...process.env, TMPDIR: folder } }, (error, text) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      done({ code, text, last: text.trimEnd().split('\n').at(-1)! });
    });
  });
}

async function exported(file: string): Promise<string> {
  const output = join(folder, `${basename(file)}.sh`);
  const { code, err } = await runCli(['export', file, '--format', 'qtest', '--output', output]);
  expect(err).toBe('');
  expect(code).toBe(0);
  return output;
}

/** A stored case, changed. */
function changed(name: string, change: (stored: StoredCase) => StoredCase): string {
  const file = join(folder, name);
  writeFileSync(file, encodeCase(change(readCase(PAGE_TABLE_CASE, WORLD.checkComponent))));
  return file;
}

describe('a script of every known deviation of QEMU', () => {
  it.for(CASES.map((file) => [basename(file, '.json'), file] as const))(
    '%s shows its deviation',
    async ([, file], context) => {
      if (missing !== undefined) context.skip(`no QEMU to run it on: ${missing}`);
      const { identity, expected, observed } = readCase(file, WORLD.checkComponent);
      const script = await exported(file);
      const { code, last, text } = await sh(script);
      const finding = `${identity.clause} ${identity.kind}: ${identity.discriminator}`;
      // An end is told in QEMU's own words, which the recorded ones are taken from.
      const shown =
        identity.kind === 'crash' ? (/Assertion .* failed\./.exec(observed)?.[0] ?? 'QEMU ended') : observed;
      expect(last, text).toContain(`DEVIATES: ${finding}: expected ${expected}; observed `);
      expect(last.slice(last.indexOf('; observed ')), text).toContain(shown);
      expect(text).not.toContain('<== differs');
      expect(code).toBe(1);
      rmSync(script);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it('tells a value that the specification admits from one that it does not', async (context) => {
    if (missing !== undefined) context.skip(`no QEMU to run it on: ${missing}`);
    // The fault is recorded by QEMU when nothing has filled the IOTLB before: the case without its first request.
    const right = await sh(await exported(changed('right.json', withoutFirstRequest)));
    expect(right.last).toMatch(/^AS EXPECTED: VTD-SS-005 /);
    expect(right.code).toBe(0);
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
  });
});

/** The case as it would be if the write alone had not been recorded. */
function withoutFirstRequest(stored: StoredCase): StoredCase {
  const { scenario, history } = stored;
  if (scenario.level !== 'operations') throw new Error('expected operations');
  const isRead = ({ operation }: (typeof history.steps)[number]): boolean =>
    operation.op === 'dma' && operation.direction === 'read';
  const steps = history.steps
    .filter((step) => !isRead(step))
    .map(({ operation, observation }, tick) => ({
      operation,
      observation: { ...observation, begin: tick, complete: tick },
    }));
  const operations = steps.map(({ operation }) => operation);
  return { ...stored, scenario: { ...scenario, operations }, history: { ...history, steps } };
}

describe('export', () => {
  it('writes to standard output where no file is named', async () => {
    const { code, out } = await runCli(['export', PAGE_TABLE_CASE, '--format', 'qtest']);
    expect(code).toBe(0);
    expect(out).toMatch(/^#!\/bin\/sh\n# VTD-SS-005 fault-not-recorded: PTE\.W=0: 5h→no record\n/);
    expect(out).toContain('# The rule: A write is allowed only if W=1 in every entry of the walk');
  });

  it('names what it cannot do, and exits with 64, or with 73 where it cannot write', async () => {
    const stimuli = changed('stimuli.json', (stored) => ({
      ...stored,
      scenario: {
        level: 'stimuli',
        start: 'ready',
        software: { name: 'hypervisor', configuration: {} },
        stimuli: [],
        schedule: [],
      },
    }));
    const silent = changed('silent.json', (stored) => ({
      ...stored,
      history: { ...stored.history, steps: stored.history.steps.slice(0, -1) },
    }));
    const nonsense = changed('nonsense.json', (stored) => ({
      ...stored,
      identity: { clause: 'TARGET', kind: 'nonsense', discriminator: 'it answers "?"' },
      history: { ...stored.history, failure: { kind: 'nonsense', message: 'it answers "?"' } },
    }));
    const elsewhere = changed('elsewhere.json', (stored) => ({
      ...stored,
      profile: { ...stored.profile, implementation: 'engine 1' },
      history: { ...stored.history, profile: { ...stored.profile, implementation: 'engine 1' } },
    }));
    const locked = join(folder, 'locked');
    writeFileSync(locked, '');
    chmodSync(locked, 0o400);
    const qtest = ['--format', 'qtest'];
    const refusals: readonly (readonly [readonly string[], string])[] = [
      [['export'], 'export: expected FILE, got nothing'],
      [['export', 'a', 'b', ...qtest], 'export: expected one file, got "b" too'],
      [['export', PAGE_TABLE_CASE], '--format: expected qtest, got none'],
      [['export', PAGE_TABLE_CASE, '--format', 'rtl'], 'unknown format "rtl": expected qtest'],
      [['export', '/nowhere/case.json', ...qtest], '/nowhere/case.json: no such file'],
      [
        ['export', stimuli, ...qtest],
        'its scenario is for software under test ("hypervisor"), which a script cannot be',
      ],
      [['export', silent, ...qtest], 'its history does not show its finding when it is judged now'],
      [['export', nonsense, ...qtest], 'a target that fails by "it answers "?"" cannot be shown by a script'],
      [['export', elsewhere, ...qtest], 'the case is of "engine 1", not of QEMU\'s intel-iommu'],
      [['export', PAGE_TABLE_CASE, ...qtest, '--output', join(locked, 'x.sh')], 'a part of the path is not a folder'],
    ];
    for (const [argv, message] of refusals) {
      const { code, out, err } = await runCli(argv);
      expect(err).toContain(message);
      expect(err.trim().split('\n')).toHaveLength(1);
      expect([code, out]).toEqual([message === 'a part of the path is not a folder' ? 73 : 64, '']);
    }
    expect(statSync(locked).size).toBe(0);
    expect(readFileSync(stimuli, 'utf8')).toContain('stimuli');
  });
});
