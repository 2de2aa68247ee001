// The JSON Schema of the manifest, made of what podd itself checks manifests with, so that editors complete them.
// scripts/build.js puts it into dist/; alone, it is printed: node scripts/manifest-schema.js
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** As text. Of one layer, since what is required may stand in another. */
export async function manifestSchema() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ['daemon/manifest/schema.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'warning',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const { LayerTable } = await import(`data:text/javascript;base64,${code}`);
  const schema = {
    ...toJsonSchema(LayerTable, { target: 'draft-07', errorMode: 'ignore', typeMode: 'input' }),
    title: 'The manifest of a podd Pod',
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) process.stdout.write(await manifestSchema());
