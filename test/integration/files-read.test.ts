import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openFiles } from '../../daemon/files/open-files.ts';
import type { Files } from '../../daemon/ports/files.ts';
import { allow, scopeOf, tempTree, writable } from '../support/temp-tree.ts';

const { signal } = new AbortController();

/** The text of a file, or what refused it. */
async function read(files: Files, path: string): Promise<string> {
  const opened = await files.openForRead(path, signal);
  if (!opened.ok) return opened.error.kind;
  await using file = opened.value;
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.chunks(signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function says(files: Files, path: string): Promise<string> {
  const opened = await files.openForRead(path, signal);
  return opened.ok ? 'opened' : opened.error.says.replaceAll(path, 'PATH');
}

describe('openForRead', () => {
  test('SCOPE-15: a file in scope is read, under the name that the kernel gives it', async () => {
    await using tree = await tempTree();
    await mkdir(join(tree.inside, 'real'));
    await writeFile(join(tree.inside, 'real/file'), 'text');
    await symlink('real', join(tree.inside, 'link'));
    const opened = await openFiles(writable(tree.inside)).openForRead(
      join(tree.inside, 'link/../link/./file'),
      signal,
    );
    if (!opened.ok) throw new Error(opened.error.says);
    await using file = opened.value;
    expect(file.path).toBe(join(tree.inside, 'real/file'));
    expect(file.bytes).toBe(4);
  });

  test('SCOPE-15: a file of many chunks comes whole and in order', async () => {
    await using tree = await tempTree();
    const text = Array.from({ length: 40_000 }, (_, i) => `${i}\n`).join('');
    await writeFile(join(tree.inside, 'file'), text);
    expect(await read(openFiles(writable(tree.inside)), join(tree.inside, 'file'))).toBe(text);
  });

  test('SCOPE-15: links that lead outside are not followed there, wherever in the path they are', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    await mkdir(join(tree.outside, 'folder'));
    await writeFile(join(tree.outside, 'folder/secret'), 'secret');
    await symlink(join(tree.outside, 'folder/secret'), join(tree.inside, 'file-link'));
    await symlink('../outside/folder', join(tree.inside, 'folder-link'));
    for (const path of [
      'file-link',
      'folder-link/secret',
      '../outside/folder/secret',
      'folder-link/../folder/secret',
    ])
      expect(await read(files, `${tree.inside}/${path}`), path).toBe('outside_scope');
  });

  test('SCOPE-15: /proc/self does not lead out of the scope', async () => {
    await using tree = await tempTree();
    await writeFile(join(tree.outside, 'secret'), 'secret');
    await symlink('/proc/self/root', join(tree.inside, 'root'));
    await symlink('/proc/self/environ', join(tree.inside, 'environ'));
    const files = openFiles(writable(tree.inside));
    const { outside } = tree;
    for (const path of [
      `/proc/self/root${outside}/secret`,
      '/proc/self/environ',
      '/proc/self/fd/0',
    ])
      expect(await read(files, path), path).toBe('outside_scope');
    expect(await read(files, join(tree.inside, `root${outside}/secret`))).toBe('outside_scope');
    expect(await read(files, join(tree.inside, 'environ'))).toBe('outside_scope');
  });

  test('SCOPE-15: /proc, /sys and /dev are refused even where the scope covers them', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable('/'));
    for (const path of ['/proc/self/environ', '/proc/1/status', '/sys/kernel/mm', '/dev/null'])
      expect(await read(files, path), path).toBe('special');
    await symlink('/proc/self/environ', join(tree.inside, 'link'));
    expect(await read(files, join(tree.inside, 'link'))).toBe('special');
  });

  test('SCOPE-15: a descriptor of the daemon that names no file is refused, though the scope is /', async () => {
    const files = openFiles(writable('/'));
    const server = createServer().listen(0);
    try {
      const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
      expect(await read(files, `/proc/self/fd/${fd}`)).toBe('outside_scope');
    } finally {
      server.close();
    }
  });

  test('SCOPE-15: what is missing outside the scope looks like what is there', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    await writeFile(join(tree.outside, 'there'), '');
    await mkdir(join(tree.outside, 'folder'));
    await symlink(join(tree.outside, 'there'), join(tree.inside, 'to-there'));
    await symlink(join(tree.outside, 'missing'), join(tree.inside, 'dangling'));
    await symlink('dangling', join(tree.inside, 'to-dangling'));
    await symlink(join(tree.outside, 'missing/folder'), join(tree.inside, 'dangling-folder'));
    const answers = new Set<string>();
    for (const path of [
      `${tree.outside}/there`,
      `${tree.outside}/missing`,
      `${tree.outside}/folder`,
      `${tree.outside}/there/below-a-file`,
      `${tree.outside}/${'x'.repeat(300)}`,
      `${tree.inside}/to-there`,
      `${tree.inside}/to-there/below-a-file`,
      `${tree.inside}/dangling`,
      `${tree.inside}/to-dangling`,
      `${tree.inside}/dangling-folder/file`,
    ])
      answers.add(await says(files, path));
    expect([...answers]).toEqual(["PATH is outside this Pod's scope"]);
  });

  test('TOOL-2: directories, pipes, sockets and missing files are refused by name, without blocking', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const at = (name: string): string => join(tree.inside, name);
    execFileSync('mkfifo', [at('pipe')]);
    await mkdir(at('folder'));
    await writeFile(at('file'), '');
    await symlink('loop', at('loop'));
    await symlink('nowhere', at('dangling'));
    const server = createServer();
    await new Promise<void>((listening) => server.listen(at('socket'), listening));
    try {
      const told = async (name: string): Promise<string> => await says(files, at(name));
      expect(await told('pipe')).toBe('PATH is a named pipe, not a file');
      expect(await told('socket')).toBe('PATH is a socket, not a file');
      expect(await told('folder')).toBe('PATH is a directory, not a file');
      expect(await told('missing')).toBe('PATH does not exist');
      expect(await told('missing/further')).toBe('PATH does not exist');
      expect(await told('dangling')).toBe('PATH does not exist');
      expect(await told('file/below')).toBe(
        'PATH does not exist: a part of it is a file, not a folder',
      );
    } finally {
      server.close();
    }
  });

  test('SCOPE-15: a loop of links, odd names and relative paths are refused', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    await symlink('loop', join(tree.inside, 'loop'));
    expect(await read(files, join(tree.inside, 'loop'))).toBe('outside_scope');
    expect(await read(files, 'file')).toBe('not_absolute');
    expect(await read(files, '')).toBe('not_absolute');
    expect(await read(files, `${tree.inside}/a\0b`)).toBe('unreachable');
    expect(await read(files, `${tree.inside}/a\uD800`)).toBe('unreachable');
    expect(await read(files, `${tree.inside}/${'x'.repeat(300)}`)).toBe('unreachable');
  });

  test('SCOPE-15: a file whose name says that it is deleted, or is not UTF-8, is refused', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    await writeFile(join(tree.inside, 'file (deleted)'), 'text');
    expect(await read(files, join(tree.inside, 'file (deleted)'))).toBe('outside_scope');
    const odd = Buffer.concat([Buffer.from(`${tree.inside}/`), Buffer.from([0xff])]);
    await writeFile(odd, 'text');
    await symlink(odd, join(tree.inside, 'odd'));
    expect(await read(files, join(tree.inside, 'odd'))).toBe('outside_scope');
  });

  test('SCOPE-2: what is denied inside the scope is closed, and opens with the scope', async () => {
    await using tree = await tempTree();
    await mkdir(join(tree.inside, 'keys'));
    await writeFile(join(tree.inside, 'keys/file'), 'text');
    let denied = true;
    const open = writable(tree.inside);
    const shut = scopeOf({
      allow: [allow(tree.inside, 'write')],
      deny: [allow(join(tree.inside, 'keys'), 'read')],
    });
    const files = openFiles({
      ...open,
      permissionOf: (path) => (denied ? shut : open).permissionOf(path),
    });
    expect(await read(files, join(tree.inside, 'keys/file'))).toBe('outside_scope');
    denied = false;
    expect(await read(files, join(tree.inside, 'keys/file'))).toBe('text');
  });

  test('SCOPE-15: an open file stays that file when its name goes to another', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    await writeFile(path, 'first');
    const opened = await files.openForRead(path, signal);
    if (!opened.ok) throw new Error(opened.error.says);
    await using file = opened.value;
    await rename(path, join(tree.inside, 'moved'));
    await writeFile(path, 'second');
    await rm(join(tree.inside, 'moved'));
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.chunks(signal)) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('first');
  });

  test('INV-6: a signal ends a read between two chunks', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, Buffer.alloc(256 * 1024, 'x'));
    const opened = await openFiles(writable(tree.inside)).openForRead(path, signal);
    if (!opened.ok) throw new Error(opened.error.says);
    await using file = opened.value;
    const stop = new AbortController();
    let bytes = 0;
    const readOn = async (): Promise<void> => {
      for await (const chunk of file.chunks(stop.signal)) {
        bytes += chunk.length;
        stop.abort(new Error('stopped here'));
      }
    };
    await expect(readOn()).rejects.toThrow('stopped here');
    expect(bytes).toBe(64 * 1024);
  });
});

describe('identify', () => {
  test('LOOP-2: one file has one name, by whatever links, also before it exists', async () => {
    await using tree = await tempTree();
    const { identify } = openFiles(writable(tree.inside));
    await mkdir(join(tree.inside, 'real'));
    await symlink('real', join(tree.inside, 'link'));
    await symlink('real/new', join(tree.inside, 'dangling'));
    const name = join(tree.inside, 'real/new');
    for (const path of ['real/new', 'link/new', 'real/../link/./new', 'dangling'])
      expect(await identify(`${tree.inside}/${path}`), path).toBe(name);
    await writeFile(name, '');
    for (const path of ['link/new', 'dangling'])
      expect(await identify(`${tree.inside}/${path}`), path).toBe(name);
    expect(await identify('relative')).toBe('relative');
  });
});
