// The JSON Schema of the manifest, made of what podd itself checks manifests with, so that editors complete them.
// scripts/build.js puts it into dist/; alone, it is printed: node scripts/manifest-schema.js
import { toJsonSchema } from '@valibot/to-json-schema';
import { loadSources } from './load-sources.js';

/** As text. Of one layer, since what is required may stand in another. */
export async function manifestSchema() {
  const { LayerTable } = await loadSources(
    "export { LayerTable } from './daemon/manifest/schema.ts';",
  );
  const schema = {
    ...toJsonSchema(LayerTable, { target: 'draft-07', errorMode: 'ignore', typeMode: 'input' }),
    title: 'The manifest of a podd Pod',
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) process.stdout.write(await manifestSchema());
