import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { deadline } from '../../../support/slowness.ts';
import { tempFolder } from '../../../support/temp-folder.ts';

const MAIN = join(import.meta.dirname, '../../../../client/podctl/main.ts');

test('CLI-3: podctl serves in a working directory that is gone', async () => {
  await using folder = await tempFolder();
  const bundle = join(folder.path, 'podctl.mjs');
  await build({
    entryPoints: [MAIN],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Commander is CommonJS.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    define: { PODD_VERSION: '"0"' },
    logLevel: 'silent',
  });
  const { status, stdout, stderr } = spawnSync(
    'sh',
    [
      '-c',
      'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"',
      process.execPath,
      bundle,
      'ls',
    ],
    {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], PODD_SCOPE_REGISTRY: join(folder.path, 'registry') },
      encoding: 'utf8',
      timeout: deadline(4_000),
    },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('nobody is in the registry');
});
