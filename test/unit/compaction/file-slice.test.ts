import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSlice } from '../../../daemon/compaction/file-slice.ts';
import { memoryFile } from '../../support/memory-files.ts';

const NEVER = new AbortController().signal;
const TEXT = 'one\ntwo\r\nthree\nfour';

describe('readSlice', () => {
  test.each([
    [{}, TEXT, 4],
    [{ offset: 1 }, 'two\r\nthree\nfour', 4],
    [{ limit: 2 }, 'one\ntwo\r\n', 2],
    [{ offset: 1, limit: 2 }, 'two\r\nthree\n', 3],
    [{ offset: 3, limit: 9 }, 'four', 4],
    [{ offset: 9 }, '', 4],
  ])('COMP-6: %o is raw text, and the number of its last line', async (range, text, lastLine) => {
    const slice = await readSlice(memoryFile('/f', TEXT), range, 1000, NEVER);
    expect(slice).toEqual({ text, bytes: Buffer.byteLength(text), lastLine });
  });

  test('COMP-6: bytes that are no UTF-8 are replaced, a mark of byte order is kept', async () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x62]);
    expect((await readSlice(memoryFile('/f', bytes), {}, 1000, NEVER)).text).toBe('\uFEFFa\uFFFDb');
  });

  test('COMP-3: of a slice that is too long no text comes, and not all of it is read', async () => {
    let read = 0;
    const file = memoryFile('/f', 'x'.repeat(1_000_000), () => {
      read += 1;
    });
    const slice = await readSlice(file, {}, 100, NEVER);
    expect(slice.text).toBe('');
    expect(slice.bytes).toBeGreaterThan(100);
    expect(read).toBe(1);
  });

  test('COMP-3: any slice is that of the split text, wherever its pieces end', async () => {
    const line = fc.constantFrom('', 'a', 'ü', '😀b');
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 9 }),
        fc.nat(9),
        fc.nat(9),
        fc.integer({ min: 1, max: 5 }),
        async (lines, offset, limit, size) => {
          const text = lines.join('\n');
          const whole = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
          const { text: slice } = await readSlice(
            memoryFile('/f', text, undefined, size),
            { offset, limit: limit + 1 },
            1000,
            NEVER,
          );
          expect(slice).toBe(whole.slice(offset, offset + limit + 1).join(''));
        },
      ),
    );
  });
});
