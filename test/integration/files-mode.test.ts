import { chmod, chown, mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { openFiles } from '../../daemon/files/open-files.ts';
import { write } from '../support/file-calls.ts';
import { tempTree, writable } from '../support/temp-tree.ts';

// A file of its own: root may write everything, so the whole test process becomes somebody else, for good.
const SOMEBODY = 4242;

test('TOOL-3: what the modes of files and folders forbid is refused, and leaves nothing behind', async () => {
  await using tree = await tempTree();
  const at = (name: string): string => join(tree.inside, name);
  await writeFile(at('read-only'), 'old');
  await chmod(at('read-only'), 0o444);
  await writeFile(at('theirs'), 'old');
  await chmod(at('theirs'), 0o666);
  await mkdir(at('shut'));
  await writeFile(at('shut/file'), 'old');
  await chmod(at('shut'), 0o555);
  const root = process.getuid?.() === 0;
  if (root) {
    for (const path of [
      dirname(tree.inside),
      tree.inside,
      at('read-only'),
      at('shut'),
      at('shut/file'),
    ])
      await chown(path, SOMEBODY, SOMEBODY);
    process.setuid?.(SOMEBODY);
  }
  const files = openFiles(writable(tree.inside));

  // Its folder would let it be replaced; its owner has said that it is not to change.
  expect(await write(files, at('read-only'))).toBe('not_writable');
  expect(await readFile(at('read-only'), 'utf8')).toBe('old');
  expect(await write(files, at('shut/file'))).toBe('unreachable');
  expect(await write(files, at('shut/new'))).toBe('unreachable');
  expect(await write(files, at('shut/folder/new'))).toBe('unreachable');
  // Somebody else's file can be written in place, but not replaced by one of the same owner.
  expect(await write(files, at('theirs'))).toBe(root ? 'unreachable' : 'written');
  expect(await readdir(at('shut'))).toEqual(['file']);
  expect((await readdir(tree.inside)).sort()).toEqual(['read-only', 'shut', 'theirs']);
  await chmod(at('shut'), 0o755);
});
