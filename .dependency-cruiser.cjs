/**
 * Import walls. Data flows one way: profile, scenario, history, judgement, report.
 * Test files may compose what they need.
 */
const test = '\\.test\\.ts$|/fixtures\\.ts$|/fake\\.ts$|testing\\.ts$|^properties/generators/checking/';

/** @param {string} name @param {string} path @param {string[]} allowed what modules below `path` may import of ours */
const wall = (name, path, allowed) => ({
  name,
  severity: 'error',
  from: { path: `^${path}`, pathNot: test },
  to: { path: '^(spec|src|properties)/', pathNot: [`^${path}`, ...allowed.map((each) => `^${each}`)] },
});

/** @param {string} name @param {string} path @param {string[]} packages */
const packages = (name, path, packages) => ({
  name,
  severity: 'error',
  from: { path: `^${path}`, pathNot: test },
  to: { path: 'node_modules', pathNot: packages.map((each) => `node_modules/${each}/`) },
});

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-tests-in-the-product',
      severity: 'error',
      from: { path: '^(spec|src|properties)/', pathNot: test },
      to: { path: test },
    },
    wall('interface-alone', 'spec/interface/', []),
    wall('layout-alone', 'spec/layout/', []),
    wall('spec', 'spec/', []),
    wall('engine', 'src/engine/', ['spec/interface/', 'spec/layout/']),
    wall('bench', 'src/bench/', ['src/engine/', 'spec/layout/']),
    wall('judge', 'src/judge/', ['spec/']),
    wall('targets', 'src/targets/', ['src/engine/', 'spec/interface/', 'spec/layout/']),
    {
      name: 'scripts-beside-the-target',
      severity: 'error',
      from: { path: '^src/targets/', pathNot: ['^src/targets/qemu/script/', test] },
      to: { path: '^src/targets/qemu/script/' },
    },
    wall('formats', 'src/formats/', ['spec/interface/', 'spec/layout/', 'src/harness/types\\.ts']),
    wall('harness', 'src/harness/', ['src/judge/', 'src/formats/', 'spec/interface/', 'spec/layout/']),
    // Its processes put everything together like the command line, whose world they use; the product knows nothing of it.
    wall('bugs', 'src/bugs/', [
      'spec/',
      'properties/',
      'src/(judge|engine|targets|formats|harness|report)/',
      'src/cli/default-world\\.ts',
    ]),
    wall('report', 'src/report/', ['spec/catalog/', 'spec/interface/', 'src/harness/types\\.ts', 'src/formats/']),
    wall('hypervisor', 'src/hypervisor/', ['spec/interface/', 'spec/layout/']),
    wall('properties', 'properties/', [
      'spec/interface/',
      'spec/layout/',
      'src/harness/property\\.ts',
      'src/hypervisor/',
    ]),
    packages('packages-of-spec', 'spec/', ['immer', 'ts-pattern']),
    packages('packages-of-engine', 'src/engine/', []),
    packages('packages-of-bench', 'src/bench/', ['tinybench']),
    packages('packages-of-hypervisor', 'src/hypervisor/', []),
    packages('packages-of-judge', 'src/judge/', ['ts-pattern']),
    packages('packages-of-properties', 'properties/', ['fast-check']),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node'],
    },
  },
};
