import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..', '..');
/** Below `node_modules`, so that a bundle finds the packages that are left out of it. */
const CACHE = join(ROOT, 'node_modules', '.cache', 'podd-test');

/** Makes a TypeScript program of `test/fixtures` runnable by plain Node. It is gone when it goes out of scope. */
export async function bundleFixture(
  name: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'bundle-'));
  const path = join(folder, `${basename(name, '.ts')}.mjs`);
  await build({
    entryPoints: [join(ROOT, 'test', 'fixtures', name)],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['level', 'classic-level', 'fs-native-extensions', 'proper-lockfile'],
    logLevel: 'silent',
  });
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
