import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LayerTable } from '../../daemon/manifest/schema.ts';
import { manifestSchema } from '../../scripts/manifest-schema.js';

type JsonSchema = {
  readonly type?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly additionalProperties?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
};
type Checker = { readonly entries?: object; readonly wrapped?: Checker; readonly item?: Checker };

test('MAN-1 MAN-6: the schema that is shipped is the one of what checks manifests', async () => {
  expect(readFileSync('dist/manifest.schema.json', 'utf8')).toBe(await manifestSchema());
});

test('MAN-1 MAN-6: it has every key with its type, numbers with their range, and takes no other', async () => {
  const schema = JSON.parse(await manifestSchema()) as JsonSchema;
  let keys = 0;
  const compare = (checker: Checker, json: JsonSchema | undefined, path: string): void => {
    const inner = checker.wrapped ?? checker;
    if (inner.item !== undefined) {
      expect(json?.type, path).toBe('array');
      compare(inner.item, json?.items, `${path}[]`);
      return;
    }
    if (inner.entries === undefined) {
      keys += 1;
      expect(json?.type, path).toBeDefined();
      if (json?.type === 'integer') expect([json.minimum, json.maximum]).not.toContain(undefined);
      return;
    }
    expect(json?.additionalProperties, path).toBe(false);
    expect(Object.keys(json?.properties ?? {}), path).toEqual(Object.keys(inner.entries));
    for (const [key, value] of Object.entries(inner.entries as Record<string, Checker>))
      compare(value, json?.properties?.[key], `${path}.${key}`);
  };
  compare(LayerTable, schema, '');
  expect(keys).toBeGreaterThan(10);
  // A layer may leave out anything but what makes a rule.
  expect(schema.required ?? []).toEqual([]);
  expect(schema.properties?.['scope']?.properties?.['allow']?.items?.required).toEqual([
    'target',
    'permission',
  ]);
  const name = new RegExp(schema.properties?.['pod']?.properties?.['name']?.pattern ?? '', 'u');
  expect(['a', 'a.b', 'a.json', 'A', ''].map((one) => name.test(one))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
