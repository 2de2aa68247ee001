import { mkdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ScopeView } from '../../daemon/ports/scope-view.ts';
import { openFiles } from '../../daemon/files/open-files.ts';
import { names, target, write } from '../support/file-calls.ts';
import { allow, scopeOf, tempTree, writable } from '../support/temp-tree.ts';

const { signal } = new AbortController();

describe('replace, while others are at work', () => {
  test('TOOL-3: a folder made by someone else meanwhile is used', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const meanwhile = (): Promise<unknown> => mkdir(join(tree.inside, 'a'));
    expect(await write(files, join(tree.inside, 'a/b/file'), { meanwhile })).toBe('written');
  });

  test('SCOPE-15: a missing folder that became a link meanwhile is not followed', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const meanwhile = (): Promise<unknown> => symlink(tree.outside, join(tree.inside, 'a'));
    expect(await write(files, join(tree.inside, 'a/file'), { meanwhile })).toBe('missing');
    expect(await names(tree.outside)).toEqual([]);
  });

  test.each([
    ['overwritten', (path: string) => writeFile(path, 'ALT')],
    [
      'replaced',
      async (path: string) => {
        await writeFile(`${path}.other`, 'old');
        await rename(`${path}.other`, path);
      },
    ],
    ['removed', (path: string) => rm(path)],
    [
      'made a link',
      async (path: string) => {
        await rename(path, `${path}.other`);
        await symlink(`${path}.other`, path);
      },
    ],
  ])('TOOL-3: a file that was %s meanwhile is refused and left alone', async (_, change) => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    expect(await write(files, path, { meanwhile: () => change(path) })).toBe('changed');
    const left = await names(tree.inside);
    expect(left.filter((name) => name.startsWith('.podd'))).toEqual([]);
    if (left.includes('file')) expect(await readFile(path, 'utf8')).not.toBe('new');
  });

  test('TOOL-3: a change that leaves size and time stamp as they were is noticed', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    await utimes(path, 1000, 1000);
    const meanwhile = async (): Promise<void> => {
      await writeFile(path, 'ALT');
      await utimes(path, 1000, 1000);
    };
    expect(await write(files, path, { meanwhile })).toBe('changed');
  });

  test('TOOL-3: a file that was only touched is replaced', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    expect(await write(files, path, { meanwhile: () => utimes(path, 1000, 1000) })).toBe('written');
  });

  test('TOOL-3: a file whose content nobody looked at is guarded by its size and time stamp', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    {
      await using place = await target(files, path);
      await utimes(path, 1000, 1000);
      const answer = await place.replace(Buffer.from('new'), signal);
      expect(answer.ok || answer.error.kind).toBe('changed');
    }
    await using place = await target(files, path);
    expect((await place.replace(Buffer.from('new'), signal)).ok).toBe(true);
  });

  test('TOOL-3: a file that appears where none was is not overwritten', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    const meanwhile = (): Promise<unknown> => writeFile(path, 'theirs');
    expect(await write(files, path, { meanwhile })).toBe('exists');
    expect(await readFile(path, 'utf8')).toBe('theirs');
    expect(await names(tree.inside)).toEqual(['file']);
  });

  test('SCOPE-15: a folder that was moved or removed meanwhile is refused, with nothing left in it', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    await mkdir(join(tree.inside, 'folder'));
    await writeFile(join(tree.inside, 'folder/file'), 'old');
    const moved = join(tree.outside, 'moved');
    const { mtimeNs } = await stat(join(tree.inside, 'folder'), { bigint: true });
    for (const name of ['file', 'new', 'deep/new']) {
      const meanwhile = (): Promise<unknown> => rename(join(tree.inside, 'folder'), moved);
      expect(await write(files, join(tree.inside, 'folder', name), { meanwhile }), name).toBe(
        'changed',
      );
      // Its time stamp would tell of a file that came and went.
      expect((await stat(moved, { bigint: true })).mtimeNs).toBe(mtimeNs);
      await rename(moved, join(tree.inside, 'folder'));
    }
    const meanwhile = (): Promise<unknown> => rm(join(tree.inside, 'folder'), { recursive: true });
    expect(await write(files, join(tree.inside, 'folder/file'), { meanwhile })).toBe('changed');
  });

  test('SCOPE-2: a scope that shrinks between opening and replacing is obeyed', async () => {
    await using tree = await tempTree();
    let scope = writable(tree.inside);
    const files = openFiles({ ...scope, permissionOf: (path) => scope.permissionOf(path) });
    await writeFile(join(tree.inside, 'file'), 'old');
    for (const name of ['file', 'new', 'folder/new']) {
      scope = writable(tree.inside);
      const meanwhile = (): Promise<void> => {
        scope = scopeOf({ allow: [allow(tree.inside, 'read')], deny: [] });
        return Promise.resolve();
      };
      const path = join(tree.inside, name);
      expect(await write(files, path, { meanwhile }), name).toBe('not_writable');
    }
    expect(await names(tree.inside)).toEqual(['file']);
    expect(await readFile(join(tree.inside, 'file'), 'utf8')).toBe('old');
  });

  test('TOOL-3: a write that is stopped leaves the old file, and neither folder nor part behind', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const stop = new AbortController();
    let asked = 0;
    // Each answer of the scope is one step of the write; the stop comes at the last, before the rename.
    const steps = openFiles({
      ...writable(tree.inside),
      permissionOf: () => {
        asked += 1;
        if (asked === 4) stop.abort(new Error('stopped here'));
        return 'write';
      },
    });
    await using place = await target(steps, join(tree.inside, 'folder/file'));
    await expect(place.replace(Buffer.from('new'), stop.signal)).rejects.toThrow('stopped here');
    expect(asked).toBe(4);
    expect(await names(tree.inside)).toEqual([]);
    expect(await write(files, join(tree.inside, 'folder/file'))).toBe('written');
  });

  test('TOOL-3: a reader sees the old file or the new one, whole', async () => {
    await using tree = await tempTree();
    const files = openFiles(writable(tree.inside));
    const path = join(tree.inside, 'file');
    const [a, b] = ['a'.repeat(300_000), 'b'.repeat(200_000)];
    await writeFile(path, a);
    const done = new AbortController();
    const seen = new Set<string>();
    const reader = (async () => {
      while (!done.signal.aborted) seen.add(await readFile(path, 'utf8'));
    })();
    for (let i = 0; i < 30 || (seen.size < 2 && i < 1000); i += 1)
      expect(await write(files, path, { text: i % 2 === 0 ? b : a })).toBe('written');
    done.abort();
    await reader;
    expect([...seen].every((text) => text === a || text === b)).toBe(true);
    expect(seen.size).toBe(2);
  });

  test('SCOPE-19: a Pod whose scope was lost meanwhile changes nothing, not even a folder', async () => {
    await using tree = await tempTree();
    let fence: 'held' | 'lost' = 'held';
    const scope = { ...writable(tree.inside), fence: () => Promise.resolve(fence) };
    const meanwhile = (): Promise<void> => {
      fence = 'lost';
      return Promise.resolve();
    };
    const path = join(tree.inside, 'a/b/file');
    expect(await write(openFiles(scope), path, { meanwhile })).toBe('fenced');
    expect(await names(tree.inside)).toEqual([]);
  });

  test('SCOPE-8 SCOPE-19: what was delegated while a write was under way is not written', async () => {
    await using tree = await tempTree();
    const path = join(tree.inside, 'file');
    await writeFile(path, 'old');
    let asked = 0;
    let given = false;
    const base = writable(tree.inside);
    const scope: ScopeView = {
      ...base,
      permissionOf: (at) => (given ? 'read' : base.permissionOf(at)),
      // The table is read again at the last look: it brings the delegation.
      fence: () => {
        asked += 1;
        given = asked === 2;
        return Promise.resolve('held');
      },
    };
    expect(await write(openFiles(scope), path)).toBe('not_writable');
    expect(await readFile(path, 'utf8')).toBe('old');
  });
});
