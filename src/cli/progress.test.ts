import { describe, expect, it } from 'vitest';
import type { Progress } from '../harness/index.js';
import { clockText, parseDuration } from './duration.js';
import { ProgressDisplay } from './progress.js';

const progress = (elapsedSeconds: number, share: number): Progress => ({
  property: 'translation',
  phase: 'random',
  cases: 12,
  operations: 340,
  deviations: 1,
  share,
  elapsedSeconds,
});

function display(isTTY: boolean, columns = 200): { shown: ProgressDisplay; written: string[] } {
  const written: string[] = [];
  const shown = new ProgressDisplay({ isTTY, columns, write: (text: string) => written.push(text) });
  return { shown, written };
}

const ONLY = { name: 'engine 48-1g', index: 0, of: 1 };

describe('progress', () => {
  it('on a terminal one line is rewritten, cut to its width, and taken away at the end', () => {
    const { shown, written } = display(true, 30);
    shown.show(ONLY, progress(1, 0.1));
    shown.show(ONLY, progress(2, 0.2));
    shown.finished(2);
    expect(written).toEqual([
      '\r\u001b[K 10% 0:01 (ETA 0:09) engine 4',
      '\r\u001b[K 20% 0:02 (ETA 0:08) engine 4',
      '\r\u001b[K',
    ]);
  });

  it('elsewhere a line every ten seconds, over several campaigns', () => {
    const { shown, written } = display(false);
    for (const at of [1, 5, 10, 15, 19]) shown.show({ ...ONLY, of: 2 }, progress(at, at / 20));
    shown.finished(20);
    shown.show({ name: 'engine 57-1g', index: 1, of: 2 }, progress(1, 0.05));
    expect(written).toEqual([
      ' 25% 0:10 (ETA 0:30) engine 48-1g (1/2): random translation, 12 cases, 340 operations, 1 deviations\n',
      ' 52% 0:21 (ETA 0:19) engine 57-1g (2/2): random translation, 24 cases, 680 operations, 2 deviations\n',
    ]);
  });

  it('without a share there is no estimate', () => {
    const { shown, written } = display(false);
    shown.show(ONLY, progress(10, 0));
    expect(written[0]).toContain('(ETA ?)');
  });
});

describe('durations', () => {
  it.each([
    ['500ms', 0.5],
    ['30s', 30],
    ['1.5m', 90],
    ['2h', 7200],
  ])('%s', (text, seconds) => expect(parseDuration('--time', text)).toBe(seconds));

  it.each(['', '30', 's', '-1s', '0m', '1d', '1s 2s'])('"%s" is refused', (text) => {
    expect(() => parseDuration('--time', text)).toThrow(/^--time: expected a duration/);
  });

  it('clock', () => {
    expect([0, 59.6, 61, 7207].map(clockText)).toEqual(['0:00', '1:00', '1:01', '2:00:07']);
  });
});
