/**
 * The import rules of the house (see CONTRIBUTING.md):
 * api, cli → stages → connectors, runtime → machines, db.
 */
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^(src|simulators|test|bench|chaos|examples)/', pathNot: [from, ...allowed] },
});

export default {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'machines-import-only-xstate',
      severity: 'error',
      from: { path: '^src/machines/' },
      to: { pathNot: ['^src/machines/', '^src/decimal\\.ts$', '^node_modules/xstate/'] },
    },
    only('db-is-a-leaf', '^src/db/', ['^src/config\\.ts$']),
    only('runtime-knows-no-product', '^src/runtime/', [
      '^src/db/connection\\.ts$',
      '^src/db/bulk\\.ts$',
      '^src/db/schema/runtime\\.ts$',
    ]),
    only('connectors-are-ports', '^src/connectors/', ['^src/decimal\\.ts$']),
    only('stages-use-what-is-below', '^src/stages/', [
      '^src/connectors/',
      '^src/runtime/',
      '^src/machines/',
      '^src/db/',
      '^src/decimal\\.ts$',
      '^src/config(\\.ts$|/)',
    ]),
    {
      name: 'dashboard-knows-the-wire-only',
      severity: 'error',
      from: { path: '^src/dashboard/' },
      to: {
        path: '^(src|simulators|test|bench|chaos|examples)/',
        pathNot: ['^src/dashboard/', '^src/api/operator/wire/'],
      },
    },
    {
      name: 'dashboard-is-an-app-of-its-own',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/dashboard/' },
      to: { path: '^src/dashboard/' },
    },
    only('testing-knows-the-ports', '^src/testing/', ['^src/connectors/', '^src/decimal\\.ts$']),
    {
      name: 'nothing-runs-on-the-test-kit',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/testing/' },
      to: { path: '^src/testing/' },
    },
    only('examples-use-what-is-public', '^examples/', [
      '^src/connectors/index\\.ts$',
      '^src/testing/index\\.ts$',
    ]),
    {
      name: 'src-never-imports-the-outside-world',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(simulators|test|bench|chaos|examples)/' },
    },
    {
      name: 'simulators-stand-alone',
      severity: 'error',
      from: { path: '^simulators/' },
      to: { path: '^(src|test|bench|chaos|examples)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
