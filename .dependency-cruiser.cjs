// Import rules of docs/architecture.md. A room is a folder of daemon/; only app joins rooms.
const room = (name) => `^daemon/${name}/`;
const adapters = [
  'model',
  'files',
  'sandbox',
  'tools',
  'session',
  'scope',
  'manifest',
  'prompt',
  'rpc',
];
const basis = ['^daemon/core/', '^daemon/support/', '^daemon/ports/', '^protocol/'];

/** Modules in `from` may import from `to` and npm or node only. */
const only = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: {
    pathNot: [from, ...to, 'node_modules'],
    dependencyTypesNot: ['core', 'npm', 'npm-dev', 'unknown'],
  },
});
const home = (name, pattern, places) => ({
  name: `${name}-has-one-home`,
  severity: 'error',
  from: { pathNot: [...places, '^test/', '^scripts/', '\\.config\\.'] },
  to: { path: `node_modules/${pattern}` },
});

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      // Types of a package that has none are found by the compiler alone.
      from: { orphan: true, path: ['^daemon/', '^client/', '^protocol/'], pathNot: '\\.d\\.ts$' },
      to: {},
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    only('protocol-is-a-leaf', '^protocol/', []),
    only('client-knows-the-wire-only', '^client/', ['^protocol/']),
    only('core-is-pure', room('core'), ['^protocol/']),
    {
      name: 'core-does-no-io',
      severity: 'error',
      from: { path: room('core') },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?(util|path|path/posix|crypto|buffer)$' },
    },
    only('support-has-no-domain', room('support'), ['^daemon/core/']),
    only('ports-are-types', room('ports'), ['^daemon/core/', '^protocol/']),
    only('worker', room('worker'), basis),
    only('compaction', room('compaction'), [...basis, '^daemon/worker/']),
    only('pod', room('pod'), [...basis, '^daemon/worker/', '^daemon/compaction/']),
    ...adapters.map((name) => only(`${name}-stands-alone`, room(name), basis)),
    {
      name: 'tools-reach-files-by-their-port',
      severity: 'error',
      from: { path: room('tools') },
      to: { path: '^(node:)?(fs|fs/promises|child_process)$', dependencyTypes: ['core'] },
    },
    {
      name: 'worker-and-pod-do-no-io',
      severity: 'error',
      from: { path: [room('worker'), room('compaction'), room('pod')] },
      to: {
        path: '^(node:)?(fs|fs/promises|child_process|net|http|https)$',
        dependencyTypes: ['core'],
      },
    },
    {
      name: 'the-product-imports-no-test',
      severity: 'error',
      from: { path: ['^daemon/', '^client/', '^protocol/'] },
      to: { path: ['^test/', '^scripts/'] },
    },
    home('level', '(level|classic-level)/', [room('session')]),
    home('fs-native-extensions', 'fs-native-extensions/', [room('scope')]),
    home('proper-lockfile', '(@types/)?proper-lockfile/', [room('scope')]),
    home('smol-toml', 'smol-toml/', [room('manifest'), '^daemon/support/parse-toml']),
    home('nunjucks', 'nunjucks/', [room('prompt')]),
    home('pino', 'pino/', [room('app')]),
    home('anthropic', '@anthropic-ai/sdk/', [`${room('model')}anthropic/`]),
    home('undici', 'undici/', [room('model')]),
    home('json-rpc', 'json-rpc-2.0/', [room('rpc'), '^client/']),
    home('commander', 'commander/', ['^client/podctl/']),
    home('uuid', 'uuid/', [room('app')]),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node'] },
  },
};
