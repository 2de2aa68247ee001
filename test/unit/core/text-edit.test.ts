import { describe, expect, test } from 'vitest';
import { applyEdit } from '../../../daemon/core/text-edit.ts';
import type { TextEdit } from '../../../daemon/core/text-edit.ts';

const BOUNDS = { matches: 100, textUnits: 1000 };
const edit = (oldText: string, newText: string): TextEdit => ({
  oldText,
  newText,
  occurrences: 'one',
});
const everywhere = (oldText: string, newText: string): TextEdit => ({
  oldText,
  newText,
  occurrences: 'all',
});

function edited(text: string, change: TextEdit): string {
  const result = applyEdit(text, change, BOUNDS);
  return result.ok ? result.value.text : `refused: ${result.error.kind}`;
}

function refused(text: string, change: TextEdit, bounds = BOUNDS): unknown {
  const result = applyEdit(text, change, bounds);
  return result.ok ? result.value.text : result.error;
}

describe('applyEdit', () => {
  test('TOOL-3: a unique match is replaced, and its lines before and after are told', () => {
    const result = applyEdit('a\nb\nc\n', edit('b\nc', 'B1\nB2\nc'), BOUNDS);
    expect(result).toEqual({
      ok: true,
      value: {
        text: 'a\nB1\nB2\nc\n',
        replaced: [{ before: { start: 2, end: 5, line: 2 }, after: { start: 2, end: 9, line: 2 } }],
      },
    });
  });

  test('TOOL-3: no match, an empty quote, and a change that is none are refused', () => {
    expect(refused('abc', edit('x', 'y'))).toEqual({ kind: 'missing' });
    expect(refused('abc', edit('', 'y'))).toEqual({ kind: 'empty' });
    expect(refused('abc', edit('b', 'b'))).toEqual({ kind: 'same' });
    expect(refused('a\nb\n', edit('a\nb', 'a\r\nb'))).toEqual({ kind: 'same' });
  });

  test('TOOL-3: two matches are refused with their count and lines', () => {
    expect(refused('x\ny\nx\n', edit('x', 'z'))).toEqual({
      kind: 'ambiguous',
      count: 2,
      lines: [1, 3],
    });
  });

  test('TOOL-3: matches that overlap are two places', () => {
    expect(refused('}\n}\n}\n', edit('}\n}\n', '}\n'))).toEqual({
      kind: 'ambiguous',
      count: 2,
      lines: [1, 2],
    });
    expect(refused('}\r\n}\r\n}\r\n', edit('}\n}\n', '}\n'))).toEqual({
      kind: 'ambiguous',
      count: 2,
      lines: [1, 2],
    });
  });

  test('TOOL-3: replace_all takes every match, from the left, none twice', () => {
    expect(edited('aaa b aa', everywhere('aa', 'x'))).toBe('xa b x');
    expect(edited('a.a', everywhere('a', 'aa'))).toBe('aa.aa');
  });

  test('TOOL-3: later places are told by their lines after the edit', () => {
    const result = applyEdit('x\nx\nx', everywhere('x', 'y\ny'), BOUNDS);
    expect(
      result.ok && result.value.replaced.map(({ before, after }) => [before.line, after.line]),
    ).toEqual([
      [1, 1],
      [2, 3],
      [3, 5],
    ]);
  });

  test('TOOL-3: a quote is no pattern, nor is what replaces it', () => {
    expect(edited('a.c\r\n$& abc\r\n', edit('a.c\n$&', '$&\n$1'))).toBe('$&\r\n$1 abc\r\n');
  });

  test('TOOL-3: a quote with line feeds matches CRLF, and what replaces it is CRLF', () => {
    expect(edited('a\r\nb\r\nc\r\n', edit('a\nb\n', 'A\nx\nB\n'))).toBe('A\r\nx\r\nB\r\nc\r\n');
    expect(edited('a\r\nb\r\n', edit('\nb', '\nx'))).toBe('a\r\nx\r\n');
  });

  test('TOOL-3: lines put into a CRLF file get CRLF, also where the quote is within a line', () => {
    expect(edited('a\r\nb\r\n', edit('b', 'b\nc'))).toBe('a\r\nb\r\nc\r\n');
    expect(edited('a\r\nb', edit('b', 'b\nc'))).toBe('a\r\nb\r\nc');
    expect(edited('a\nb\n', edit('b', 'b\r\nc'))).toBe('a\nb\nc\n');
  });

  test('TOOL-3: where endings are mixed, each line keeps its own', () => {
    expect(edited('a\r\nb\nc\r\n', edit('a\nb\nc', 'A\nB\nC'))).toBe('A\r\nB\nC\r\n');
    expect(edited('a\r\nb\nc\nd', edit('b', 'x\ny'))).toBe('a\r\nx\ny\nc\nd');
  });

  test('TOOL-3: a quote with a carriage return is meant to the letter', () => {
    expect(edited('a\r\nb\n', edit('a\r\nb', 'a\nb'))).toBe('a\nb\n');
    expect(refused('a\nb\n', edit('a\r\nb', 'c'))).toEqual({ kind: 'missing' });
  });

  test('TOOL-3: a line feed that begins a quote never takes half of a CRLF', () => {
    expect(edited('a\r\n\r\nb', edit('\n\nb', '\nb'))).toBe('a\r\nb');
  });

  test('TOOL-3: a byte order mark stays before a first line that changes', () => {
    expect(edited('\uFEFFone\r\ntwo', edit('one\ntwo', 'ONE\nTWO'))).toBe('\uFEFFONE\r\nTWO');
  });

  test('TOOL-3: more matches and longer texts than the bounds are refused before they are built', () => {
    expect(refused('aaaa', everywhere('a', 'b'), { matches: 3, textUnits: 1000 })).toEqual({
      kind: 'too_many',
    });
    expect(refused('aaaa', everywhere('a', 'bbb'), { matches: 4, textUnits: 11 })).toEqual({
      kind: 'too_large',
    });
    expect(refused('aaaa', everywhere('a', 'bbb'), { matches: 4, textUnits: 12 })).toBe(
      'bbbbbbbbbbbb',
    );
  });
});
