import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clause } from '../../spec/interface/judgement.js';
import { SAMPLE_PROFILE } from '../formats/fixtures.js';
import { decodeReport, encodeReport, reportJsonSchema } from '../formats/index.js';
import type { CampaignResult, FoundDeviation } from '../harness/types.js';
import { buildReport, combinedCode, type JudgedRun } from './build.js';
import { renderMarkdown } from './markdown.js';
import { renderTerminal } from './terminal.js';
import { writeReport } from './write.js';

const CLAUSE: Clause = {
  id: 'VTD-SS-010',
  document: 'VT-d',
  revision: '5.10',
  section: 'Second-stage paging entries',
  rule: 'A read needs R=1 in every entry.',
  obligation: 'MUST',
  tag: '2',
  needs: '-',
  choices: [],
};

function deviation(change: Partial<FoundDeviation>, certain = true): FoundDeviation {
  return {
    finding: {
      clause: 'VTD-SS-010',
      kind: 'access-let-through',
      discriminator: 'leaf R=0 | data',
      at: 1,
      shownAt: 2,
      expected: 'blocked',
      observed: 'data <of> another',
      evidence: [],
      certain,
    },
    property: 'translation',
    hits: 1200,
    confirmed: true,
    file: '.iovcheck/cases/a.json',
    operations: 3,
    command: 'npx iovcheck replay .iovcheck/cases/a.json --target sample',
    known: false,
    ...change,
  };
}

function result(change: Partial<CampaignResult> = {}): CampaignResult {
  return {
    profile: SAMPLE_PROFILE,
    target: 'sample',
    seed: 7,
    started: '2026-01-02T03:04:05.000Z',
    seconds: 2,
    interrupted: false,
    totals: {
      cases: 1000,
      operations: 12345,
      judged: 12000,
      undefinedOperations: 5,
      inconclusiveCases: 1,
      deviantCases: 3,
      restarts: 2,
      meanAdmissible: 1.25,
      mostWorlds: 4,
    },
    properties: [
      { property: 'translation', claim: 'A DMA goes where the tables say.', cases: 1000, swept: 10, sweepSize: 20 },
    ],
    clauses: [{ clause: 'VTD-SS-010', verdict: 'PASS', exercised: 500, findings: 0 }],
    deviations: [],
    stale: [],
    undecided: [{ reason: 'more than 128 worlds', cases: 1, first: 'translation, random case 3' }],
    labels: [{ property: 'translation', label: 'read', count: 400, of: 1000, minimum: 0.05, verdict: 'ok' }],
    ...change,
  };
}

const run = (name: string, code: JudgedRun['code'], change: Partial<CampaignResult> = {}): JudgedRun => ({
  name,
  code,
  line: `line of ${name}`,
  result: result(change),
});

const CONTEXT = { catalogue: [CLAUSE], tool: { name: 'iovcheck', version: '0.1.0' } };

const FAILING = buildReport(
  [
    run('sample a', 1, {
      deviations: [deviation({ known: true, hits: 9 }), deviation({}), deviation({ hits: 1 }, false)],
      clauses: [{ clause: 'VTD-SS-010', verdict: 'FAIL', exercised: 500, findings: 1 }],
    }),
    run('sample b', 0, { deviations: [deviation({ hits: 34, operations: 2, file: 'b.json', command: 'replay b' })] }),
  ],
  CONTEXT,
);

