// The wire as an OpenRPC document, made of the schemas that podd itself checks messages with. scripts/build.js puts it into
// dist/protocol/; alone, it is printed: node scripts/protocol-schema.js
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toJsonSchema } from '@valibot/to-json-schema';
import { loadSources } from './load-sources.js';

const root = join(import.meta.dirname, '..');

const load = () =>
  loadSources(
    "export { METHODS } from './protocol/methods.ts';",
    "export { EVENTS, EventParams } from './protocol/events.ts';",
    "export { RPC_CODES } from './protocol/faults.ts';",
    "export { PROTOCOL_VERSION } from './protocol/version.ts';",
  );

function schemaOf(schema) {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    target: 'draft-07',
    errorMode: 'ignore',
    typeMode: 'input',
  });
  return rest;
}

/** As text. Params go by name; each method names its own errors, beside JSON-RPC's and `internal`. */
export async function protocolSchema(version) {
  const { METHODS, EVENTS, EventParams, RPC_CODES, PROTOCOL_VERSION } = await load();
  const errorOf = (name) => ({
    code: RPC_CODES[name],
    message: name,
    data: { code: name },
  });
  const methods = Object.entries(METHODS).map(([name, { params, result, errors }]) => {
    const { properties = {}, required = [] } = schemaOf(params);
    return {
      name,
      paramStructure: 'by-name',
      params: Object.entries(properties).map(([key, schema]) => ({
        name: key,
        required: required.includes(key),
        schema,
      })),
      result: { name: 'result', schema: schemaOf(result) },
      errors: errors.map(errorOf),
    };
  });
  const document = {
    openrpc: '1.3.2',
    info: {
      title: 'podd',
      version,
      description: `Protocol ${PROTOCOL_VERSION}: JSON-RPC 2.0 over a Unix stream socket, one message a line. After Subscribe the daemon sends notifications of the method Event; what is in them, by the name of the event, is in x-events.`,
    },
    methods,
    'x-notifications': [
      { name: 'Event', paramStructure: 'by-name', schema: schemaOf(EventParams) },
      { name: 'Ping', params: [] },
    ],
    'x-events': Object.fromEntries(
      Object.entries(EVENTS).map(([name, schema]) => [name, schemaOf(schema)]),
    ),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  process.stdout.write(await protocolSchema(version));
}
