import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeUtf8 } from '../../daemon/core/utf8.ts';
import type { Table } from '../../daemon/manifest/layers.ts';
import { withTableProblems } from '../../daemon/manifest/rules.ts';
import { LayerTable, TOOL_NAMES } from '../../daemon/manifest/schema.ts';
import { parseToml } from '../../daemon/support/parse-toml.ts';
import { manifestSchema } from '../../scripts/manifest-schema.js';
import { isValid, type JsonSchema } from '../support/json-schema.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const BROKEN = join(ROOT, 'test/fixtures/manifests/broken');

/** Faults of broken manifests that are no matter of one value in one file. */
const ELSEWHERE = [
  // Missing: another layer may have it.
  ...['pod-missing', 'provider-missing', 'scope-missing', 'provider-kind-missing'],
  ...[
    'pod-name-missing',
    'provider-model-missing',
    'provider-script-missing',
    'compaction-provider-kind-missing',
    'compaction-provider-model-missing',
    'scope-allow-empty',
    'toml-empty',
  ],
  // Of a later version.
  'provider-kind-later',
  // A path or a reference that leads nowhere.
  'compaction-provider-script-other-home',
  ...['provider-script-other-home', 'provider-script-nul', 'scope-target-other-home'],
  ...['worker-instruction-library', 'worker-instruction-missing'],
  ...['worker-instruction-unqualified', 'worker-instruction-up'],
];

/** A table with one value in it: the table that `path` leads to, by its keys. */
function tableWith(path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  return key === '[]' ? [tableWith(rest, value)] : { [key]: tableWith(rest, value) };
}

/** Each key with its schema; what any key of a table has goes by the name Read. */
function allKeys(schema: JsonSchema, path: readonly string[] = []): [string[], JsonSchema][] {
  const { properties = {}, items, additionalProperties: rest } = schema;
  const below = [
    ...Object.entries(properties),
    ...(items === undefined ? [] : [['[]', items] as const]),
    ...(rest === undefined || rest === false ? [] : [['Read', rest] as const]),
  ];
  return below.flatMap(([key, one]) => [
    [[...path, key], one] as [string[], JsonSchema],
    ...allKeys(one, [...path, key]),
  ]);
}

