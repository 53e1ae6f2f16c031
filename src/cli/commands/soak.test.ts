import { afterEach, describe, expect, it, vi } from 'vitest';
import { CacheInvalidation } from '../../engine/cache-invalidation.js';
import { main } from '../cli.js';
import { defaultWorld } from '../default-world.js';
import type { Io } from '../io.js';

/** Runs the command and gives what it wrote and its exit code. */
async function soak(...args: readonly string[]): Promise<{ readonly out: string; readonly code: number }> {
  let out = '';
  const output = {
    write: (text: string): void => {
      out += text;
    },
  };
  const io: Io = {
    stdout: output,
    stderr: { write: () => {} },
    env: {},
    cwd: '.',
    onInterrupt: () => () => {},
    exitNow: () => {},
  };
  const code = await main(['soak', ...args], io, defaultWorld);
  return { out, code };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('many short scenarios', () => {
  it('raise no alarm on the chaos shape', async () => {
    const { out, code } = await soak('--shape', 'chaos', '--cases', '1000', '--seed', '4711');
    expect(out).toMatch(/^1000 cases, \d+ operations, 0 deviations/);
    expect(out).toContain('100.00% of operations judged, 0.00% of cases undecided');
    expect(code).toBe(0);
  });

  it('find a unit that keeps translations beyond their invalidation', async () => {
    const { dropLeaves } = CacheInvalidation.prototype;
    const plant: typeof dropLeaves = function (this: CacheInvalidation, level, cover) {
      if (cover.granularity === 'pointer') dropLeaves.call(this, level, cover);
    };
    vi.spyOn(CacheInvalidation.prototype, 'dropLeaves').mockImplementation(plant);
    const { out, code } = await soak('--shape', '48-1g', '--cases', '300');
    expect(out).toMatch(/^seed \d+: #\d+ VTD-/);
    expect(code).toBe(1);
  });
});
