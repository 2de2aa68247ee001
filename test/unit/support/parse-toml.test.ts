import { describe, expect, test } from 'vitest';
import { parseToml } from '../../../daemon/support/parse-toml.ts';

function told(text: string): string {
  const parsed = parseToml(text);
  if (parsed.ok) return 'a table';
  const { line, column, says } = parsed.error;
  return `${line}:${column} ${says}`;
}

const OF_LETTERS = 'expected a key of a-z A-Z 0-9 _ -, then =; other keys stand in quotes';
const KEY_AND_VALUE = 'expected a key, then = and its value';
const TABLE_END = 'expected ] behind the name of the table';
const STRUCTURE_END = 'expected a comma, or the end of the list or table that is open';
const TEXT_IN_QUOTES = 'expected a value: text stands in quotes';
const TRUTH = 'expected a value: true or false, in small letters, or text in quotes';
const NUMBER_ALONE =
  'expected a number alone: nothing else belongs to it, and text stands in quotes';
const LINE_END = 'expected the end of the line behind the value';
const TWICE = 'this key or table is there already: each may stand once';
const ESCAPE = String.raw`unknown escape: a backslash is written \\, or the text stands in single quotes`;

describe('parseToml', () => {
  test.each([
    ['name', `1:1 ${KEY_AND_VALUE}`],
    ['a = 1\nname "x"', `2:6 ${KEY_AND_VALUE}`],
    ['a: 1', `1:2 ${KEY_AND_VALUE}`],
    ['{"a": 1}', `1:1 ${KEY_AND_VALUE}`],
    ['a = { b }', `1:9 ${KEY_AND_VALUE}`],
    ['= 1', '1:1 expected a key'],
    ['a.= 1', '1:3 expected a key'],
    ['a..b = 1', '1:3 expected a key'],
    ['a b = 1', `1:3 ${OF_LETTERS}`],
    ['ä = 1', `1:1 ${OF_LETTERS}`],
    ['a[0] = 1', `1:2 ${OF_LETTERS}`],
    ['a := 1', `1:3 ${OF_LETTERS}`],
    ['[a', `1:2 ${TABLE_END}`],
    ['[a b]', `1:4 ${TABLE_END}`],
    ['[a = 1', `1:4 ${TABLE_END}`],
    ['[[a]', '1:5 expected ]] behind the name of the table'],
    ['[]', '1:2 expected the name of a table'],
    ['[a.]', '1:4 expected the name of a table'],
    ['a = "x\nb = 1', '1:7 the text of this line is not closed by its quote'],
    ['a = "x', '1:5 the text that begins here is not closed by its quote'],
    ["a = '''x\ny", '1:5 the text that begins here is not closed by its quote'],
    ['a = "x\u0001"', '1:7 control characters are not allowed in strings'],
    [String.raw`a = "C:\me"`, `1:9 ${ESCAPE}`],
    [String.raw`a = "C:\users"`, `1:10 ${ESCAPE}`],
    ['a = ', '1:5 expected a value behind ='],
    ['a = # b', '1:5 expected a value behind ='],
    ['a = /home', `1:5 ${TEXT_IN_QUOTES}`],
    ['a = $HOME', `1:5 ${TEXT_IN_QUOTES}`],
    ['a = True', `1:5 ${TRUTH}`],
    ['a = yes', `1:5 ${TRUTH}`],
    ['a = yesterday', `1:5 ${TEXT_IN_QUOTES}`],
    ['a = 16KB', `1:7 ${NUMBER_ALONE}`],
    ['a = 1,000', `1:6 ${NUMBER_ALONE}`],
    ['a = 1_', `1:5 ${NUMBER_ALONE}`],
    ['a = 01', '1:5 a number does not begin with 0'],
    ['a = 9007199254740993', '1:5 the number is too big to be exact'],
    ['a = 2026-13-01', '1:5 invalid date'],
    ['a = 1 b = 2', `1:7 ${LINE_END}`],
    ['a = "b"c"', `1:8 ${LINE_END}`],
    ['a = [1 2]', `1:8 ${STRUCTURE_END}`],
    ['a = [1\nb = 2', `2:1 ${STRUCTURE_END}`],
    ['a = { b = 1', `1:12 ${STRUCTURE_END}`],
    ['a = 1\na = 2', `2:1 ${TWICE}`],
    ['[a]\n[a]', `2:2 ${TWICE}`],
    ['a = { b = 1, b = 2 }', `1:14 ${TWICE}`],
    ['a = { b = 1 }\na.c = 2', `2:1 ${TWICE}`],
  ])('MAN-4: %j is refused with its place and what is wrong', (text, says) => {
    expect(told(text)).toBe(says);
  });

  test('MAN-4 INV-12: lists that are nested deep are refused, not followed', () => {
    expect(told(`a = ${'['.repeat(100_000)}`)).toContain('lists and tables are nested too deep');
  });

  test('MAN-1: a key that every object has is one like any other', () => {
    const parsed = parseToml('__proto__ = 1\n[constructor]\nx = 1');
    expect(parsed.ok && Object.keys(parsed.value)).toEqual(['__proto__', 'constructor']);
    expect({}).not.toHaveProperty('x');
  });
});
