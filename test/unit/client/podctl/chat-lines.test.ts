import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChatLine, readLines } from '../../../../client/podctl/chat-lines.ts';
import { bytesOf } from '../../../support/fake-shell.ts';

async function linesOf(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(bytesOf(...chunks))) lines.push(line);
  return lines;
}

describe('parseChatLine', () => {
  test.each([
    ['', { kind: 'nothing' }],
    ['  \r', { kind: 'nothing' }],
    ['hello ', { kind: 'say', text: 'hello' }],
    ['/cancel', { kind: 'cancel' }],
    ['/status\r', { kind: 'status' }],
    ['/quit', { kind: 'quit' }],
    ['//etc/passwd is a file', { kind: 'say', text: '/etc/passwd is a file' }],
    ['/etc', { kind: 'unknown', word: '/etc' }],
    ['/constructor', { kind: 'unknown', word: '/constructor' }],
  ])('CLI-2: %j is %o', (line, parsed) => {
    expect(parseChatLine(line)).toEqual(parsed);
  });
});

describe('readLines', () => {
  test('CLI-2: lines are the same however the bytes come, also half a code point at a time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ''))),
        fc.integer({ min: 1, max: 5 }),
        async (lines, size) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
            bytes.subarray(at * size, (at + 1) * size),
          );
          const read = await linesOf(...chunks);
          // A byte order mark at the very start is none of the text.
          expect(read.join('\n').replace(/^\ufeff/, '')).toBe(
            lines.join('\n').replace(/^\ufeff/, ''),
          );
        },
      ),
    );
  });

  test('CLI-2: the last line needs no end; what is no UTF-8, or endless, is refused', async () => {
    expect(await linesOf('one\ntw', 'o')).toEqual(['one', 'two']);
    await expect(linesOf(Buffer.from([0xff, 0x0a]))).rejects.toThrow(/not UTF-8/);
    const piece = 'x'.repeat(300_000);
    await expect(linesOf(piece, piece, piece, piece, piece)).rejects.toThrow(/more than 1048576/);
  });
});