describe('the report', () => {
  it('has the clause of the catalogue, rates, and the worst verdict of its runs', () => {
    expect(FAILING).toMatchObject({
      verdict: 'deviant',
      exitCode: 1,
      summary: '1 new deviation in 1 of 2 runs (1 known deviation)',
    });
    expect(FAILING.runs[0]).toMatchObject({
      totals: { casesPerSecond: 500, operationsPerSecond: 6172.5 },
      clauses: [{ clause: 'VTD-SS-010', section: 'Second-stage paging entries', obligation: 'MUST', tag: '2' }],
    });
  });

  it('a deviation goes before a failed target, that before what is undecided', () => {
    expect(combinedCode([0, 3, 1, 2])).toBe(1);
    expect(combinedCode([0, 2, 3])).toBe(3);
    expect(combinedCode([0, 2, 64])).toBe(2);
    expect(combinedCode([64, 0])).toBe(0);
    expect(combinedCode([])).toBe(64);
  });

  it('says what several runs come to, or what the only one does', () => {
    const summary = (...runs: JudgedRun[]) => buildReport(runs, CONTEXT).summary;
    expect(summary(run('a', 2))).toBe('line of a');
    expect(summary(run('a', 0), run('b', 0))).toBe('conformant: 2 of 2 runs, 2000 cases, 24000 operations judged');
    expect(summary(run('a', 0), run('b', 3), run('c', 3))).toBe('2 of 3 runs, the first of them b: line of b');
  });

  it('comes back from JSON as it went', () => {
    expect(decodeReport(encodeReport(FAILING), 'r.json')).toEqual(FAILING);
  });

  it('is refused when it is not one', () => {
    const text = encodeReport(FAILING);
    const reading = (changed: string) => () => decodeReport(changed, 'r.json');
    expect(reading(text.replace('"version": 1', '"version": 9'))).toThrow(/^r\.json: version 9 is newer/);
    expect(reading(text.replace('"FAIL"', '"BAD"'))).toThrow(
      /^r\.json: runs\[0\]\.clauses\[0\]\.verdict: expected "PASS" or/,
    );
    expect(reading(text.slice(0, 100))).toThrow(/JSON ends in the middle/);
  });

  it('cannot be written with what its schema forbids', () => {
    expect(() => encodeReport({ ...FAILING, exitCode: 5 as 0 })).toThrow();
  });

  it('has the published schema (write it anew with vitest -u)', async () => {
    await expect(reportJsonSchema()).toMatchFileSnapshot('../../reports/report.schema.json');
  });
});

