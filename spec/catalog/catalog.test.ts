import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { catalog, clauseById } from './index.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Every clause id that stands in the code of the specification and the judge, in rules and in their comments. */
function idsInCode(): ReadonlySet<string> {
  const files = ['spec', 'src/judge'].flatMap((folder) =>
    readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
      // Hand-written histories cite rows of the facts, which are more than what is judged.
      .filter((name) => !/\.test\.ts$|catalog|^histories\b/.test(name) && name.endsWith('.ts'))
      .map((name) => `${root}/${folder}/${name}`),
  );
  const found = files.flatMap(
    (file) => readFileSync(file, 'utf8').match(/\b(?:(?:VTD|PLAT|PCI|HV)-[A-Z]+-[A-Z]?|APIC-)\d+\b/g) ?? [],
  );
  return new Set(found);
}

describe('the catalogue', () => {
  it('has every id that the code names', () => {
    expect([...idsInCode()].filter((id) => clauseById(id) === undefined).sort()).toEqual([]);
  });

  it('has no id that the code does not name', () => {
    const ids = idsInCode();
    expect(catalog.map((clause) => clause.id).filter((id) => !ids.has(id))).toEqual([]);
  });

  it('has no id twice', () => {
    const ids = catalog.map((clause) => clause.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
