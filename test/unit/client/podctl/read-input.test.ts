import { describe, expect, test } from 'vitest';
import { readInput } from '../../../../client/podctl/read-input.ts';
import { UsageError } from '../../../../client/podctl/shell.ts';
import { bytesOf, FakeShell } from '../../../support/fake-shell.ts';

async function read(words: string[], ...stdin: (string | Uint8Array)[]): Promise<string> {
  return await readInput(new FakeShell({ stdin: bytesOf(...stdin) }).shell, words);
}

describe('readInput', () => {
  test('CLI-2: the words are one text; a single - is stdin, with code points cut anywhere', async () => {
    expect(await read(['mend', 'the  test'])).toBe('mend the  test');
    const bytes = Buffer.from('größer\n');
    expect(await read(['-'], bytes.subarray(0, 3), bytes.subarray(3))).toBe('größer\n');
    expect(await read(['-', 'x'])).toBe('- x');
  });

  test.each([
    { words: [' '], stdin: [] },
    { words: ['-'], stdin: [] },
    { words: ['-'], stdin: [new Uint8Array([0xff])] },
    { words: ['-'], stdin: [new Uint8Array(8 * 1024 * 1024), 'x'] },
  ])('INV-12: no text, not UTF-8 or too much of it is a usage error ($words)', async (given) => {
    await expect(read(given.words, ...given.stdin)).rejects.toThrow(UsageError);
  });
});