describe('renderings', () => {
  it('in Markdown: verdict first, the same deviation of two runs once, cells escaped', () => {
    expect(renderMarkdown(FAILING)).toMatchInlineSnapshot(`
      "# deviant

      1 new deviation in 1 of 2 runs (1 known deviation)

      - target: sample 1.0
      - tool: iovcheck 0.1.0
      - started: 2026-01-02T03:04:05.000Z

      ## Distinct deviations

      |  | clause | kind | discriminator | hits | operations |
      | --- | --- | --- | --- | ---: | ---: |
      | FAIL | VTD-SS-010 | access-let-through | leaf R=0 \\| data | 1,234 | 2 |
      | SUSPECT | VTD-SS-010 | access-let-through | leaf R=0 \\| data | 1 | 3 |
      | KNOWN | VTD-SS-010 | access-let-through | leaf R=0 \\| data | 9 | 3 |

      ### FAIL: VTD-SS-010 access-let-through

      - what: leaf R=0 | data
      - expected: blocked
      - observed: data <of> another
      - seen on sample a, sample b in 1234 cases of translation
      - case: b.json (2 operations)

      \`\`\`
      replay b
      \`\`\`

      ### SUSPECT: VTD-SS-010 access-let-through

      - what: leaf R=0 | data
      - expected: blocked
      - observed: data <of> another
      - seen on sample a in 1 case of translation
      - case: .iovcheck/cases/a.json (3 operations)

      \`\`\`
      npx iovcheck replay .iovcheck/cases/a.json --target sample
      \`\`\`

      ### KNOWN: VTD-SS-010 access-let-through

      - what: leaf R=0 | data
      - expected: blocked
      - observed: data <of> another
      - seen on sample a in 9 cases of translation
      - case: .iovcheck/cases/a.json (3 operations)

      \`\`\`
      npx iovcheck replay .iovcheck/cases/a.json --target sample
      \`\`\`

      ## Undecided cases

      | run | reason | cases | first |
      | --- | --- | ---: | --- |
      | sample a | more than 128 worlds | 1 | translation, random case 3 |
      | sample b | more than 128 worlds | 1 | translation, random case 3 |

      ## Runs

      | run | verdict | seed | seconds | cases | cases/s | operations | operations/s | judged | restarts |
      | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
      | sample a | deviant | 7 | 2.0 | 1,000 | 500 | 12,345 | 6,172.5 | 97.2% | 2 |
      | sample b | conformant | 7 | 2.0 | 1,000 | 500 | 12,345 | 6,172.5 | 97.2% | 2 |

      ## Decisions

      | run | deviant cases | inconclusive cases | undefined operations | mean admissible | most worlds |
      | --- | ---: | ---: | ---: | ---: | ---: |
      | sample a | 3 | 1 | 5 | 1.25 | 4 |
      | sample b | 3 | 1 | 5 | 1.25 | 4 |

      ## Properties

      | property | cases | swept | claim |
      | --- | ---: | ---: | --- |
      | translation | 2,000 | 20 of 40 | A DMA goes where the tables say. |

      ## Clauses

      | clause | verdict | exercised | findings | section |
      | --- | --- | ---: | ---: | --- |
      | VTD-SS-010 | FAIL | 1,000 | 1 | Second-stage paging entries |

      ## Labels

      | property | label | share | minimum | of |  |
      | --- | --- | ---: | ---: | ---: | --- |
      | translation | read | 40.0% | 5.0% | 2,000 | ok |
      "
    `);
  });

  it('in the terminal: new deviations with their command, the verdict last', () => {
    expect(renderTerminal(FAILING, { colour: false, width: 100 })).toMatchInlineSnapshot(`
      "Runs
      run       verdict     seed  seconds  cases  cases/s  operations  operations/s  judged  restarts
      sample a  deviant        7      2.0  1,000      500      12,345       6,172.5   97.2%         2
      sample b  conformant     7      2.0  1,000      500      12,345       6,172.5   97.2%         2

      Decisions
      run       deviant cases  inconclusive cases  undefined operations  mean admissible  most worlds
      sample a              3                   1                     5             1.25            4
      sample b              3                   1                     5             1.25            4

      Properties
      property     cases     swept  claim
      translation  2,000  20 of 40  A DMA goes where the tables say.

      Clauses
      clause      verdict  exercised  findings  section
      VTD-SS-010  FAIL         1,000         1  Second-stage paging entries

      Labels
      property     label  share  minimum     of
      translation  read   40.0%     5.0%  2,000  ok

      Undecided cases
      run       reason                cases  first
      sample a  more than 128 worlds      1  translation, random case 3
      sample b  more than 128 worlds      1  translation, random case 3

      Distinct deviations
               clause      kind                discriminator     hits  operations
      FAIL     VTD-SS-010  access-let-through  leaf R=0 | data  1,234           2
      SUSPECT  VTD-SS-010  access-let-through  leaf R=0 | data      1           3
      KNOWN    VTD-SS-010  access-let-through  leaf R=0 | data      9           3

      FAIL VTD-SS-010 access-let-through: leaf R=0 | data
        expected blocked
        observed data <of> another
        on sample a, sample b; b.json
        replay b

      SUSPECT VTD-SS-010 access-let-through: leaf R=0 | data
        expected blocked
        observed data <of> another
        on sample a; .iovcheck/cases/a.json
        npx iovcheck replay .iovcheck/cases/a.json --target sample

      DEVIANT  1 new deviation in 1 of 2 runs (1 known deviation)"
    `);
  });

  it('with colour the text is the same', () => {
    const options = { colour: true, width: 100 };
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are made of
    const bare = renderTerminal(FAILING, options).replace(/\u001b\[\d+m/g, '');
    expect(bare.replace(/ +$/gm, '')).toBe(renderTerminal(FAILING, { ...options, colour: false }));
  });

  it('long texts are wrapped within the terminal', () => {
    const long = 'word '.repeat(60).trim();
    const properties = [{ property: 'p', claim: long, cases: 1, swept: 0, sweepSize: 0 }];
    const text = renderTerminal(buildReport([run('a', 0, { properties })], CONTEXT), { colour: false, width: 80 });
    const claim = text.split('\n').filter((line) => line.includes('word'));
    expect(claim.length).toBeGreaterThan(3);
    expect(Math.max(...claim.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe('writing', () => {
  let folder = '';
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves report.json and summary.md and nothing else', () => {
    folder = mkdtempSync(join(tmpdir(), 'iovcheck-report-'));
    const written = writeReport(FAILING, folder);
    writeReport(FAILING, folder);
    expect(readdirSync(folder).sort()).toEqual(['report.json', 'summary.md']);
    expect(decodeReport(readFileSync(written.json, 'utf8'), written.json)).toEqual(FAILING);
    expect(readFileSync(written.markdown, 'utf8')).toBe(renderMarkdown(FAILING));
  });
});
