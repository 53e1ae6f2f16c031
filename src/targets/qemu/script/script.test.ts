import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Observation } from '../../../../spec/interface/observations.js';
import type { Operation, RegisterAddress } from '../../../../spec/interface/operations.js';
import type { Profile } from '../../../../spec/interface/profile.js';
import { paintWord, tokenBytes } from '../../../../spec/layout/tokens.js';
import { ARENA, MEMORY, REQUESTERS } from '../platform.js';
import { NoScript, qtestScript, type ScriptInput, type Sign } from './index.js';

const PROFILE: Profile = {
  name: 'QEMU',
  implementation: 'QEMU 7.2.22 intel-iommu aw-bits=39',
  components: {
    iommu0: {
      architecture: 'vtd',
      revision: '5.10',
      registers: { VER: 0x10n, CAP: 0xd2_008c_2226_0206n, ECAP: 0xf0_0f4an },
      parameters: { hostAddressWidth: 39 },
    },
  },
  requesters: REQUESTERS,
  memory: MEMORY,
  arena: { base: BigInt(ARENA.base), bytes: ARENA.bytes },
  limits: { tokens: 32, dmaBytes: 64 },
};

const frame = (number: number): bigint => BigInt(ARENA.base + number * 4096);
const register = (name: string, size: 4 | 8, rest: Partial<RegisterAddress> = {}): RegisterAddress => ({
  component: 'iommu0',
  register: name,
  size,
  ...rest,
});
const read = (name: string, size: 4 | 8, rest: Partial<RegisterAddress> = {}): Operation => ({
  op: 'regRead',
  ...register(name, size, rest),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'iovcheck-script-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** An input whose operation `at` was recorded as observed so. */
function input(operations: readonly Operation[], recorded: Partial<Observation>, sign: Sign): ScriptInput {
  const at = 'at' in sign ? sign.at : -1;
  const observations = operations.map(
    ({ op }, index) => ({ of: op, begin: index, complete: index, ...(index === at ? recorded : {}) }) as Observation,
  );
  return {
    source: 'from a test',
    finding: "VTD-TEST value-differs: it's 1 → 2",
    expected: 'what is right',
    observed: 'what is wrong',
    profile: PROFILE,
    start: 'ready',
    operations,
    observations,
    describe: ({ op }) => op,
    sign,
  };
}

interface Ran {
  readonly code: number;
  readonly lines: readonly string[];
}

/** Runs a script with a folder for temporary files of its own, which it must leave empty. */
async function run(text: string, args: readonly string[] = [], env: Record<string, string> = {}): Promise<Ran> {
  const file = join(folder, 'script.sh');
  const temporary = mkdtempSync(join(folder, 'tmp-'));
  writeFileSync(file, text);
  const ran = await new Promise<Ran>((done) => {
    const options = { env: { ...process.env, TMPDIR: temporary, ...env } };
    execFile('/bin/sh', [file, ...args], options, (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      done({ code, lines: stdout.trimEnd().split('\n') });
    });
  });
  expect(readdirSync(temporary), ran.lines.join('\n')).toEqual([]);
  return ran;
}

function program(text: string): string {
  const path = join(folder, 'qemu-like');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('a script', () => {
  it('says DEVIATES, AS EXPECTED or UNDECIDED by what a register shows', async () => {
    const told = async (recorded: bigint, sign: Partial<Extract<Sign, { kind: 'value' }>>): Promise<Ran> => {
      const operations = [read('GSTS', 4)];
      return run(qtestScript(input(operations, { value: recorded }, { kind: 'value', at: 0, admitted: [], ...sign })));
    };
    const deviates = await told(0xc000_0000n, {});
    expect(deviates.lines.at(-1)).toBe(
      "DEVIATES: VTD-TEST value-differs: it's 1 → 2: expected what is right; observed what is wrong",
    );
    expect(deviates.code).toBe(1);
    const expected = await told(0n, { admitted: [{ mask: 0x8000_0000n, wanted: 0x8000_0000n }] });
    expect(expected.lines.slice(-2)).toEqual([
      '    #0 iommu0.GSTS: expected 0x80000000 in the bits 0x80000000 (what is right), observed 0xc0000000    <== expected',
      "AS EXPECTED: VTD-TEST value-differs: it's 1 → 2 does not appear: what is right",
    ]);
    expect(expected.code).toBe(0);
    const neither = await told(0n, { admitted: [{ mask: 0xffff_ffffn, wanted: 1n }] });
    expect(neither.lines.at(-1)).toMatch(/^UNDECIDED: /);
    expect(neither.code).toBe(2);
  });

  it('counts in 64 bits: masks, references with fields, and what comes of them', async () => {
    const top = 1n << 63n;
    const operations: Operation[] = [
      { op: 'regWrite', ...register('IRTA', 8), value: 0xfedc_ba98_7654_3000n },
      read('IRTA', 8),
      { op: 'regWrite', ...register('IRTA', 8), value: { ref: 1, field: [63, 60], scale: 0x1000, plus: top } },
      { op: 'poll', ...register('IRTA', 8), mask: top, expect: top, limit: 3 },
      { op: 'regWrite', ...register('IRTA', 8), value: { ref: 1 } },
      { op: 'poll', ...register('IRTA', 8), mask: top, expect: 0n, limit: 3 },
    ];
    const text = qtestScript(input(operations, { value: 1n }, { kind: 'value', at: 5, admitted: [] }));
    const { lines } = await run(text.replaceAll('# iommu0.IRTA was not observed', 'see IRTA 0x0'));
    expect(lines.filter((line) => line.includes('observed'))).toEqual([
      expect.stringContaining('#1 IRTA: expected 0x0, observed 0xfedcba9876543000'),
      expect.stringContaining('#3 IRTA: expected 0x0, observed 0x800000000000f000'),
      expect.stringContaining('#5 iommu0.IRTA: expected what is right, observed 0xfedcba9876543000'),
      expect.stringContaining('UNDECIDED'),
    ]);
  });

  it('reads the fault record that the status names, after a request that found no entry', async () => {
    const index = { ref: 1, field: [15, 8] } as const;
    const operations: Operation[] = [
      { op: 'dma', requester: 'edu3', address: 0x1000n, direction: 'write', bytes: 4, token: 7 },
      read('FSTS', 4),
      read('FRCD', 8, { index, offset: 8 }),
    ];
    const admitted = [{ mask: 0x8000_00ff_0000_ffffn, wanted: 0x8000_0001_0000_0200n }];
    const { code, lines } = await run(qtestScript(input(operations, {}, { kind: 'value', at: 2, admitted })));
    expect(lines.at(-1)).toMatch(/^AS EXPECTED/);
    expect(code).toBe(0);
  });

  it('stores, paints, has devices write and read, resets, and shows what memory and devices hold', async () => {
    const token = tokenBytes(0, 3, 16);
    const written = new DataView(token.buffer).getBigUint64(0, true);
    const start: Operation[] = [
      { op: 'reset', scope: 'warm' },
      { op: 'store', address: frame(1), words: new Array<bigint>(40).fill(0n).with(3, 0x1234n) },
      { op: 'store', address: frame(1) + 8n * 30n, words: [0xffff_ffff_ffff_ffffn, 2n], repeat: 2 },
      { op: 'paint', address: frame(1) + 16n, bytes: 8 },
      { op: 'dma', requester: 'edu0', address: frame(1) + 8n, direction: 'write', bytes: 8, token: 3 },
      { op: 'dma', requester: 'edu1', address: frame(1) + 8n, direction: 'read', bytes: 16, token: 31 },
    ];
    const expected: readonly (readonly [number, bigint])[] = [
      [0, 0n],
      [1, written],
      [2, paintWord(frame(1) + 16n)],
      [3, 0x1234n],
      [4, 0n],
      [30, 0xffff_ffff_ffff_ffffn],
      [33, 2n],
      [34, 0n],
    ];
    const words = expected.map(([word, value]) => ({
      address: frame(1) + BigInt(word * 8),
      recorded: value ^ 1n,
      admitted: value,
    }));
    const load: Operation = { op: 'load', address: frame(1), bytes: 4096 };
    const memory = await run(qtestScript(input([...start, load], {}, { kind: 'words', at: 6, words })));
    expect(memory.lines.at(-1)).toMatch(/^AS EXPECTED/);
    expect(memory.code).toBe(0);
    const data = new Uint8Array(16);
    data.set(token.subarray(0, 8));
    new DataView(data.buffer).setBigUint64(8, paintWord(frame(1) + 16n), true);
    const device = await run(qtestScript(input(start, { data }, { kind: 'data', at: 5, admitted: [] })));
    expect(device.lines.at(-1)).toMatch(/^DEVIATES/);
    expect(device.code).toBe(1);
  });

  it('sends messages and reaches configuration space', async () => {
    const operations: Operation[] = [
      { op: 'message', requester: 'edu1', address: 0xfee0_0000n, data: 0x41n },
      { op: 'configWrite', function: 0x101, offset: 0x3c, size: 1, value: 0x1abn },
      { op: 'settle' },
      { op: 'signal', requester: 'edu2' },
      { op: 'configRead', function: 0x101, offset: 0x3c, size: 1 },
    ];
    const { lines } = await run(
      qtestScript(input(operations, { value: 0xabn }, { kind: 'value', at: 4, admitted: [] })),
    );
    expect(lines.at(-1)).toMatch(/^DEVIATES/);
  });

  it('takes the end of QEMU for the deviation where that is what was found, and only there', async () => {
    /** Eight bytes at once to a register of four: QEMU asserts that nobody does that. */
    const fatal: Operation = { op: 'regWrite', ...register('FECTL', 8), value: 0n };
    const crash = await run(qtestScript(input([fatal], {}, { kind: 'ending' })));
    expect(crash.lines.at(-1)).toMatch(/^DEVIATES/);
    expect(crash.lines.at(-2)).toMatch(/#0: observed: QEMU ended \(signal 6\): .*assert/i);
    const alive = await run(qtestScript(input([read('GSTS', 4)], {}, { kind: 'ending' })));
    expect([alive.code, alive.lines.at(-1)]).toEqual([0, expect.stringMatching(/^AS EXPECTED/)]);
    const other = await run(
      qtestScript(input([fatal, read('GSTS', 4)], { value: 0n }, { kind: 'value', at: 1, admitted: [] })),
    );
    expect(other.code).toBe(2);
    expect(other.lines.join('\n')).toContain('TROUBLE: QEMU ended (signal 6) at #0, which this case does not expect');
  });
});

describe('trouble', () => {
  const text = qtestScript(input([read('GSTS', 4)], { value: 0n }, { kind: 'value', at: 0, admitted: [] }));

  it('names a QEMU that is missing, that is none, and that ends at once', async () => {
    const version = 'case $1 in --version) echo "QEMU emulator version 9.9.9"; exit;; -accel) exit;; esac';
    const cases = [
      ['/nowhere/qemu', 'TROUBLE: /nowhere/qemu was not found: name a qemu-system-x86_64 as first argument or in QEMU'],
      [program('echo hello'), 'is not QEMU'],
    ] as const;
    for (const [qemu, message] of cases) {
      const { code, lines } = await run(text, [qemu]);
      expect(lines.at(-1)).toContain(message);
      expect(code).toBe(2);
    }
    const { code, lines } = await run(text, [], {
      QEMU: program(`${version}\necho "no such device: edu" >&2; exit 1`),
    });
    expect(lines.join('\n')).toContain('TROUBLE: QEMU ended at start (exit status 1)');
    expect(lines.at(-1)).toBe('    no such device: edu');
    expect(code).toBe(2);
  });

  it('does not wait for ever for a QEMU that is silent, and ends it', async () => {
    const version = 'case $1 in --version) echo "QEMU emulator version 9.9.9"; exit;; -accel) exit;; esac';
    const qemu = program(`${version}\necho $$ >${folder}/pid; exec sleep 60`);
    const { code, lines } = await run(text, [qemu], { LIMIT: '1' });
    expect(lines.at(-1)).toBe('TROUBLE: QEMU did not get done within 1 seconds');
    expect(code).toBe(2);
    const pid = readFileSync(join(folder, 'pid'), 'utf8').trim();
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

describe('what cannot be a script is refused', () => {
  const sign: Sign = { kind: 'value', at: 0, admitted: [] };
  it.each<[string, ScriptInput]>([
    [
      'the case is of "engine 1", not of QEMU\'s intel-iommu',
      { ...input([read('GSTS', 4)], {}, sign), profile: { ...PROFILE, implementation: 'engine 1' } },
    ],
    ['no requester "dev9"', input([{ op: 'message', requester: 'dev9', address: 0n, data: 0n }], {}, sign)],
    ['VT-d has no register "NOPE"', input([read('NOPE', 4)], {}, sign)],
    [
      'a message of edu0, whose MSI capability the case has programmed',
      input(
        [
          { op: 'configWrite', function: 0x100, offset: 0x44, size: 4, value: 1n },
          { op: 'message', requester: 'edu0', address: 0n, data: 0n },
        ],
        {},
        { ...sign, at: 1 },
      ),
    ],
    ['messages of 16 bits', input([{ op: 'message', requester: 'edu0', address: 0n, data: 0x1_0000n }], {}, sign)],
    ['QEMU is not asked for "eoi"', input([{ op: 'eoi', controller: 'apic' }], {}, sign)],
    [
      'operation 0: a request of 65 bytes',
      input([{ op: 'dma', requester: 'edu0', address: 0n, direction: 'read', bytes: 65, token: 0 }], {}, sign),
    ],
  ])('%s', (message, refused) => {
    expect(() => qtestScript(refused)).toThrow(NoScript);
    expect(() => qtestScript(refused)).toThrow(message);
  });
});
