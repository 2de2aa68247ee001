import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineReader } from '../../../daemon/core/read-lines.ts';
import type { LineWindow } from '../../../daemon/core/read-lines.ts';

const WINDOW: LineWindow = { offset: 0, limit: 100, lineUnitsMax: 50, bytesMax: 10_000 };

function readAll(pieces: readonly string[], window: Partial<LineWindow> = {}): LineReader {
  const reader = new LineReader({ ...WINDOW, ...window });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return reader;
}

describe('LineReader', () => {
  test('TOOL-2: lines are numbered from 1, six wide, then a tab', () => {
    expect(readAll(['a\nb\n']).lines).toEqual(['     1\ta', '     2\tb']);
  });

  test('TOOL-2: a last line without a line feed is a line; nothing is none', () => {
    expect(readAll(['a\nb']).linesSeen).toBe(2);
    expect(readAll(['a\n\n']).lines).toEqual(['     1\ta', '     2\t']);
    expect(readAll(['']).linesSeen).toBe(0);
  });

  test('TOOL-2: the carriage return of a CRLF is not shown, also where the pieces part it', () => {
    expect(readAll(['a\r', '\nb\r\n', 'c\rd\n']).lines).toEqual([
      '     1\ta',
      '     2\tb',
      '     3\tc\rd',
    ]);
  });

  test('TOOL-2: a line over the limit is cut with a mark; one of just that length is not', () => {
    const full = 'x'.repeat(50);
    expect(readAll([`${full}\n`]).lines).toEqual([`     1\t${full}`]);
    expect(readAll([`${full}\r\n`]).lines).toEqual([`     1\t${full}`]);
    expect(readAll([full, 'y', 'z\nb\n']).lines).toEqual([
      `     1\t${full}… [line cut]`,
      '     2\tb',
    ]);
    expect(readAll([`${full}y\n`]).lines).toEqual([`     1\t${full}… [line cut]`]);
  });

  test('TOOL-2: a cut leaves no half of a surrogate pair', () => {
    expect(readAll([`${'x'.repeat(49)}😀y\n`]).lines).toEqual([
      `     1\t${'x'.repeat(49)}… [line cut]`,
    ]);
  });

  test('TOOL-2: it stops at its bytes, keeps at least one line, and counts the rest', () => {
    const reader = readAll(['aaaa\nbbbb\ncccc\n'], { bytesMax: 24 });
    expect(reader.lines).toEqual(['     1\taaaa', '     2\tbbbb']);
    expect(reader.linesSeen).toBe(3);
    expect(readAll(['ééé\nb\n'], { bytesMax: 3 }).lines).toEqual(['     1\tééé']);
  });

  test('TOOL-2: it is satisfied as soon as nothing more can be shown', () => {
    const reader = new LineReader({ ...WINDOW, offset: 1, limit: 1, lineUnitsMax: 4 });
    reader.push('a\nbb');
    expect(reader.satisfied).toBe(false);
    reader.push('b\n');
    expect(reader.satisfied).toBe(true);
    const cut = new LineReader({ ...WINDOW, limit: 1, lineUnitsMax: 4 });
    cut.push('abcdef');
    expect(cut.satisfied).toBe(true);
    cut.end();
    expect(cut.lines).toEqual(['     1\tabcd… [line cut]']);
  });

  test('TOOL-2: any text, however it is cut in pieces, gives the lines of its window', () => {
    const letter = fc.constantFrom('a', '\n', '\r\n', 'é', '😀');
    fc.assert(
      fc.property(
        fc.array(
          fc.array(letter, { maxLength: 8 }).map((l) => l.join('')),
          { maxLength: 5 },
        ),
        fc.nat(6),
        fc.integer({ min: 1, max: 6 }),
        (pieces, offset, limit) => {
          const lines = pieces.join('').split(/\r?\n/);
          if (lines.at(-1) === '') lines.pop();
          const reader = readAll(pieces, { offset, limit });
          const numbered = lines.map((line, i) => `${String(i + 1).padStart(6)}\t${line}`);
          expect(reader.lines).toEqual(numbered.slice(offset, offset + limit));
          expect(reader.linesSeen).toBe(lines.length);
        },
      ),
    );
  });
});
