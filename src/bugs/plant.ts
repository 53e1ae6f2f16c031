import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Defect, plantedSource } from './defect.js';
import { transpiled } from './transpile.js';

/** Under this name a planted module tells that it was loaded. */
const MARK = 'iovcheck.planted';

/** The file that a source is built to. */
function builtFile(root: string, source: string): string {
  return join(root, 'dist', source.replace(/\.ts$/, '.js'));
}

/** A module of loader hooks that gives this source for that URL, and leaves all others alone. */
function hooksFor(url: string, source: string): string {
  const answer = JSON.stringify({ format: 'module', source, shortCircuit: true });
  const code = `export async function load(url, context, next) {
    return url === ${JSON.stringify(url)} ? ${answer} : next(url, context);
  }`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

/**
 * Plants a defect in this process: its module, when it is loaded after this, is the source with the defect in it.
 *
 * @param root folder of the repository, which is built
 * @throws AnchorLost
 */
export function plant(root: string, defect: Defect): void {
  const source = plantedSource(readFileSync(join(root, defect.file), 'utf8'), defect);
  const mark = `\n(globalThis[Symbol.for(${JSON.stringify(MARK)})] ??= []).push(${JSON.stringify(defect.id)});\n`;
  const url = pathToFileURL(builtFile(root, defect.file)).href;
  register(hooksFor(url, transpiled(source, defect.file) + mark));
}

/** Whether that defect, and no other, was loaded in this process. */
export function isPlanted({ id }: Defect): boolean {
  const planted: unknown = Reflect.get(globalThis, Symbol.for(MARK));
  return Array.isArray(planted) && planted.length === 1 && planted[0] === id;
}
