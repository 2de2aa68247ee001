// Makes dist/: the two programs, the protocol and the client for other programs, and the natives: all that a machine with only Node needs.
import { execFileSync } from 'node:child_process';
import { chmod, cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { manifestSchema } from './manifest-schema.js';
import { protocolSchema } from './protocol-schema.js';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
// Made beside it and renamed, so that whoever runs dist/ at this moment has the old one or the new one.
const fresh = join(root, `dist.tmp-${process.pid}`);
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));

// Packages look for their natives beside their package.json, which costs a start 10 ms and needs node_modules. Here they
// lie in dist/native. Which libc this is, the loader of the system knows best: the first that loads is right.
const loadNative = (what, names) => `
function load() {
  const place = process.platform + '-' + process.arch;
  const folder = podd$native + place + '/';
  let failure;
  for (const name of ${JSON.stringify(names)}) {
    const loaded = { exports: {} };
    try {
      process.dlopen(loaded, folder + name);
      return loaded.exports;
    } catch (error) {
      failure ??= error;
    }
  }
  throw new Error('podd has no ${what} for ' + place, { cause: failure });
}
`;

const LEVEL_NATIVES = ['', '.armv8', '.armv7', '.musl'].map((kind) => `classic-level${kind}.node`);
const LOCK_NATIVE = 'fs-native-extensions.node';

const nativeLoader = {
  name: 'native-loader',
  setup(on) {
    // classic-level calls node-gyp-build with its folder.
    on.onResolve({ filter: /^node-gyp-build$/ }, () => ({ path: 'loader', namespace: 'native' }));
    on.onLoad({ filter: /.*/, namespace: 'native' }, () => ({
      contents: `${loadNative('LevelDB', LEVEL_NATIVES)}module.exports = load;`,
      loader: 'js',
    }));
    on.onLoad({ filter: /\/fs-native-extensions\/binding\.js$/ }, () => ({
      contents: `${loadNative('kernel lock', [LOCK_NATIVE])}module.exports = load();`,
      loader: 'js',
    }));
  },
};

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  splitting: true,
  // Not minified: a stack trace is to be readable, and start and memory gain nothing by it.
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  plugins: [nativeLoader],
  // CommonJS packages in an ES module still ask for their builtins by require.
  banner: {
    js: [
      "import { createRequire as podd$require } from 'node:module';",
      "import { fileURLToPath as podd$path } from 'node:url';",
      'const require = podd$require(import.meta.url);',
      "const podd$native = podd$path(new URL('./native/', import.meta.url)), __dirname = podd$native;",
    ].join('\n'),
  },
  define: { PODD_VERSION: JSON.stringify(version), PODD_BUILD: JSON.stringify(commit()) },
};

// From a tarball there is none.
function commit() {
  try {
    const git = ['describe', '--always', '--dirty', '--exclude=*'];
    return execFileSync('git', git, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    return 'unknown';
  }
}

async function buildAll() {
  const entryPoints = { podd: 'daemon/app/main.ts', podctl: 'client/podctl/main.ts' };
  // Not a program of its own: podd starts it for a template.
  const template = { template: 'daemon/prompt/template-main.ts' };
  // For other programs. It starts the podd that lies beside it.
  const client = { client: 'client/client.ts' };
  const programs = await build({
    ...common,
    outdir: fresh,
    entryPoints: { ...entryPoints, ...template, ...client },
  });
  const protocol = (await readdir(join(root, 'protocol')))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `protocol/${name}`);
  const library = await build({
    ...common,
    outdir: join(fresh, 'protocol'),
    entryPoints: protocol,
  });
  for (const program of Object.keys(entryPoints)) {
    const path = join(fresh, `${program}.js`);
    await writeFile(path, `#!/usr/bin/env node\n${await readFile(path, 'utf8')}`);
    await chmod(path, 0o755);
  }
  await writeFile(join(fresh, 'manifest.schema.json'), await manifestSchema());
  await writeFile(join(fresh, 'protocol/schema.json'), await protocolSchema(version));
  await copyNatives();
  await writeLicenses([programs.metafile, library.metafile]);
  // Types are for those who install the package; a test run needs none of them.
  if (process.argv.includes('--types'))
    execFileSync(
      process.execPath,
      [
        join(root, 'node_modules/typescript/bin/tsc'),
        '-p',
        'tsconfig.types.json',
        '--outDir',
        join(fresh, 'types'),
      ],
      { cwd: root, stdio: 'inherit' },
    );
}

async function copyNatives() {
  for (const [name, natives] of [
    ['classic-level', LEVEL_NATIVES],
    ['fs-native-extensions', [LOCK_NATIVE]],
  ]) {
    const from = join(root, 'node_modules', name, 'prebuilds');
    for (const place of await readdir(from))
      if (place.startsWith('linux-'))
        for (const native of await readdir(join(from, place)))
          if (natives.includes(native))
            await cp(join(from, place, native), join(fresh, 'native', place, native));
  }
}

/** The licences of all that is in the bundles. */
async function writeLicenses(metafiles) {
  const folders = new Set();
  for (const { inputs } of metafiles)
    for (const input of Object.keys(inputs)) {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
      if (folder !== undefined) folders.add(folder);
    }
  const parts = [];
  for (const folder of [...folders].sort()) {
    const about = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
    const file = (await readdir(join(root, folder))).find((name) => /^licen[cs]e/i.test(name));
    const text =
      file === undefined
        ? `Licence: ${about.license}`
        : await readFile(join(root, folder, file), 'utf8');
    parts.push(`${about.name} ${about.version}\n\n${text.trim()}\n`);
  }
  await writeFile(join(fresh, 'THIRD-PARTY-LICENSES.txt'), parts.join(`\n${'-'.repeat(80)}\n\n`));
}

try {
  await buildAll();
  const old = `${dist}.old-${process.pid}`;
  await rename(dist, old).catch((error) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(fresh, dist);
  await rm(old, { recursive: true, force: true });
} finally {
  await rm(fresh, { recursive: true, force: true });
}
