import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { History } from '../../../spec/interface/scenario.js';
import { encodeCase, encodeTrace, readCase } from '../../formats/index.js';
import type { StoredCase } from '../../harness/index.js';
import { defaultWorld } from '../default-world.js';
import { layOut } from '../explain/page.js';
import { storyLines } from '../explain/telling.js';
import { findAgain } from '../found.js';
import { packageCases } from '../stored.js';
import { runCli } from '../testing.js';

const WORLD = defaultWorld();
const CASES = packageCases(WORLD);
const caseOf = (part: string): string => CASES.find((file) => file.includes(part))!;
const PAGE_TABLE_CASE = caseOf('VTD-SS-005-fault-not-recorded-1802d4826c');
const LONG_CASE = caseOf('VTD-GCMD-018-mode-ignored-f666a96292');
const CRASH_CASE = caseOf('TARGET-crash');

const load = (file: string): StoredCase => readCase(file, WORLD.checkComponent);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'iovcheck-explain-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

async function explained(file: string, ...flags: readonly string[]): Promise<string> {
  const { code, out, err } = await runCli(['explain', file, ...flags]);
  expect(err).toBe('');
  expect(code).toBe(0);
  return out;
}

describe('explain', () => {
  it('tells a stored case: operations, walks, where the two part, the finding, and what to do next', async () => {
    const text = await explained(PAGE_TABLE_CASE);
    const order = [
      'VTD-SS-005 fault-not-recorded: PTE.W=0: 5h→no record',
      'From state "ready" (translation is on',
      '  #0 store 0x4000010: 0x4001001, 0x0',
      '        root entry at 0x4000010: P=1, CTP=0x4001000 (read by #12, #13)',
      '  #6 write iommu0.GCMD (4 bytes) = 0xc0000000',
      '        TE, SRTP',
      '> #13 edu0 writes 1 bytes at 0x4055555000',
      '        second-stage PTE (level 1)   0x4004aa8  [0x1]             R=1, W=0, PS=0',
      '▲ W=0',
      'here expected and observed part',
      '        expected  blocked, recorded as 5h',
      '        observed  no fault recorded (shown by #14)',
      '* #14 read iommu0.FSTS (4 bytes) → value 0x0 (no field set)',
      '  rule      A write is allowed only if W=1 in every entry of the walk',
      '  broken    by #13, shown by #14',
      '  known     After a read has filled the IOTLB',
      'Run it again:       npx iovcheck replay ',
      'As a shell script:  npx iovcheck export ',
    ];
    let from = 0;
    for (const part of order) {
      const at = text.indexOf(part, from);
      expect(at, `"${part}" after ${from} in\n${text}`).toBeGreaterThanOrEqual(from);
      from = at + part.length;
    }
  });

  it('puts the mark under the field', async () => {
    const lines = (await explained(PAGE_TABLE_CASE)).split('\n');
    const mark = lines.findIndex((each) => each.includes('▲ W=0'));
    expect(lines[mark - 1]!.indexOf('W=0')).toBe(lines[mark]!.indexOf('▲'));
  });

  it('finds what every stored case is kept for', async () => {
    for (const file of CASES) {
      const { identity } = load(file);
      const text = (await runCli(['explain', file], { columns: 10_000 })).out;
      expect(text, file).not.toContain('does not show this');
      expect(text, file).toContain('here expected and observed part');
      expect(text.split('\n').filter((each) => each.startsWith(identity.clause))).toHaveLength(2);
    }
  });

  it('leaves out what has nothing to do with the finding, unless all is asked for', async () => {
    const short = await explained(LONG_CASE);
    expect(short).toMatch(/… \d+ operations: .*; --all shows them\)/);
    expect(short.split('\n').length).toBeLessThan(70);
    const all = await explained(LONG_CASE, '--all');
    expect(all).not.toContain('--all shows them');
    for (const at of [3, 40, 239]) expect(all).toContain(`  #${at} `);
  });

  it('tells the end of a target, and which operation it was busy with', async () => {
    const text = await explained(CRASH_CASE);
    expect(text).toContain('> #3 write iommu0.IQT (8 bytes) = 0x60');
    expect(text).toContain('invalidation queue, descriptor 5: inv_wait_dsc');
    expect(text).toContain('observed  crash: QEMU ended: SIGABRT');
  });

  it('tells a trace, deviant or not', async () => {
    const { history } = load(PAGE_TABLE_CASE);
    const deviant = await explained(put('deviant.jsonl', encodeTrace(history)));
    expect(deviant).toContain('here expected and observed part');
    expect(deviant).toContain('npx iovcheck judge ');
    expect(deviant).not.toContain('npx iovcheck replay');
    const good: History = { ...history, steps: history.steps.slice(0, 13) };
    const conformant = await explained(put('good.jsonl', encodeTrace(good)));
    expect(conformant).toContain('conformant: 13 of 13 operations judged, no deviation');
    expect(conformant).not.toContain('expected and observed part');
  });

  it('tells the hardware operations of a case for software under test, and what that was asked', async () => {
    const stored = load(PAGE_TABLE_CASE);
    const stimulus = { actor: 'vm0', action: 'map', arguments: { page: 0x1000n } };
    const software = { name: 'hypervisor', configuration: {} };
    const text = await explained(
      put(
        'stimuli.json',
        encodeCase({
          ...stored,
          scenario: { level: 'stimuli', start: 'ready', software, stimuli: [stimulus], schedule: [] },
        }),
      ),
    );
    expect(text).toContain('the operations are those of "hypervisor", which was asked 1 times');
    expect(text).toContain('vm0 map page=0x1000');
    expect(text).toContain('▲ W=0');
    expect(text).not.toContain('iovcheck export');
  });

  it('tells between the operations what software under test was asked and answered', () => {
    const stored = load(PAGE_TABLE_CASE);
    const stimulus = { actor: 'vm0', action: 'map', arguments: { page: 0x1000n } };
    const history: History = {
      ...stored.history,
      software: {
        name: 'hypervisor',
        configuration: {},
        issuers: stored.history.steps.map((_, at) => (at === 2 ? 1 : -1)),
        events: [
          { at: 2, kind: 'asked', id: 1, stimulus },
          { at: 3, kind: 'answered', id: 1, answer: { done: true } },
          { at: 15, kind: 'rest' },
        ],
      },
    };
    const { judgement, finding } = findAgain(WORLD, stored);
    const text = layOut(storyLines({ history, judgement, finding, all: true }), 200, false).split('\n');
    const at = (part: string): number => text.findIndex((each) => each.includes(part));
    expect(text[at('#2 [1] store') - 1]).toBe('  == [1] vm0 map page=0x1000');
    expect(text[at('#3 store') - 1]).toBe('  == [1] vm0 map answered: done=true');
    expect(text).toContain('  #2 [1] store 0x4002808: 0x4003003');
  });

  it('says so when a history does not show the finding any more', async () => {
    const stored = load(PAGE_TABLE_CASE);
    const history = { ...stored.history, steps: stored.history.steps.slice(0, 13) };
    const text = await explained(put('gone.json', encodeCase({ ...stored, history })));
    expect(text).toContain('Its history does not show this when it is judged now.');
    expect(text).toContain('conformant: ');
  });
});

