import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Folders whose sources are built. */
const FOLDERS = ['spec', 'src', 'properties'];

/** Modules that only tests use, which are not built. */
const FOR_TESTS = /(\.test|\/fixtures|\/fake|testing)\.ts$|^properties\/generators\/checking\//;

/** A source that is newer than what was built from it, or not built at all; `undefined` when there is none. */
export function newerSource(root: string): string | undefined {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  )
    .filter((source) => !FOR_TESTS.test(source))
    .find((source) => {
      const built = statSync(join(root, 'dist', source.replace(/\.ts$/, '.js')), { throwIfNoEntry: false });
      return built === undefined || built.mtimeMs < statSync(join(root, source)).mtimeMs;
    });
}
