import { createHash } from 'node:crypto';
import { chmod, readFile, readdir, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { editTool } from '../../daemon/tools/edit.ts';
import { readTool } from '../../daemon/tools/read.ts';
import { writeTool } from '../../daemon/tools/write.ts';
import { tempTree } from '../support/temp-tree.ts';
import { ToolBench } from '../support/tool-bench.ts';

const sha256 = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex');

describe('Write', () => {
  test('TOOL-3: a new file needs no Read; what is about to happen is told first', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'folder/file');
    const bench = new ToolBench(tree.inside);
    bench.meanwhile = async () => {
      expect(await readdir(tree.inside)).toEqual([]);
    };
    expect(await bench.run(writeTool, { file_path: path, content: 'grün' })).toEqual({
      summary: `Created ${path} (5 bytes)`,
      files: [{ path, hash: sha256('grün'), op: 'write' }],
    });
    expect(bench.intents).toEqual([
      { kind: 'write_file', path, hash: sha256('grün'), before: null },
    ]);
    expect(await readFile(path, 'utf8')).toBe('grün');
  });

  test('TOOL-3: an existing file has to be read first, and be as it was then', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    const bench = new ToolBench(tree.inside);
    const write = { file_path: path, content: 'new' };
    expect(await bench.refusal(writeTool, write)).toContain('Read it first');
    await bench.run(readTool, { file_path: path });
    await writeFile(path, 'ALT');
    expect(await bench.refusal(writeTool, write)).toContain('changed since it was last read');
    expect(await readFile(path, 'utf8')).toBe('ALT');
    expect(bench.intents).toEqual([]);
    await bench.run(readTool, { file_path: path });
    const outcome = await bench.run(writeTool, write);
    expect(outcome.summary).toBe(`Overwrote ${path} (3 bytes)`);
    expect(bench.intents).toEqual([
      { kind: 'write_file', path, hash: sha256('new'), before: sha256('ALT') },
    ]);
  });

  test('TOOL-3: what was written counts as read', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    const bench = new ToolBench(tree.inside);
    for (const content of ['one', 'two'])
      expect((await bench.run(writeTool, { file_path: path, content })).isError).toBeUndefined();
    expect(await readFile(path, 'utf8')).toBe('two');
  });

  test('TOOL-3: a file read by one name may be written by another', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    await symlink('file', join(tree.inside, 'link'));
    const bench = new ToolBench(tree.inside);
    await bench.run(readTool, { file_path: join(tree.inside, 'link') });
    await bench.run(writeTool, { file_path: path, content: 'new' });
    expect(await readFile(path, 'utf8')).toBe('new');
  });

  test('TOOL-3: a change between the intent and the write is refused', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    const bench = new ToolBench(tree.inside);
    await bench.run(readTool, { file_path: path });
    bench.meanwhile = () => writeFile(path, 'ALT');
    expect(await bench.refusal(writeTool, { file_path: path, content: 'new' })).toContain(
      'changed by someone else',
    );
    expect(await readFile(path, 'utf8')).toBe('ALT');
  });

  test('TOOL-3: an intent that can’t be stored stops the write', async () => {
    await using tree = await tempTree();
    const bench = new ToolBench(tree.inside);
    bench.meanwhile = () => Promise.reject(new Error('the disk refuses'));
    const path = join(tree.inside, 'file');
    await expect(bench.run(writeTool, { file_path: path, content: 'new' })).rejects.toThrow(
      'the disk refuses',
    );
    expect(await readdir(tree.inside)).toEqual([]);
  });

  test('INV-12: content and files over the limit are refused before anything is told', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    const bench = new ToolBench(tree.inside);
    const content = 'x'.repeat(LIMITS.editableFileBytes + 1);
    expect(await bench.refusal(writeTool, { file_path: path, content })).toContain('more than');
    await writeFile(path, 'text\n');
    await truncate(path, LIMITS.editableFileBytes + 1);
    await bench.run(readTool, { file_path: path, limit: 1 });
    expect(await bench.refusal(writeTool, { file_path: path, content: '' })).toContain(
      'too large to change',
    );
    expect(bench.intents).toEqual([]);
  });

  test('TOOL-3: text that no UTF-8 file can hold is refused', async () => {
    await using tree = await tempTree();
    const bench = new ToolBench(tree.inside);
    const path = join(tree.inside, 'file');
    expect(await bench.refusal(writeTool, { file_path: path, content: 'a\uD800' })).toContain(
      'surrogate',
    );
  });

  test('SCOPE-15: what lies outside the scope is not written', async () => {
    await using tree = await tempTree();
    const bench = new ToolBench(tree.inside);
    const path = join(tree.outside, 'file');
    expect(await bench.refusal(writeTool, { file_path: path, content: 'x' })).toBe(
      `${path} is outside this Pod's scope`,
    );
    expect(bench.intents).toEqual([]);
  });
});

