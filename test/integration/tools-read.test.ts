import { createHash } from 'node:crypto';
import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { safeParse } from 'valibot';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { readTool } from '../../daemon/tools/read.ts';
import { tempTree } from '../support/temp-tree.ts';
import { ToolBench } from '../support/tool-bench.ts';

const sha256 = (bytes: string | Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');
const lines = (count: number): string =>
  Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('');

describe('Read', () => {
  test('TOOL-2: lines are numbered, and the whole file is hashed whatever part is shown', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, lines(5));
    const bench = new ToolBench(tree.inside);
    const outcome = await bench.run(readTool, { file_path: path, offset: 1, limit: 2 });
    expect(outcome).toEqual({
      summary: `Read ${path}: lines 2-3 of 5`,
      content: '     2\tline 2\n     3\tline 3\n[2 more lines; continue with offset=3]',
      files: [{ path, hash: sha256(lines(5)), op: 'read' }],
    });
  });

  test('ITEM-1: a file read through a link is recorded under its canonical path', async () => {
    await using tree = await tempTree();
    await mkdir(join(tree.inside, 'real'));
    await writeFile(join(tree.inside, 'real/file'), 'text');
    await symlink('real', join(tree.inside, 'link'));
    const outcome = await new ToolBench(tree.inside).run(readTool, {
      file_path: join(tree.inside, 'link/file'),
    });
    expect(outcome.files).toEqual([
      { path: join(tree.inside, 'real/file'), hash: sha256('text'), op: 'read' },
    ]);
  });

  test('TOOL-2: a byte order mark and carriage returns are not shown, bad UTF-8 is replaced', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0x62, 0xff]);
    await writeFile(path, bytes);
    const outcome = await new ToolBench(tree.inside).run(readTool, { file_path: path });
    expect(outcome.content).toBe('     1\ta\n     2\tb\uFFFD');
    expect(outcome.files?.[0]?.hash).toBe(sha256(bytes));
  });

  test('TOOL-2: a character that two chunks share is shown whole', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, `${'x\n'.repeat(32 * 1024 - 1)}x€`);
    const outcome = await new ToolBench(tree.inside).run(readTool, {
      file_path: path,
      offset: 32 * 1024 - 1,
    });
    expect(outcome.content).toBe(' 32768\tx€');
  });

  test('TOOL-2: an empty file and an offset past the end are said, and are no errors', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, '');
    const bench = new ToolBench(tree.inside);
    expect(await bench.run(readTool, { file_path: path })).toEqual({
      summary: `Read ${path}: the file is empty`,
      files: [{ path, hash: sha256(''), op: 'read' }],
    });
    await writeFile(path, 'one\n');
    const past = await bench.run(readTool, { file_path: path, offset: 7 });
    expect(past.summary).toBe(`Read ${path}: offset 7 is past the end, the file has 1 line`);
    expect(past.isError).toBeUndefined();
  });

  test('TOOL-2: by default 2000 lines are shown, and where to go on', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, '\n'.repeat(LIMITS.readLines + 1));
    const outcome = await new ToolBench(tree.inside).run(readTool, { file_path: path });
    expect(outcome.summary).toContain('lines 1-');
    expect(outcome.content).toMatch(/\[\d+ more lines?; continue with offset=\d+\]$/);
    expect(readTool.schema.entries.limit.default).toBe(2000);
  });

  test('INV-12: a part never comes to more than a result may hold; parts together are the file', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    const text = Array.from({ length: 3000 }, (_, i) => `é${i}`.repeat(5));
    await writeFile(path, text.join('\n'));
    const bench = new ToolBench(tree.inside);
    const seen: string[] = [];
    for (let offset: number | undefined = 0; offset !== undefined; ) {
      const outcome = await bench.run(readTool, { file_path: path, offset });
      const content: string = outcome.content ?? '';
      expect(Buffer.byteLength(content)).toBeLessThanOrEqual(LIMITS.resultContentBytes);
      for (const line of content.split('\n')) {
        const shown = /^ *(\d+)\t(.*)$/.exec(line);
        if (shown !== null) seen.push(shown[2] ?? '');
      }
      const next = /continue with offset=(\d+)\]$/.exec(content);
      offset = next === null ? undefined : Number(next[1]);
    }
    expect(seen).toEqual(text);
  });

  test('TOOL-2: a long line is cut with a mark', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, `${'x'.repeat(LIMITS.readLineUnits + 1)}\nb`);
    const outcome = await new ToolBench(tree.inside).run(readTool, { file_path: path });
    const [first, second] = outcome.content?.split('\n') ?? [];
    expect(first).toBe(`     1\t${'x'.repeat(LIMITS.readLineUnits)}… [line cut]`);
    expect(second).toBe('     2\tb');
  });

  test('TOOL-2: binary files are refused helpfully, and not recorded', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, Buffer.concat([Buffer.alloc(8191, 'x'), Buffer.from([0])]));
    const bench = new ToolBench(tree.inside);
    const outcome = await bench.run(readTool, { file_path: path });
    expect(outcome).toEqual({
      summary: `${path} is binary (8192 bytes): Read shows text only`,
      isError: true,
    });
    await writeFile(path, Buffer.concat([Buffer.alloc(8192, 'x'), Buffer.from([0])]));
    expect((await bench.run(readTool, { file_path: path })).isError).toBeUndefined();
  });

  test('TOOL-2: of a file too large to edit no more is read than is shown, and it is not recorded', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, lines(10_000));
    // A hole of zeros: read to its end, it would take seconds.
    await truncate(path, 64 * 1024 * LIMITS.editableFileBytes);
    const bench = new ToolBench(tree.inside);
    const outcome = await bench.run(readTool, { file_path: path, offset: 2, limit: 1 });
    expect(outcome.content).toBe(
      '     3\tline 3\n[more may follow; continue with offset=3]\n' +
        `[too large (over ${LIMITS.editableFileBytes} bytes) for Write and Edit: it can only be read]`,
    );
    expect(outcome.files).toBeUndefined();
  });

  test('TOOL-2: what the files refuse is an error result in their words', async () => {
    await using tree = await tempTree();
    const bench = new ToolBench(tree.inside);
    expect(await bench.refusal(readTool, { file_path: tree.inside })).toBe(
      `${tree.inside} is a directory, not a file`,
    );
    expect(await bench.refusal(readTool, { file_path: '/etc/passwd' })).toBe(
      "/etc/passwd is outside this Pod's scope",
    );
  });

  test('TOOL-1: relative paths, unknown keys and odd numbers do not fit the schema', () => {
    const fits = (args: unknown): boolean => safeParse(readTool.schema, args).success;
    expect(fits({ file_path: '/a' })).toBe(true);
    expect(fits({ file_path: 'a' })).toBe(false);
    expect(fits({ file_path: '/a', lines: 1 })).toBe(false);
    expect(fits({ file_path: '/a', limit: 0 })).toBe(false);
    expect(fits({ file_path: '/a', offset: -1 })).toBe(false);
    expect(fits({ file_path: '/a', offset: 1.5 })).toBe(false);
    const refused = safeParse(readTool.schema, { file_path: 'a' });
    expect(refused.issues?.[0].message).toBe('must be an absolute path, one that starts with /');
  });
});