describe('the terminal', () => {
  const sgr = '\u001b[';

  it('is coloured when it is one, unless NO_COLOR says otherwise; the words are the same', async () => {
    const plain = await runCli(['explain', PAGE_TABLE_CASE]);
    const colour = await runCli(['explain', PAGE_TABLE_CASE], { isTTY: true });
    const refused = await runCli(['explain', PAGE_TABLE_CASE], { isTTY: true, env: { NO_COLOR: '1' } });
    expect(plain.out).not.toContain(sgr);
    expect(colour.out).toContain(sgr);
    expect(stripVTControlCharacters(colour.out)).toBe(plain.out);
    expect(refused.out).toBe(plain.out);
  });

  it('is not overrun', async () => {
    for (const columns of [72, 100]) {
      const { out } = await runCli(['explain', LONG_CASE], { columns });
      const command = /npx iovcheck|^ +\S+$/;
      const wide = out.split('\n').filter((each) => each.length > columns && !command.test(each));
      expect(wide).toEqual([]);
    }
  });
});

describe('what cannot be explained is named', () => {
  it.each<[string, () => readonly string[]]>([
    ['explain: expected FILE, got nothing', () => []],
    ['explain: expected one file, got "b" too', () => ['a', 'b']],
    ['/nowhere/case.json: no such file', () => ['/nowhere/case.json']],
    ['bad.jsonl:1:2: not JSON', () => [put('bad.jsonl', 'this is no trace\n')]],
    [
      'expected at least one step to explain, got none',
      () => [put('empty.jsonl', encodeTrace({ ...load(PAGE_TABLE_CASE).history, steps: [] }))],
    ],
    ['unknown flag "--depth"', () => ['x', '--depth', '3']],
  ])('%s', async (message, args) => {
    const { code, out, err } = await runCli(['explain', ...args()]);
    expect(err).toContain(message);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect([code, out]).toEqual([64, '']);
  });
});
