import { open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { refuseKernelFile } from '../../daemon/files/judge.ts';
import { refuseIrregular } from '../../daemon/files/opened-file.ts';
import { kernelPath, pin } from '../../daemon/files/pinned.ts';
import { tempTree } from '../support/temp-tree.ts';

test('SCOPE-15: a file of procfs or sysfs is known by its file system, wherever that is mounted', async () => {
  await using tree = await tempTree();
  await writeFile(join(tree.inside, 'file'), '');
  const kindOf = async (path: string): Promise<string> => {
    await using pinned = await pin(path);
    const refused = await refuseKernelFile(pinned, '/mounted/elsewhere');
    return refused?.error.kind ?? 'fine';
  };
  expect(await kindOf('/proc/self/status')).toBe('special');
  expect(await kindOf('/sys/kernel')).toBe('special');
  expect(await kindOf(join(tree.inside, 'file'))).toBe('fine');
});

test('SCOPE-15: a deleted file has no name, and no link to it is refused', async () => {
  await using tree = await tempTree();
  const path = join(tree.inside, 'file');
  await writeFile(path, '');
  await using handle = await open(path);
  await using pinned = await pin(path);
  expect(await kernelPath(pinned)).toBe(path);
  await rm(path);
  expect(await kernelPath(pinned)).toBeNull();
  const refused = await refuseIrregular(pinned, await handle.stat({ bigint: true }), path);
  expect(refused?.error.kind).toBe('missing');
});
