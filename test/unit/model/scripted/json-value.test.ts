import { expect, test } from 'vitest';
import { mapStrings, toJsonObject } from '../../../../daemon/model/scripted/json-value.ts';

test('PROV-6: a table becomes plain JSON, whatever its keys are called', () => {
  const table: Record<string, unknown> = { a: [true, { b: 'x' }] };
  Object.defineProperty(table, '__proto__', { value: { c: 1 }, enumerable: true });
  const json = toJsonObject(table);
  expect(JSON.stringify(json.ok ? json.value : null)).toBe(
    '{"a":[true,{"b":"x"}],"__proto__":{"c":1}}',
  );
});

test('PROV-6: strings are replaced at any depth, keys and numbers are not', () => {
  const value = { a: ['a', { a: 'a' }], n: 1 };
  expect(mapStrings(value, (text) => `${text}!`)).toEqual({ a: ['a!', { a: 'a!' }], n: 1 });
});
