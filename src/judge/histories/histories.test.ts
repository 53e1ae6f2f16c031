import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { main } from '../../cli/cli.js';
import { defaultWorld } from '../../cli/default-world.js';
import type { Io } from '../../cli/io.js';
import { encodeTrace } from '../../formats/index.js';
import { type HandWritten, handWritten, historyOf } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'histories-'));
afterAll(() => rmSync(folder, { recursive: true }));

const world = defaultWorld();

/** What `iovcheck judge` says of a history that lies on the disk as a trace. */
async function judged(name: string, history: HandWritten): Promise<{ readonly code: number; readonly text: string }> {
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, encodeTrace(historyOf(history)));
  const texts: string[] = [];
  const output = { write: (text: string): unknown => texts.push(text) };
  const io: Io = {
    stdout: output,
    stderr: output,
    env: {},
    cwd: folder,
    onInterrupt: () => () => {},
    exitNow: () => {},
  };
  const code = await main(['judge', file], io, () => world);
  return { code, text: texts.join('') };
}

/** The clause of the finding in the output. */
function clauseIn(text: string): string {
  return /(VTD|PLAT)-[A-Z]+-R?\d+/.exec(text)?.[0] ?? 'none';
}

const CODES = { conformant: 0, deviant: 1, inconclusive: 2 } as const;

describe.each(Object.entries(handWritten))('%s', (group, histories) => {
  it('has a name, two lines and rows for each', () => {
    expect(new Set(histories.map(({ name }) => name)).size).toBe(histories.length);
    for (const { name, says, rows } of histories) {
      expect([name, rows.length > 0, says.every((line) => line.length > 0 && line.length <= 120)]).toEqual([
        name,
        true,
        true,
      ]);
    }
  });

  it.each(histories.map((history) => [history.name, history] as const))('%s', async (name, history) => {
    const { expect: expected } = history;
    const { code, text } = await judged(`${group}-${name}`, history);
    expect(code, text).toBe(CODES[expected.verdict]);
    if (expected.verdict === 'deviant') {
      const clause = clauseIn(text);
      expect(
        expected.clauses.some((each) => clause.startsWith(each)),
        `${clause}\n${text}`,
      ).toBe(true);
    }
  });
});
