import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutMiddle, cutUtf8, cutWithMark } from '../../../daemon/core/truncate.ts';

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

  test('LOOP-4: the line says where the rest is, and leaves that out where there is no room, never a part of it', () => {
    const more = '; the whole is in /tmp/ü';
    const { text } = cutWithMark('x'.repeat(100), 60, more);
    expect(bytes(text)).toBeLessThanOrEqual(60);
    expect(text).toMatch(/^x+\n\[cut: \d+ more bytes; the whole is in \/tmp\/ü\]$/);
    expect(cutWithMark('x'.repeat(100), 40, more).text).toMatch(/^x+\n\[cut: \d+ more bytes\]$/);
  });

  test('LOOP-4 INV-12: what was cut is a prefix, its mark whole if it fits, and the limit holds also where it does not', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 120 }), anyText, (text, max, more) => {
        const cut = cutWithMark(text, max, more);
        expect(bytes(cut.text)).toBeLessThanOrEqual(max);
        expect(cut.truncated).toBe(bytes(text) > max);
        const end = `${more}]`;
        const mark = /\n\[cut: (\d+) more bytes/.exec(cut.text);
        if (!cut.truncated || mark === null || !cut.text.endsWith(end)) return;
        const kept = cut.text.slice(0, cut.text.length - (mark[0].length + end.length));
        if (!text.startsWith(kept)) return;
        expect(bytes(kept) + Number(mark[1])).toBe(bytes(text));
      }),
    );
  });
});

describe('cutMiddle', () => {
  test('PATH-3 INV-12: head and tail are those of the text, at code points, within the limits, with a line between them', () => {
    const shares = fc.record({
      headBytes: fc.integer({ min: 64, max: 120 }),
      tailBytes: fc.integer({ min: 0, max: 120 }),
    });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), shares, (text, limits) => {
        const { pieces, bytesGone } = cutMiddle(text, limits);
        const [head = '', line, tail = ''] = pieces.map((piece) =>
          new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(piece),
        );
        const max = limits.headBytes + limits.tailBytes;
        if (line === undefined) {
          expect([head, bytesGone]).toEqual([text, 0]);
          expect(bytes(text)).toBeLessThanOrEqual(max);
          return;
        }
        expect(bytes(text)).toBeGreaterThan(max);
        expect(line).toBe(`\n[cut: ${bytesGone} bytes are missing here]\n`);
        expect(bytes(head) + bytesGone + bytes(tail)).toBe(bytes(text));
        expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
        expect(bytes(head) + bytes(line)).toBeLessThanOrEqual(limits.headBytes);
        expect(bytes(tail)).toBeLessThanOrEqual(limits.tailBytes);
        // No more is left out than has to be: a mark's digits and a part of a code point on either side.
        expect(bytes(head) + bytes(line) + bytes(tail)).toBeGreaterThan(max - 12);
      }),
    );
  });
});
