import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEdit } from '../../../daemon/core/text-edit.ts';

// Few letters, so that quotes are found often, once and more than once.
const text = fc
  .array(fc.constantFrom('a', 'b', '\n', ' ', '$'), { maxLength: 14 })
  .map((letters) => letters.join(''));
const quote = fc
  .array(fc.constantFrom('a', 'b', '\n'), { minLength: 1, maxLength: 3 })
  .map((letters) => letters.join(''));
const occurrences = fc.constantFrom<'one' | 'all'>('one', 'all');
const BOUNDS = { matches: 1000, textUnits: 100_000 };
const toCrlf = (lines: string): string => lines.replaceAll('\n', '\r\n');

describe('applyEdit, any text', () => {
  test('TOOL-3: in a text with line feeds it is what split and join make of it', () => {
    fc.assert(
      fc.property(text, quote, quote, (before, oldText, newText) => {
        fc.pre(oldText !== newText);
        const result = applyEdit(before, { oldText, newText, occurrences: 'all' }, BOUNDS);
        const expected = before.split(oldText).join(newText);
        if (result.ok) expect(result.value.text).toBe(expected);
        else expect(expected).toBe(before);
      }),
    );
  });

  test('TOOL-3: a CRLF file is edited just as its LF twin, and stays CRLF', () => {
    fc.assert(
      fc.property(text, quote, quote, occurrences, (before, oldText, newText, which) => {
        const edit = { oldText, newText, occurrences: which };
        const plain = applyEdit(before, edit, BOUNDS);
        const crlf = applyEdit(toCrlf(before), edit, BOUNDS);
        if (plain.ok && before.includes('\n') && plain.value.text.includes('\n'))
          expect(crlf.ok && crlf.value.text).toBe(toCrlf(plain.value.text));
        else expect(crlf.ok).toBe(plain.ok);
        if (!plain.ok) expect(crlf).toEqual(plain);
      }),
    );
  });

  test('TOOL-3: the places told hold the old text before and the new one after', () => {
    fc.assert(
      fc.property(text, quote, quote, (before, oldText, newText) => {
        const result = applyEdit(before, { oldText, newText, occurrences: 'all' }, BOUNDS);
        if (!result.ok) return;
        const lineAt = (whole: string, at: number): number => whole.slice(0, at).split('\n').length;
        for (const place of result.value.replaced) {
          expect(before.slice(place.before.start, place.before.end)).toBe(oldText);
          expect(result.value.text.slice(place.after.start, place.after.end)).toBe(newText);
          expect(place.before.line).toBe(lineAt(before, place.before.start));
          expect(place.after.line).toBe(lineAt(result.value.text, place.after.start));
        }
      }),
    );
  });
});