describe('Edit', () => {
  test('TOOL-3: a unique match is replaced; where, and a small diff, are shown', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, 'one\ntwo\nthree\n');
    const bench = new ToolBench(tree.inside);
    await bench.run(readTool, { file_path: path });
    const outcome = await bench.run(editTool, {
      file_path: path,
      old_string: 'two',
      new_string: 'TWO',
    });
    expect(outcome).toEqual({
      summary: `Edited ${path}: 1 replacement (line 2)`,
      content: '@@ line 2 @@\n one\n-two\n+TWO\n three',
      files: [{ path, hash: sha256('one\nTWO\nthree\n'), op: 'write' }],
    });
    expect(bench.intents).toEqual([
      {
        kind: 'write_file',
        path,
        hash: sha256('one\nTWO\nthree\n'),
        before: sha256('one\ntwo\nthree\n'),
      },
    ]);
    expect(await readFile(path, 'utf8')).toBe('one\nTWO\nthree\n');
  });

  test('TOOL-3: line endings, byte order mark and mode are kept', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, '\uFEFFone\r\ntwo\r\n');
    await chmod(path, 0o755);
    const bench = new ToolBench(tree.inside);
    await bench.run(readTool, { file_path: path });
    await bench.run(editTool, {
      file_path: path,
      old_string: 'one\ntwo',
      new_string: 'one\nand\ntwo',
    });
    expect(await readFile(path, 'utf8')).toBe('\uFEFFone\r\nand\r\ntwo\r\n');
    expect((await stat(path)).mode & 0o7777).toBe(0o755);
  });

  test('TOOL-3: what does not match once is refused, and replace_all takes it', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, 'x\n'.repeat(12));
    const bench = new ToolBench(tree.inside);
    await bench.run(readTool, { file_path: path });
    const edit = { file_path: path, old_string: 'x', new_string: 'y' };
    expect(await bench.refusal(editTool, edit)).toContain(
      `stands at 12 places in ${path} (lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)`,
    );
    expect(await bench.refusal(editTool, { ...edit, old_string: 'z' })).toContain('is not in');
    const outcome = await bench.run(editTool, { ...edit, replace_all: true });
    expect(outcome.summary).toContain('12 replacements (lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, …)');
    expect(outcome.content).toContain(`[${12 - LIMITS.diffHunks} more places not shown]`);
    expect(await readFile(path, 'utf8')).toBe('y\n'.repeat(12));
  });

  test('TOOL-3: an edit that can’t mean anything is refused before the file is looked at', async () => {
    await using tree = await tempTree();
    const bench = new ToolBench(tree.inside);
    const path = join(tree.outside, 'file');
    const refusal = (old_string: string, new_string: string): Promise<string> =>
      bench.refusal(editTool, { file_path: path, old_string, new_string });
    expect(await refusal('', 'x')).toContain('old_string is empty');
    expect(await refusal('x', 'x')).toContain('nothing would change');
    expect(await refusal('x\uD800', 'y')).toContain('surrogate');
    expect(await refusal('x', 'y\uD800')).toContain('surrogate');
  });

  test('TOOL-3: a file that is missing, unread, changed or not UTF-8 is refused', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    const bench = new ToolBench(tree.inside);
    const edit = { file_path: path, old_string: 'a', new_string: 'b' };
    expect(await bench.refusal(editTool, edit)).toContain('does not exist');
    await writeFile(path, 'a');
    expect(await bench.refusal(editTool, edit)).toContain('Read it first');
    await bench.run(readTool, { file_path: path });
    await writeFile(path, 'aa');
    expect(await bench.refusal(editTool, edit)).toContain('changed since');
    await writeFile(path, Buffer.from([0x61, 0xff]));
    await bench.run(readTool, { file_path: path });
    expect(await bench.refusal(editTool, edit)).toContain('not UTF-8');
    expect(await readFile(path)).toEqual(Buffer.from([0x61, 0xff]));
    expect(bench.intents).toEqual([]);
  });

  test('INV-12: more places, or more bytes, than one edit may make are refused', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, 'a'.repeat(LIMITS.editMatches + 1));
    const bench = new ToolBench(tree.inside);
    await bench.run(readTool, { file_path: path });
    const edit = { file_path: path, old_string: 'a', replace_all: true };
    expect(await bench.refusal(editTool, { ...edit, new_string: 'b' })).toContain('too many');
    await writeFile(path, 'a'.repeat(1000));
    await bench.run(readTool, { file_path: path });
    for (const new_string of ['b'.repeat(100_000), '€'.repeat(30_000)])
      expect(await bench.refusal(editTool, { ...edit, new_string })).toContain(
        'would become larger',
      );
    expect(bench.intents).toEqual([]);
  });
});
