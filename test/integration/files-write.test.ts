import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { chmod, chown, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { openFiles } from '../../daemon/files/open-files.ts';
import { names, target, write } from '../support/file-calls.ts';
import { allow, scopeOf, tempTree, writable } from '../support/temp-tree.ts';

const { signal } = new AbortController();

describe('openForWrite and replace', () => {
  test('SCOPE-15: a new file is made, and an old one replaced by another', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    expect(await write(files, path, { text: 'one' })).toBe('written');
    const before = await stat(path);
    expect(await write(files, path, { text: 'two' })).toBe('written');
    expect(await readFile(path, 'utf8')).toBe('two');
    expect((await stat(path)).ino).not.toBe(before.ino);
    expect(await names(tree.inside)).toEqual(['file']);
  });

  test('TOOL-3: mode and owner of the file are kept', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'script');
    await writeFile(path, 'old');
    // Only root may give a file away; anybody else keeps their own.
    const owner = process.getuid?.() === 0 ? 4242 : (process.getuid?.() ?? 0);
    if (owner === 4242) await chown(path, owner, owner);
    await chmod(path, 0o4751);
    expect(await write(openFiles(writable(tree.inside)), path)).toBe('written');
    const after = await stat(path);
    expect([(after.mode & 0o7777).toString(8), after.uid]).toEqual(['4751', owner]);
  });

  test("TOOL-3: new files and folders have the mode that the user's umask leaves, not the daemon's", async () => {
    await using tree = await tempTree();
    const before = process.umask(0o077);
    try {
      const files = openFiles(writable(tree.inside), 0o027);
      const path = join(tree.inside, 'made/new');
      expect(await write(files, path)).toBe('written');
      expect((await stat(path)).mode & 0o777).toBe(0o640);
      expect((await stat(join(tree.inside, 'made'))).mode & 0o777).toBe(0o750);
    } finally {
      process.umask(before);
    }
  });

  test('TOOL-3: a write through a link goes to its target, and the link stays', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    await mkdir(join(tree.inside, 'real'));
    await writeFile(join(tree.inside, 'real/file'), 'old');
    await symlink('real/file', join(tree.inside, 'link'));
    await symlink('real/made', join(tree.inside, 'dangling'));
    await using place = await target(files, join(tree.inside, 'link'));
    expect(place.path).toBe(join(tree.inside, 'real/file'));
    expect(await write(files, join(tree.inside, 'link'))).toBe('written');
    expect(await write(files, join(tree.inside, 'dangling'))).toBe('written');
    expect((await lstat(join(tree.inside, 'link'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(tree.inside, 'real/file'), 'utf8')).toBe('new');
    expect(await readFile(join(tree.inside, 'real/made'), 'utf8')).toBe('new');
  });

  test('SCOPE-15: nothing is written outside, whatever leads there', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    await writeFile(join(tree.outside, 'file'), 'old');
    await symlink(join(tree.outside, 'file'), join(tree.inside, 'file-link'));
    await symlink(join(tree.outside, 'new'), join(tree.inside, 'dangling'));
    await symlink(tree.outside, join(tree.inside, 'folder-link'));
    for (const path of [
      'file-link',
      'dangling',
      'folder-link/file',
      'folder-link/new',
      'folder-link/deep/new',
      '../outside/new',
      'folder-link/../outside/new',
    ])
      expect(await write(files, `${tree.inside}/${path}`), path).toBe('outside_scope');
    expect(await names(tree.outside)).toEqual(['file']);
    expect(await readFile(join(tree.outside, 'file'), 'utf8')).toBe('old');
  });

  test('SCOPE-2: what may only be read is told apart from what is outside', async () => {
    await using tree = await tempTree();
    const scope = scopeOf({ allow: [allow(tree.inside, 'read')], deny: [] });
    const files = openFiles(scope);
    await writeFile(join(tree.inside, 'file'), 'old');
    expect(await write(files, join(tree.inside, 'file'))).toBe('not_writable');
    expect(await write(files, join(tree.inside, 'new'))).toBe('not_writable');
    expect(await write(files, join(tree.outside, 'new'))).toBe('outside_scope');
  });

  test('SCOPE-15: directories, devices, pipes and the kernel’s folders are refused', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable('/'));
    execFileSync('mkfifo', [join(tree.inside, 'pipe')]);
    expect(await write(files, join(tree.inside, 'pipe'))).toBe('special');
    expect(await write(files, tree.inside)).toBe('directory');
    expect(await write(files, `${tree.inside}/new/`)).toBe('directory');
    expect(await write(files, '/dev/null')).toBe('special');
    expect(await write(files, '/dev/shm/podd-new')).toBe('special');
    expect(await write(files, '/proc/self/comm')).toBe('special');
    expect(await write(files, join(tree.inside, 'new (deleted)'))).toBe('unreachable');
    expect(await write(files, `${tree.inside}/missing/../new`)).toBe('missing');
    expect(await names(tree.inside)).toEqual(['pipe']);
  });

  test('TOOL-3: missing folders are made, as many as one write may', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const deep = (count: number): string =>
      join(tree.inside, ...Array.from({ length: count }, () => 'd'), 'file');
    expect(await write(files, deep(LIMITS.createdFolders + 1))).toBe('too_large');
    expect(await names(tree.inside)).toEqual([]);
    expect(await write(files, deep(LIMITS.createdFolders))).toBe('written');
    expect(await readFile(deep(LIMITS.createdFolders), 'utf8')).toBe('new');
  });

  test('SCOPE-2: a missing folder that the scope does not let be made is not made', async () => {
    await using tree = await tempTree();
    const rules = [allow(tree.inside, 'read'), allow(join(tree.inside, 'a/b'), 'write')];
    const files = openFiles(scopeOf({ allow: rules, deny: [] }));
    expect(await write(files, join(tree.inside, 'a/b/file'))).toBe('not_writable');
    expect(await names(tree.inside)).toEqual([]);
  });

  test('SCOPE-15: a folder that is moved while the new file is written is refused', async () => {
    await using tree = await tempTree();
    const [folder, moved] = [join(tree.inside, 'folder'), join(tree.outside, 'moved')];
    let asked = 0;
    const files = openFiles({
      ...writable(tree.inside),
      permissionOf: () => {
        asked += 1;
        // The last look, after the file is written beside the old one.
        if (asked === 2) renameSync(folder, moved);
        return 'write';
      },
    });
    await mkdir(folder);
    await writeFile(join(folder, 'file'), 'old');
    expect(await write(files, join(folder, 'file'))).toBe('changed');
    expect(asked).toBe(2);
    expect(await names(moved)).toEqual(['file']);
    expect(await readFile(join(moved, 'file'), 'utf8')).toBe('old');
  });

  test('INV-12: more bytes than a file may have are refused', async () => {
    await using tree = await tempTree();
    await using place = await target(openFiles(writable('/')), join(tree.inside, 'file'));
    const answer = await place.replace(Buffer.alloc(LIMITS.editableFileBytes + 1), signal);
    expect(answer.ok || answer.error.kind).toBe('too_large');
    expect(await names(tree.inside)).toEqual([]);
  });
});
