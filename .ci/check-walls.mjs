// Runs dependency-cruiser over the project, and fails as well when it did not see every module.
import { readdirSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import extractTypeScript from 'dependency-cruiser/config-utl/extract-ts-config';

const folders = ['spec', 'src', 'properties'];
const sources = folders.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
);

const { options, ...ruleSet } = await extractConfig('./.dependency-cruiser.cjs');
const { output } = await cruise(folders, { ...options, ruleSet, validate: true, outputType: 'json' }, undefined, {
  tsConfig: extractTypeScript('tsconfig.json'),
});
const { modules, summary } = JSON.parse(output);
const seen = new Set(modules.map((module) => module.source));
const unseen = sources.filter((source) => !seen.has(source));
for (const { rule, from, to } of summary.violations) console.error(`${rule.severity} ${rule.name}: ${from} → ${to}`);
for (const source of unseen) console.error(`not seen: ${source}`);
console.log(
  `${sources.length - unseen.length} of ${sources.length} modules seen, ${summary.violations.length} violations`,
);
if (sources.length === 0 || unseen.length > 0 || summary.violations.length > 0) process.exitCode = 1;
