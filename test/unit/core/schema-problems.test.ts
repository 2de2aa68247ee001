import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { formatPath, knownKeys, listProblems } from '../../../daemon/core/schema-problems.ts';

const Schema = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.minLength(2))),
  parts: v.optional(v.array(v.strictObject({ size: v.number('a size') }))),
  per: v.optional(v.record(v.string(), v.strictObject({ top: v.boolean() }))),
});

function problems(value: unknown): string[] {
  const parsed = v.safeParse(Schema, value);
  if (parsed.success) return [];
  return listProblems(Schema, parsed.issues, 'toml').map(
    ({ kind, path, says }) => `${kind}: ${formatPath(path)} ${says}`,
  );
}

describe('listProblems', () => {
  test.each<[unknown, string[]]>([
    [{}, []],
    [3, ['wrong:  expected a table, got 3']],
    [{ name: 'x' }, ['wrong: name expected a length of at least 2, got 1']],
    [{ parts: {} }, ['wrong: parts expected a list, got a table']],
    [{ parts: [{ size: 'x' }] }, ['wrong: parts[0].size expected a size, got "x"']],
    [
      { parts: [{ size: 1 }, { siez: 1, zzz: 1 }] },
      [
        'missing: parts[1].size is required, but missing',
        'unknown: parts[1].siez is not known; did you mean size?',
        'unknown: parts[1].zzz is not known; known here: size',
      ],
    ],
    [{ per: { 'a b': { top: 0 } } }, ['wrong: per."a b".top expected true or false, got 0']],
  ])('MAN-4: %j has %j', (value, expected) => {
    expect(problems(value)).toEqual(expected);
  });
});

describe('knownKeys', () => {
  test('MAN-4: a path that the schema does not have leads to no keys', () => {
    expect(knownKeys(Schema, [])).toEqual(['name', 'parts', 'per']);
    expect(knownKeys(Schema, ['per', 'constructor'])).toEqual(['top']);
    expect(knownKeys(Schema, ['nowhere', 3])).toEqual([]);
  });
});
