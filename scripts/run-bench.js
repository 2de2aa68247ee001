// Makes the benchmark runnable by plain Node, runs it, and leaves nothing: `npm run bench -- --help` says what it takes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { build, stop } from 'esbuild';

const root = join(import.meta.dirname, '..');
const sources = join(import.meta.dirname, 'bench');

/** Below the root, so that the bundles find the packages, and as deep as their sources, so that they find dist/. */
const folder = await mkdtemp(join(root, 'dist.tmp-bench-'));
try {
  process.exitCode = await run(await bundle(join(folder, 'bench')));
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function bundle(outdir) {
  const mains = (await readdir(sources)).filter((name) => /(^|-)main\.ts$/.test(name));
  await build({
    entryPoints: mains.map((name) => join(sources, name)),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    logLevel: 'warning',
  });
  // Its process would run beside what is measured.
  await stop();
  return join(outdir, 'main.mjs');
}

/** Its exit code. A signal is passed on: the benchmark ends its children itself. */
async function run(main) {
  const child = spawn(process.execPath, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, 'exit');
  return code ?? 1;
}
