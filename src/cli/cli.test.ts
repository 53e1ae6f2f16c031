import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clause, Finding, Judgement } from '../../spec/interface/judgement.js';
import type { Observation } from '../../spec/interface/observations.js';
import type { Operation } from '../../spec/interface/operations.js';
import type { History } from '../../spec/interface/scenario.js';
import { type Target, TargetUnavailable } from '../../spec/interface/target.js';
import { SAMPLE_CASE, SAMPLE_HISTORY, SAMPLE_KNOWN, SAMPLE_PROFILE } from '../formats/fixtures.js';
import { decodeReport, encodeCase, encodeKnown, encodeTrace } from '../formats/index.js';
import type { Property } from '../harness/index.js';
import { BadHistory, type JudgeOptions } from '../judge/index.js';
import { main } from './cli.js';
import { nodeCheck } from './commands/doctor.js';
import type { Io } from './io.js';
import type { TargetKind, World } from './world.js';

/** A machine whose status register reads as it is told to: 2 is a deviation, 9 undecided, 13 ends it. */
class FakeTarget implements Target {
  readonly id = 'sample';
  private readonly status: bigint;
  private readonly onRun: () => void;

  constructor(status: bigint, onRun: () => void) {
    this.status = status;
    this.onRun = onRun;
  }

  async describe(): Promise<typeof SAMPLE_PROFILE> {
    if (this.status === 404n) throw new TargetUnavailable('the sample machine is not plugged in', 'plug it in');
    return SAMPLE_PROFILE;
  }

  async begin(): Promise<undefined> {}

  async run(operations: readonly Operation[]): ReturnType<Target['run']> {
    this.onRun();
    if (this.status === 13n)
      return { observations: [], failure: { kind: 'crash', message: 'assertion failed', at: 0 } };
    const observations = operations.map(({ op }, tick) => {
      const span = { begin: tick, complete: tick };
      return (op === 'regRead' ? { of: op, ...span, value: this.status } : { of: op, ...span }) as Observation;
    });
    return { observations };
  }

  async finish(): Promise<{ late: [] }> {
    return { late: [] };
  }

  async close(): Promise<void> {}
}

const FINDING: Finding = {
  ...SAMPLE_CASE.identity,
  at: 0,
  shownAt: 0,
  expected: 'status 0',
  observed: 'status 2',
  evidence: [{ what: 'root entry of bus 01h', address: 0x1000n, words: [1n, 0n], reading: 'P=1' }],
  certain: true,
};

function fakeJudge(history: History, options: JudgeOptions = {}): Judgement {
  const values = history.steps.map(({ observation }) => (observation.of === 'regRead' ? observation.value : undefined));
  if (values.includes(7n)) throw new BadHistory(values.indexOf(7n), 'the status cannot be 7');
  const at = values.indexOf(2n);
  const deviant = at >= 0;
  const known = deviant && options.known?.(FINDING) === true;
  const undecided = values.includes(9n) ? [{ at: 0, kind: 'inconclusive' as const, reason: 'too many worlds' }] : [];
  const finding = { ...FINDING, at, shownAt: at };
  return {
    verdict: deviant && !known ? 'deviant' : undecided.length > 0 ? 'inconclusive' : 'conformant',
    ...(deviant && !known ? { finding } : {}),
    candidates: [],
    known: known ? [finding] : [],
    undecided,
    clauses: { [FINDING.clause]: 1 },
    labels: { read: 1 },
    statistics: {
      operations: history.steps.length,
      judged: history.steps.length - undecided.length,
      admissible: { sum: 1, count: 1 },
      worlds: 1,
    },
  };
}

const READ: Operation = { op: 'regRead', component: 'iommu', register: 'FSTS', size: 4 };

const STATUS: Property = {
  id: 'status',
  claim: 'the status is what it should be',
  clauses: [FINDING.clause],
  intents: () => fc.array(fc.constant(READ), { minLength: 1, maxLength: 4 }),
  build: (_, intents) => ({
    scenario: { level: 'operations', start: 'ready', operations: intents as Operation[] },
    labels: {},
  }),
  minimumShares: () => ({ read: 0.05 }),
};

