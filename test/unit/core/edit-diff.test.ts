import { describe, expect, test } from 'vitest';
import { renderEdit } from '../../../daemon/core/edit-diff.ts';
import { applyEdit } from '../../../daemon/core/text-edit.ts';

const BOUNDS = { hunks: 3, hunkLines: 4, lineUnits: 20, contextLines: 2 };

function diff(text: string, oldText: string, newText: string, bounds = BOUNDS): string[] {
  const limits = { matches: 100, textUnits: 10_000 };
  const edited = applyEdit(text, { oldText, newText, occurrences: 'all' }, limits);
  return edited.ok ? renderEdit(text, edited.value, bounds).split('\n') : [edited.error.kind];
}

const TEN = Array.from({ length: 10 }, (_, i) => `line ${i + 1}`).join('\n') + '\n';

describe('renderEdit', () => {
  test('TOOL-3: a changed line is shown between the lines around it', () => {
    expect(diff(TEN, 'line 5', 'LINE 5')).toEqual([
      '@@ line 5 @@',
      ' line 3',
      ' line 4',
      '-line 5',
      '+LINE 5',
      ' line 6',
      ' line 7',
    ]);
  });

  test('TOOL-3: lines that a quote only takes in for uniqueness are shown as unchanged', () => {
    expect(diff(TEN, 'line 4\nline 5\nline 6\n', 'line 4\nline 6\n')).toEqual([
      '@@ line 5 @@',
      ' line 3',
      ' line 4',
      '-line 5',
      ' line 6',
      ' line 7',
    ]);
  });

  test('TOOL-3: the first and the last line have context on one side', () => {
    expect(diff('a\nb\n', 'a', 'x')).toEqual(['@@ line 1 @@', '-a', '+x', ' b']);
    expect(diff('a\nb', 'b', 'x')).toEqual(['@@ line 2 @@', ' a', '-b', '+x']);
    expect(diff('\n\na', 'a', 'x')).toEqual(['@@ line 3 @@', ' ', ' ', '-a', '+x']);
  });

  test('TOOL-3: two matches in one line are one change', () => {
    expect(diff('a-a\n', 'a', 'b')).toEqual(['@@ line 1 @@', '-a-a', '+b-b']);
  });

  test('TOOL-3: carriage returns are not shown', () => {
    expect(diff('a\r\nb\r\nc\r\n', 'b', 'x')).toEqual(['@@ line 2 @@', ' a', '-b', '+x', ' c']);
  });

  test('TOOL-3: places, lines and long lines beyond the bounds are counted or cut', () => {
    const many = diff('x\ny\nx\ny\nx\ny\nx\ny\nx\n', 'x', 'z', { ...BOUNDS, contextLines: 0 });
    expect(many.filter((line) => line.startsWith('@@'))).toHaveLength(3);
    expect(many.at(-1)).toBe('[2 more places not shown]');
    expect(diff('a\n', 'a', '1\n2\n3\n4\n5\n6')).toEqual([
      '@@ line 1 @@',
      '-a',
      '+1',
      '+2',
      '+3',
      '+4',
      '+[2 more]',
    ]);
    expect(diff(`${'a'.repeat(30)}b\n`, 'b', 'c')).toEqual([
      '@@ line 1 @@',
      `-${'a'.repeat(20)}…`,
      `+${'a'.repeat(20)}…`,
    ]);
  });

  test('TOOL-3 INV-5: a long line is not cut in the middle of a character', () => {
    expect(diff(`${'a'.repeat(19)}😀b\n`, 'b', 'c')).toEqual([
      '@@ line 1 @@',
      `-${'a'.repeat(19)}…`,
      `+${'a'.repeat(19)}…`,
    ]);
  });
});
