import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { parseArgumentsObject, parseCallArguments } from '../../../daemon/core/call-arguments.ts';

const Read = v.strictObject({
  file_path: v.string(),
  offset: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
  limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 2000),
  mode: v.optional(v.picklist(['text', 'hex'])),
});

function messageFor(text: string): string {
  const parsed = parseCallArguments(Read, text);
  return parsed.ok ? 'fits' : parsed.error;
}

describe('parseCallArguments', () => {
  test('LOOP-2: arguments that fit come out with their defaults', () => {
    expect(parseCallArguments(Read, '{"file_path":"/a","limit":3}')).toEqual({
      ok: true,
      value: { file_path: '/a', offset: 0, limit: 3 },
    });
  });

  test.each([
    ['', 'the arguments do not fit: file_path is required, but missing'],
    ['null', 'the arguments do not fit: file_path is required, but missing'],
    ['[1]', 'the arguments are a JSON object, not a list'],
    ['"x"', 'the arguments are a JSON object, not a string'],
    [
      '{"path":"/a"}',
      'the arguments do not fit: file_path is required, but missing; ' +
        'path is not known; known here: file_path, offset, limit, mode',
    ],
    [
      '{"filePath":"/a"}',
      'the arguments do not fit: file_path is required, but missing; ' +
        'filePath is not known; did you mean file_path?',
    ],
    [
      '{"file_path":1,"offset":-1,"limit":1.5,"mode":"x"}',
      'the arguments do not fit: file_path expected a string, got 1; offset expected at least 0, got -1; ' +
        'limit expected a whole number, got 1.5; mode expected "text" or "hex", got "x"',
    ],
    [
      '{"file_path":"/a","ofset":1,"limits":2}',
      'the arguments do not fit: ofset is not known; did you mean offset?; limits is not known; did you mean limit?',
    ],
    ['{"file_path":"/a","__proto__":{},"constructor":1}', /__proto__ is not known.*constructor is/],
    ['{"file_path":', /^the arguments are not valid JSON: /],
  ])('LOOP-2: %s is told in words', (text, says) => {
    if (typeof says === 'string') expect(messageFor(text)).toBe(says);
    else expect(messageFor(text)).toMatch(says);
  });

  test('LOOP-2: a long value is not repeated whole', () => {
    expect(
      messageFor(JSON.stringify({ file_path: '/a', mode: 'x'.repeat(10_000) })).length,
    ).toBeLessThan(200);
  });
});

describe('parseArgumentsObject', () => {
  test('ITEM-2: nothing, blanks and null count as an empty object', () => {
    for (const text of ['', ' \n', 'null', '{}'])
      expect(parseArgumentsObject(text)).toEqual({ ok: true, value: {} });
  });
});