const NEVER: Property = { ...STATUS, id: 'never', claim: 'elsewhere', notApplicable: () => 'has no flux capacitor' };

const CLAUSE: Clause = {
  id: FINDING.clause,
  document: 'VT-d',
  revision: '5.10',
  section: 'Second-stage paging',
  rule: 'Status is zero.',
  obligation: 'MUST',
  tag: '2',
  needs: '-',
  choices: [],
};

let root: string;
let cwd: string;
/** Status of each variant of the sample target. */
let statuses: Record<string, bigint>;
let onRun: () => void;
let interrupt: () => void;
let exits: number[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'iovcheck-cli-root-'));
  cwd = mkdtempSync(join(tmpdir(), 'iovcheck-cli-cwd-'));
  statuses = { good: 0n };
  onRun = () => {};
  interrupt = () => {};
  exits = [];
});

afterEach(() => {
  for (const folder of [root, cwd]) rmSync(folder, { recursive: true, force: true });
});

function world(): World {
  const sample: TargetKind = {
    id: 'sample',
    description: 'a machine for tests',
    flags: ['shape'],
    variants: Object.keys(statuses).map((name) => ({ name, description: `is ${name}`, options: { shape: name } })),
    create: ({ shape = 'good' }) => new FakeTarget(statuses[shape] ?? 0n, () => onRun()),
    optionsFor: () => ({ shape: Object.keys(statuses)[0]! }),
    checks: async () =>
      statuses['good'] === 404n
        ? [{ what: 'target sample', ok: false, found: 'not plugged in', hint: 'plug it in' }]
        : [{ what: 'target sample', ok: true, found: 'plugged in' }],
  };
  return {
    targets: [sample],
    properties: [STATUS, NEVER],
    catalogue: [CLAUSE],
    judge: fakeJudge,
    tool: { name: 'iovcheck', version: '0.1.0' },
    root,
  };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(line: string, tty = false, env: Record<string, string> = {}): Promise<Ran> {
  let out = '';
  let err = '';
  const stream = (write: (text: string) => void) => ({ write, isTTY: tty, columns: 100 });
  const io: Io = {
    stdout: stream((text) => {
      out += text;
    }),
    stderr: stream((text) => {
      err += text;
    }),
    env,
    cwd,
    onInterrupt(callback) {
      interrupt = () => callback(130);
      return () => {
        interrupt = () => {};
      };
    },
    exitNow: (code) => exits.push(code),
  };
  const code = await main(
    line.split(' ').filter((word) => word !== ''),
    io,
    world,
  );
  return { code, out, err };
}

function report(folder = '.iovcheck'): ReturnType<typeof decodeReport> {
  const file = join(cwd, folder, 'report.json');
  return decodeReport(readFileSync(file, 'utf8'), file);
}

function put(path: string, text: string): string {
  const file = join(cwd, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe('what does not exist is named, with what does', () => {
  it.each([
    ['fly', 'unknown command "fly": expected run, replay, judge, explain, export, list or doctor'],
    [
      'run --frames 3',
      'unknown flag "--frames": expected --target, --shape, --qemu, --aw-bits, --time, --cases, --seed, --jobs, --out, --version or --help',
    ],
    ['--frames', 'unknown flag "--frames": expected --version or --help'],
    ['run nosuch', 'unknown property "nosuch": expected status or never'],
    ['run --target bochs', 'unknown target "bochs": expected sample'],
    ['run --shape odd', 'unknown shape "odd": expected good'],
    ['run --qemu /x', '--qemu does not concern target sample, which takes --shape'],
    ['run --time', '--time: expected a value, got none'],
    ['run --time 5', '--time: expected a duration above 0 like 500ms, 30s or 5m, got "5"'],
    ['run --time 0s', '--time: expected a duration above 0 like 500ms, 30s or 5m, got "0s"'],
    ['run --cases 0', '--cases: expected a whole number from 1 to 9007199254740991, got "0"'],
    ['run --cases many', '--cases: expected a whole number from 1 to'],
    ['run --seed 1.5', '--seed: expected a whole number from 0 to 4294967295, got "1.5"'],
    ['run --seed 1 --seed 2', '--seed: expected once, got 1 and 2'],
    ['replay', 'replay: expected FILES, got nothing'],
    ['judge', 'judge: expected TRACES, got nothing'],
    ['doctor now', 'doctor: expected no argument, got "now"'],
    ['list everything', 'unknown list "everything": expected properties, targets or clauses'],
  ])('%s', async (line, message) => {
    const { code, out, err } = await run(line);
    expect(err).toContain(`iovcheck: ${message}`);
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(out).toBe('');
    expect(code).toBe(64);
    expect(existsSync(join(cwd, '.iovcheck'))).toBe(false);
  });
});

describe('help and version', () => {
  it('help lists the commands that are not hidden, with examples', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const name of ['run', 'replay', 'judge', 'explain', 'export', 'list', 'doctor'])
      expect(out).toContain(`iovcheck ${name}`);
    expect(out).not.toContain('check-known');
  });

  it.each(['run', 'replay', 'judge', 'explain', 'export', 'list', 'doctor'])(
    '%s --help shows flags and examples',
    async (name) => {
      const { code, out } = await run(`${name} --help`);
      expect(code).toBe(0);
      expect(out).toContain('Examples:');
      expect(out).toContain(`$ iovcheck ${name}`);
    },
  );

  it('without a command the help goes to stderr, and nothing was executed', async () => {
    const { code, out, err } = await run('');
    expect([code, out]).toEqual([64, '']);
    expect(err).toContain('Commands:');
  });

  it('the version', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: 'iovcheck 0.1.0\n', err: '' });
  });
});

