import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { BadInput, readCase, readKnown } from '../formats/index.js';
import type { KnownDeviation, StoredCase } from '../harness/index.js';
import type { World } from './world.js';

/** A path as people type it: relative to the current folder when it is below it. */
export function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}

function jsonFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  if (!statSync(folder).isDirectory()) throw new BadInput(`${folder}: expected a folder, got a file`);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * The cases of the package and those that earlier runs left in a folder; of a case that both have, the package's.
 *
 * @throws BadInput for a file that cannot be read
 */
export function storedCases(world: World, out: string, cwd: string): { file: string; stored: StoredCase }[] {
  const files = [...packageCases(world), ...jsonFiles(join(out, 'cases'))];
  const seen = new Set<string>();
  return files
    .map((path) => {
      const file = shownPath(path, cwd);
      return { file, stored: readCase(path, world.checkComponent, file) };
    })
    .filter(({ stored: { id, target } }) => {
      const key = JSON.stringify([id, target]);
      const fresh = !seen.has(key);
      seen.add(key);
      return fresh;
    });
}

/** Paths of the package's own cases. */
export function packageCases(world: World): string[] {
  return jsonFiles(join(world.root, 'properties', 'cases'));
}

/** The file that lists the deviations known for a target. */
function knownFile(world: World, target: string): string {
  return join(world.root, 'properties', 'known', `${target}.json`);
}

/** The deviations known for a target. */
export function knownDeviations(world: World, target: string, cwd: string): readonly KnownDeviation[] {
  const file = knownFile(world, target);
  if (!existsSync(file)) return [];
  const shown = shownPath(file, cwd);
  const list = readKnown(file, world.checkComponent, shown);
  if (list.target !== target) throw new BadInput(`${shown}: target: expected "${target}", got "${list.target}"`);
  return list.deviations;
}

/** Every list of known deviations of the package. */
export function knownFiles(world: World): string[] {
  return jsonFiles(join(world.root, 'properties', 'known'));
}
