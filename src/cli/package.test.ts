import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as library from '../index.js';
import { main } from './cli.js';
import { checkComponent, defaultWorld } from './default-world.js';

/** Runs the real command line and gives what it said. */
async function cli(...argv: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const write = (more: string): void => {
    text += more;
  };
  const io = {
    stdout: { write },
    stderr: { write },
    env: {},
    cwd: process.cwd(),
    onInterrupt: () => () => {},
    exitNow: () => {},
  };
  const code = await main(argv, io, defaultWorld);
  return { code, text };
}

describe('this package', () => {
  it('is found from its sources, with every part in place', () => {
    const { root, tool, targets, properties, catalogue } = defaultWorld();
    expect(existsSync(join(root, 'package.json'))).toBe(true);
    expect(tool.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(targets.map((kind) => kind.id)).toEqual(['engine', 'qemu']);
    expect(properties.length).toBeGreaterThan(0);
    expect(catalogue.length).toBeGreaterThan(0);
  });

  it('has sound lists of known deviations and sound cases', async () => {
    const { code, text } = await cli('check-known');
    expect(text).toMatch(/: sound\n/);
    expect(code).toBe(0);
  });

  it('makes every engine variant, which its own profile leads back to', async () => {
    const [engine] = defaultWorld().targets;
    for (const { options } of engine!.variants) {
      const target = engine!.create(options);
      const profile = await target.describe();
      await target.close();
      expect(library.profileProblems(profile, checkComponent)).toEqual([]);
      expect(engine!.optionsFor(profile)).toEqual(options);
    }
  });

  it('knows that an architecture which is not specified cannot be checked', async () => {
    const profile = await library.createEngineTarget().describe();
    const component = { ...Object.values(profile.components)[0]!, architecture: 'smmu' };
    expect(checkComponent('x', component, profile)).toBe('expected an architecture that is specified here, got "smmu"');
  });

  it('names a wrong shape, and a QEMU that is not there', async () => {
    const shape = await cli('run', '--shape', 'round');
    expect(shape.code).toBe(64);
    expect(shape.text).toMatch(/^iovcheck: unknown shape "round": expected 39-4k, /);
    const { targets } = defaultWorld();
    const checks = await targets[1]!.checks({ qemu: '/nowhere/qemu' });
    expect(checks).toMatchObject([{ what: 'QEMU', ok: false, hint: expect.stringContaining('--qemu') }]);
  });
});
