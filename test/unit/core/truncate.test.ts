import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutUtf8, cutWithMark } from '../../../daemon/core/truncate.ts';

const bytes = (text: string): number => Buffer.byteLength(text, 'utf8');
const anyText = fc.string({ unit: 'grapheme', maxLength: 200 });

describe('cutUtf8', () => {
  test('LOOP-4 INV-12: what is left is a prefix, within the limit, and no code point is split', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 300 }), (text, max) => {
        const cut = cutUtf8(text, max);
        expect(text.startsWith(cut)).toBe(true);
        expect(bytes(cut)).toBeLessThanOrEqual(max);
        expect(Buffer.from(cut, 'utf8').toString('utf8')).toBe(cut);
        const next = Array.from(text.slice(cut.length))[0];
        if (next !== undefined) expect(bytes(cut) + bytes(next)).toBeGreaterThan(max);
      }),
    );
  });
});

describe('cutWithMark', () => {
  test('LOOP-4: a cut text says how many bytes are gone and stays within the limit', () => {
    const { text, truncated } = cutWithMark('ü'.repeat(100), 60);
    expect(truncated).toBe(true);
    expect(bytes(text)).toBeLessThanOrEqual(60);
    const kept = text.split('\n')[0] ?? '';
    expect(text).toBe(`${kept}\n[cut: ${200 - bytes(kept)} more bytes]`);
  });

  test('LOOP-4: a text that fits is left as it is', () => {
    expect(cutWithMark('as it is', 8)).toEqual({ text: 'as it is', truncated: false });
  });

  test('INV-12: the limit holds also where the mark alone would not fit', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 60 }), (text, max) => {
        expect(bytes(cutWithMark(text, max).text)).toBeLessThanOrEqual(Math.max(max, 0));
      }),
    );
  });
});