describe('run', () => {
  it('a conformant target: 0, a report, the seed', async () => {
    const { code, out, err } = await run('run --cases 5 --seed 7');
    expect(err).toContain('seed 7');
    expect(out).toContain('CONFORMANT');
    expect(code).toBe(0);
    expect(report()).toMatchObject({ verdict: 'conformant', exitCode: 0, runs: [{ seed: 7, totals: { cases: 5 } }] });
    expect(readFileSync(join(cwd, '.iovcheck/summary.md'), 'utf8')).toMatch(/^# conformant\n/);
    expect(readdirSync(join(cwd, '.iovcheck')).sort()).toEqual(['report.json', 'summary.md']);
  });

  it('a new deviation: 1, a case, the command that reproduces it, and the command does', async () => {
    statuses = { good: 2n };
    const { code, out } = await run('run status --cases 3 --seed 1 --out results');
    expect(code).toBe(1);
    const [deviation] = report('results').runs[0]!.deviations;
    expect(deviation).toMatchObject({ ...SAMPLE_CASE.identity, confirmed: true, hits: 3, operations: 1 });
    expect(out).toContain(deviation!.command);
    const again = await run(deviation!.command.replace('npx iovcheck ', ''));
    expect(again.out).toContain(`${deviation!.file}: reproduced: VTD-SS-010 access-let-through`);
    expect(again.out).toContain('root entry of bus 01h at 0x1000 [0x1, 0x0]: P=1');
    expect(again.code).toBe(1);
    statuses = { good: 0n };
    const gone = await run(`replay ${deviation!.file}`);
    expect(gone.out).toContain('not reproduced: conformant');
    expect(gone.code).toBe(0);
  });

  it('a known deviation: 0; looked for and gone: STALE', async () => {
    statuses = { good: 2n };
    mkdirSync(join(root, 'properties/known'), { recursive: true });
    mkdirSync(join(root, 'properties/cases'));
    const list = { format: 'iovcheck-known', version: 1, target: 'sample', deviations: [SAMPLE_KNOWN] } as const;
    writeFileSync(join(root, 'properties/known/sample.json'), encodeKnown(list));
    writeFileSync(join(root, 'properties/cases/sample.json'), encodeCase(SAMPLE_CASE));
    const { code, out, err } = await run('run --cases 3');
    expect(err).toContain('1 stored cases first');
    expect(out).toContain('KNOWN');
    expect(code).toBe(0);
    expect((await run('check-known')).out).toContain('1 lists with 1 known deviations, 1 stored cases: sound');

    statuses = { good: 0n };
    put('.iovcheck/cases/same.json', encodeCase(SAMPLE_CASE));
    const stale = await run('run --cases 3');
    expect(stale.err).toContain('1 stored cases first');
    expect(stale.out).toContain('STALE');

    writeFileSync(join(root, 'properties/cases/sample.json'), '{');
    const broken = await run('check-known');
    expect(broken.code).toBe(64);
    expect(broken.err).toMatch(/sample\.json:1:2: JSON ends in the middle \(truncated\?\)\n$/);
  });

  it('what cannot be decided: 2', async () => {
    statuses = { good: 9n };
    const { code, out } = await run('run --cases 3');
    expect(out).toContain('INCONCLUSIVE  3 cases of 3 could not be decided');
    expect(code).toBe(2);
  });

  it('a target that crashes: 3, with its case', async () => {
    statuses = { good: 13n };
    const { code, out } = await run('run --cases 2');
    expect(out).toContain('TARGET-FAILURE  the target failed: crash: assertion failed');
    expect(code).toBe(3);
    expect(report().runs[0]!.deviations).toMatchObject([{ clause: 'TARGET', kind: 'crash' }]);
  });

  it('a target that cannot be started: 3, one message with what to do', async () => {
    statuses = { good: 404n };
    const { code, out, err } = await run('run --cases 2');
    expect(err).toMatch(/\niovcheck: the sample machine is not plugged in; plug it in\n$/);
    expect([code, out]).toEqual([3, '']);
  });

  it('nothing executed: 64, and no report', async () => {
    const { code, err } = await run('run never --cases 2');
    expect(err).toMatch(/iovcheck: sample good: no case was executed .*never: has no flux capacitor/);
    expect(code).toBe(64);
    expect(existsSync(join(cwd, '.iovcheck/report.json'))).toBe(false);
  });

  it('all variants take turns, one report, a deviation goes before a crash', async () => {
    statuses = { good: 0n, crashing: 13n, deviant: 2n };
    const { code, out } = await run('run --cases 2');
    expect(report().runs.map((each) => [each.name, each.verdict])).toEqual([
      ['sample good', 'conformant'],
      ['sample crashing', 'target-failure'],
      ['sample deviant', 'deviant'],
    ]);
    expect(out).toContain('DEVIANT  1 new deviation in 1 of 3 runs and 1 target failure');
    expect(code).toBe(1);
    expect((await run('run --cases 2 --shape good --out one')).code).toBe(0);
  });

  it('time is shared by the variants', async () => {
    statuses = { good: 0n, other: 0n };
    await run('run --time 60ms');
    expect(report().runs).toHaveLength(2);
  });

  it('interrupted once: the report is written; twice: it ends at once', async () => {
    let runs = 0;
    onRun = () => {
      runs += 1;
      if (runs === 20) interrupt();
    };
    const { code, err } = await run('run --time 10m');
    expect(err).toContain('interrupted: writing the report');
    expect(code).toBe(130);
    expect(report()).toMatchObject({ exitCode: 0, summary: expect.stringContaining('interrupted') });
    expect(report().runs[0]).toMatchObject({ interrupted: true });
    expect(exits).toEqual([]);

    runs = 0;
    onRun = () => {
      runs += 1;
      if (runs === 20) {
        interrupt();
        interrupt();
      }
    };
    await run('run --time 10m');
    expect(exits).toEqual([130]);
  });

  it('after a kill: the case in flight is set aside, told, and runs again; leftovers go', async () => {
    const head = { format: 'iovcheck-in-flight', version: 1, target: 'sample' };
    const profile = { profile: SAMPLE_PROFILE.name, implementation: SAMPLE_PROFILE.implementation };
    const origin = { kind: 'random', property: 'status', seed: 7, index: 3 };
    put('.iovcheck/in-flight.json', `${JSON.stringify({ ...head, ...profile, ...origin })}   `);
    // No process has such a number.
    put('.iovcheck/report.json.999999999.tmp', 'half');
    put('.iovcheck/cases/x.json.999999999.tmp', 'half');
    put('.iovcheck/mine.tmp', 'mine');
    const { err } = await run('run --cases 2');
    const command = 'npx iovcheck replay .iovcheck/in-flight-1.json';
    expect(err).toContain(`an earlier run ended in the middle of a case, which is kept: ${command}\n`);
    expect(readdirSync(join(cwd, '.iovcheck')).sort()).toEqual([
      'cases',
      'in-flight-1.json',
      'mine.tmp',
      'report.json',
      'summary.md',
    ]);
    expect(readdirSync(join(cwd, '.iovcheck/cases'))).toEqual([]);
    const again = 'replay .iovcheck/in-flight-1.json';
    const what = '.iovcheck/in-flight-1.json: in flight: random case 3 of status, seed 7';
    expect(await run(again)).toMatchObject({ code: 0, out: expect.stringContaining(`${what}: conformant`) });
    statuses = { good: 2n };
    expect(await run(again)).toMatchObject({ code: 1, out: expect.stringContaining(`${what}: deviant`) });
    statuses = { good: 9n };
    expect(await run(again)).toMatchObject({ code: 2, out: expect.stringContaining(`${what}: inconclusive`) });
    put('f.json', JSON.stringify({ ...head, ...profile, ...origin, kind: 'stored', file: 'stored.json' }));
    put('stored.json', encodeCase(SAMPLE_CASE));
    statuses = { good: 2n };
    expect(await run('replay f.json')).toMatchObject({ code: 1, out: expect.stringContaining('f.json: reproduced') });
    put('g.json', JSON.stringify({ ...head, ...profile, ...origin, kind: 'guess' }));
    expect(await run('replay g.json')).toMatchObject({
      code: 64,
      err: expect.stringContaining('g.json: kind: expected'),
    });
  });

  it('a variant that cannot be started does not take the report of those before it along', async () => {
    statuses = { good: 0n, unplugged: 404n, never: 0n };
    const { code, out, err } = await run('run --cases 2');
    expect(code).toBe(3);
    expect(err).toContain('iovcheck: the sample machine is not plugged in; plug it in\n');
    expect(out).toContain('interrupted');
    expect(report().runs).toMatchObject([{ name: 'sample good', interrupted: true }]);
  });

  it('a stored case that cannot be read stops the run before it begins, and overwrites nothing', async () => {
    put('.iovcheck/report.json', 'precious');
    put('.iovcheck/cases/a.json', encodeCase(SAMPLE_CASE).replace('"version": 1', '"version": 2'));
    const { code, err } = await run('run --cases 2');
    expect(err).toBe(`iovcheck: .iovcheck/cases/a.json: version 2 is newer than this iovcheck understands (1)\n`);
    expect(code).toBe(64);
    expect(readFileSync(join(cwd, '.iovcheck/report.json'), 'utf8')).toBe('precious');
  });

  it('a folder that cannot be written is told before anything runs', async () => {
    put('file', '');
    onRun = () => {
      throw new Error('ran');
    };
    const { code, err } = await run('run --cases 2 --out file/deeper');
    expect(err).toBe(`iovcheck: ${join(cwd, 'file/deeper')}: a part of the path is not a folder\n`);
    expect(code).toBe(73);
  });

  it('a bug of ours: 70, with its stack', async () => {
    onRun = () => {
      throw new Error('what nobody expected');
    };
    const { code, err } = await run('run --cases 1');
    expect(err).toMatch(/internal error: Error: what nobody expected\n +at /);
    expect(code).toBe(70);
  });

  it('colour on a terminal only, and not with NO_COLOR', async () => {
    const coloured = '\u001b[';
    expect((await run('run --cases 2', true)).out).toContain(coloured);
    expect((await run('run --cases 2', true, { NO_COLOR: '1' })).out).not.toContain(coloured);
    expect((await run('run --cases 2')).out).not.toContain(coloured);
  });
});

describe('replay', () => {
  it('every file is read before any runs', async () => {
    const file = put('good.json', encodeCase(SAMPLE_CASE));
    put('bad.json', '{}');
    const { code, out, err } = await run(`replay ${file} bad.json`);
    expect([code, out]).toEqual([64, '']);
    expect(err).toBe(`iovcheck: bad.json: format: expected "iovcheck-case", got nothing\n`);
  });

  it('a case for a target that does not exist here', async () => {
    put('c.json', encodeCase({ ...SAMPLE_CASE, target: { id: 'rtl', implementation: 'x' } }));
    const { code, err } = await run('replay c.json');
    expect(err).toContain('unknown target of the case "rtl": expected sample');
    expect(code).toBe(64);
  });

  it('a case that the target cannot run: 2', async () => {
    const arena = { base: 0x800_0000n, bytes: 0x1000 };
    const operations: Operation[] = [{ op: 'load', address: arena.base, bytes: 8 }];
    const scenario = { level: 'operations' as const, start: 'ready' as const, operations };
    const profile = { ...SAMPLE_PROFILE, arena };
    const history = { profile, start: 'ready' as const, steps: [] };
    put('c.json', encodeCase({ ...SAMPLE_CASE, profile, scenario, history }));
    const { code, out } = await run('replay c.json');
    expect(out).toContain('not reproduced: cannot run here');
    expect(code).toBe(2);
  });
});

describe('judge', () => {
  const trace = (value: bigint): string =>
    encodeTrace({
      ...SAMPLE_HISTORY,
      steps: [{ operation: READ, observation: { of: 'regRead', begin: 0, complete: 0, value } }],
    });

  it.each([
    [0n, 0, 'conformant: 1 of 1 operations judged'],
    [2n, 1, 'deviant: 1 of 1 operations judged'],
    [9n, 2, 'inconclusive: 0 of 1 operations judged'],
  ])('a trace with status %s: %s', async (value, code, text) => {
    put('t.jsonl', trace(value));
    const ran = await run('judge t.jsonl');
    expect(ran.out).toContain(`t.jsonl: ${text}`);
    expect(ran.code).toBe(code);
  });

  it('several traces: the worst decides', async () => {
    put('a.jsonl', trace(9n));
    put('b.jsonl', trace(2n));
    expect((await run('judge a.jsonl b.jsonl')).code).toBe(1);
  });

  it('a stored case', async () => {
    put('c.json', encodeCase(SAMPLE_CASE));
    expect((await run('judge c.json')).code).toBe(1);
  });

  it('what contradicts itself only for the judge, a trace without steps, and one that is not there', async () => {
    put('t.jsonl', trace(7n));
    const contradiction = await run('judge t.jsonl');
    expect(contradiction.err).toBe(`iovcheck: t.jsonl: operation 0: the status cannot be 7\n`);
    put('e.jsonl', encodeTrace({ ...SAMPLE_HISTORY, steps: [] }));
    const empty = await run('judge e.jsonl');
    expect(empty.err).toContain('e.jsonl: expected at least one step to judge, got none');
    const missing = await run('judge none.jsonl');
    expect(missing.err).toBe(`iovcheck: none.jsonl: no such file\n`);
    expect([contradiction.code, empty.code, missing.code]).toEqual([64, 64, 64]);
  });
});

describe('list and doctor', () => {
  it.each([
    ['v20.19.0', true],
    ['v20.18.9', false],
    ['v22.1.0', true],
    ['v18.20.0', false],
  ])('Node.js %s will do: %s', (version, ok) => {
    expect(nodeCheck(version)).toMatchObject({ ok, found: version });
  });

  it('list shows everything or a part', async () => {
    const all = await run('list');
    for (const text of ['status', 'is good', 'Status is zero.']) expect(all.out).toContain(text);
    const part = await run('list targets');
    expect(part.out).not.toContain('Status is zero.');
    expect(part.code).toBe(0);
  });

  it('doctor: 0 when a target can be used, else 3 and what to do', async () => {
    const well = await run('doctor');
    expect(well.out).toMatch(/^ok +Node\.js: v.*\nok +target sample: plugged in\n$/);
    expect(well.code).toBe(0);
    statuses = { good: 404n };
    const ill = await run('doctor');
    expect(ill.out).toContain('missing  target sample: not plugged in\n         plug it in\n');
    expect(ill.code).toBe(3);
  });
});
