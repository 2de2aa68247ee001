import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFiles } from '../../daemon/files/open-files.ts';
import { allow, openDescriptors, scopeOf, tempTree } from '../support/temp-tree.ts';

const { signal } = new AbortController();
const CALLS = 1000;

test('SCOPE-15: a thousand refused and accepted calls leave no descriptor open', async () => {
  await using tree = await tempTree();
  await mkdir(join(tree.inside, 'folder'));
  await writeFile(join(tree.inside, 'file'), 'text');
  await writeFile(join(tree.outside, 'secret'), 'secret');
  await symlink(join(tree.outside, 'secret'), join(tree.inside, 'out'));
  await symlink('loop', join(tree.inside, 'loop'));
  await symlink('nowhere', join(tree.inside, 'dangling'));
  const files = openFiles(
    scopeOf({
      allow: [allow(tree.inside, 'write')],
      deny: [allow(join(tree.inside, 'state'), 'read')],
    }),
  );
  const paths = [
    'file',
    'folder',
    'out',
    'loop',
    'missing',
    'missing/deep',
    'file/below',
    'state/a',
  ];
  const kinds = new Map<string, number>();
  const count = (kind: string): void => {
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  };
  const stopped = AbortSignal.abort(new Error('stopped'));

  const callOnce = async (i: number): Promise<void> => {
    const path = join(tree.inside, paths[i % paths.length] ?? '');
    const read = await files.openForRead(path, signal);
    count(read.ok ? 'read' : read.error.kind);
    if (read.ok) {
      await using file = read.value;
      // Left in the middle, as a reader of a large file does.
      for await (const chunk of file.chunks(signal)) if (chunk.length > 0) break;
    }
    const opened = await files.openForWrite(path, signal);
    if (opened.ok) {
      await using place = opened.value;
      if (i % 3 === 0)
        await expect(place.replace(Buffer.from('x'), stopped)).rejects.toThrow('stopped');
      // What did not exist stays so, for the next round.
      else if (place.existing !== null)
        count((await place.replace(Buffer.from('x'), signal)).ok ? 'written' : 'kept');
    } else count(opened.error.kind);
    await files.identify(path);
  };

  await callOnce(0);
  const before = await openDescriptors();
  for (let i = 0; i < CALLS; i += 1) await callOnce(i);
  expect(await openDescriptors()).toBe(before);
  for (const kind of ['read', 'written', 'directory', 'outside_scope', 'missing'])
    expect(kinds.get(kind), kind).toBeGreaterThan(50);
});