describe('the JSON Schema of the manifest', () => {
  let schema: JsonSchema = {};
  let text = '';
  beforeAll(async () => {
    text = await manifestSchema();
    schema = JSON.parse(text) as JsonSchema;
  });

  test('MAN-1 MAN-6: what is shipped and what the script prints is made of what checks manifests', () => {
    expect(readFileSync(join(ROOT, 'dist/manifest.schema.json'), 'utf8')).toBe(text);
    const printed = execFileSync(process.execPath, [join(ROOT, 'scripts/manifest-schema.js')]);
    expect(printed.toString('utf8')).toBe(text);
  });

  test('MAN-1 MAN-6: each key has a type and says what it is, each number has a range, each table takes no other key', () => {
    const keys = allKeys(schema);
    expect(keys.map(([path]) => path.join('.'))).toEqual([
      'pod',
      'pod.name',
      ...providerKeys('provider'),
      'worker',
      'worker.instruction',
      'worker.max_tokens',
      ...['temperature', 'top_p', 'stop', 'stop.[]', 'max_turns', 'notifications'].map(
        (key) => `worker.${key}`,
      ),
      'worker.tool_output',
      'worker.tool_output.default_max_bytes',
      'worker.tool_output.per_tool',
      ...TOOL_NAMES.map((tool) => `worker.tool_output.per_tool.${tool}`),
      'scope',
      ...['allow', 'deny'].flatMap((list) =>
        ['', '.[]', '.[].target', '.[].permission', '.[].recursive'].map(
          (key) => `scope.${list}${key}`,
        ),
      ),
      'compaction',
      ...['protected_turns', 'protected_tokens', 'min_savings'].map(
        (key) => `compaction.prune_${key}`,
      ),
      ...['threshold', 'request_threshold', 'retained_tokens', 'auto_read_budget'].map(
        (key) => `compaction.compact_${key}`,
      ),
      'compaction.compact_worker_max_input_tokens',
      'compaction.on_refusal',
      'compaction.strategy',
      ...providerKeys('compaction.provider'),
    ]);
    for (const [path, { type, description, minimum, maximum, ...rest }] of keys) {
      const name = path.join('.');
      expect(type, name).toMatch(/^(?:object|array|string|boolean|integer|number)$/);
      // A rule is told of by its list.
      if (!name.endsWith('[]')) expect(description, name).toMatch(/^[A-Z].+\.$/);
      if (type === 'number')
        expect([minimum, maximum], name).toEqual([0, name === 'worker.top_p' ? 1 : 2]);
      if (type === 'integer') expect([minimum, maximum], name).toEqual(rangeOf(name));
      if (type === 'object') expect(rest.additionalProperties, name).toBe(false);
    }
    expect(schema.additionalProperties).toBe(false);
  });

  test('MAN-1 MAN-6: a value in the place of any key fits it when, and only when, podd takes it', () => {
    const values: unknown[] = [
      ...[0, 1, -1, 1.5, 7, 1_000_000_000, 1_000_000_001, NaN, Infinity],
      ...['', 'a', 'A', 'a.json', 'a.lock', 'a.json5', 'a'.repeat(64), 'a'.repeat(65), 'a b', 'ä'],
      ...['scripted', 'openai', 'scriptd', 'read', 'write', 'rw', '$podd/x', 'true', 'a\nb'],
      ...[true, false, [], {}, [{}], [[]], ['a'], [1], { a: 1 }, { name: 'a' }, { Read: 0 }],
      ...[{ target: 'a' }, { target: 'a', permission: 'read' }],
      [{ target: 'a', permission: 'read' }],
      [{ target: 'a', permission: 'read', recursive: false, also: 1 }],
    ];
    let taken = 0;
    for (const [path] of allKeys(schema))
      for (const unknown of ['', '_'])
        for (const value of values) {
          const misspelt = path.map((key, n) => (n === path.length - 1 ? key + unknown : key));
          const table = tableWith(misspelt, value) as Table;
          const expected =
            v.safeParse(LayerTable, table).success && withTableProblems([], table).length === 0;
          if (expected) taken += 1;
          // What any key of a table has is not misspelt.
          const says = `${misspelt.join('.')} = ${JSON.stringify(value)}`;
          expect({ says, isValid: isValid(schema, table) }).toEqual({ says, isValid: expected });
        }
    expect(taken).toBeGreaterThan(50);
  });

  test('MAN-1: the manifests that podd comes with fit it', () => {
    const file = join(ROOT, 'manifests/quickstart.toml');
    const table = parseToml(readFileSync(file, 'utf8'));
    expect(table.ok && isValid(schema, table.value)).toBe(true);
  });

  test('MAN-1 MAN-6: a broken manifest does not fit it, if what is broken is a key or its value', () => {
    const fits = readdirSync(BROKEN)
      .filter((name) => name.endsWith('.toml'))
      .filter((name) => {
        const table = parseToml(decodeUtf8(readFileSync(join(BROKEN, name))) ?? '=');
        return table.ok && isValid(schema, table.value);
      })
      .map((name) => name.slice(0, -'.toml'.length));
    expect(fits.sort()).toEqual(ELSEWHERE.toSorted());
  });
});

function providerKeys(table: string): string[] {
  return [
    table,
    ...['kind', 'script', 'model', 'api_key_file', 'base_url', 'max_retries'].map(
      (key) => `${table}.${key}`,
    ),
    ...['connect', 'first_event', 'idle'].map((what) => `${table}.${what}_timeout_ms`),
    ...['thinking_budget', 'reasoning_effort', 'context_window'].map((key) => `${table}.${key}`),
  ];
}

const MAY_BE_NONE =
  /^compaction\.(?:prune_protected_turns|compact_retained_tokens|compact_auto_read_budget)$/;

function rangeOf(key: string): [number, number] {
  if (key.endsWith('provider.max_retries')) return [0, 100];
  return [MAY_BE_NONE.test(key) ? 0 : 1, key.endsWith('_ms') ? 3_600_000 : 1_000_000_000];
}
