import { execFile } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { type LibraryFolders, openLibrary } from '../../daemon/prompt/library.ts';
import { tempFolder } from '../support/temp-folder.ts';

const signal = new AbortController().signal;

async function says(folders: LibraryFolders, name: string): Promise<string> {
  const asset = await openLibrary(folders).load(name, signal);
  return 'says' in asset ? asset.says : asset.text;
}

async function place(root: string): Promise<LibraryFolders> {
  const [podd, user] = [join(root, 'podd'), join(root, 'user')];
  const workspace = { folder: join(root, 'project/.podd/prompts'), project: join(root, 'project') };
  for (const folder of [podd, user, workspace.folder]) await mkdir(folder, { recursive: true });
  return { podd, user, workspace };
}

test('PROMPT-1: each library has its own prompts, and none falls through to another', async () => {
  await using folder = await tempFolder();
  const folders = await place(folder.path);
  await writeFile(join(folders.podd, 'a.md'), 'of podd');
  await mkdir(join(folder.path, 'user/deep'));
  await writeFile(join(folder.path, 'user/deep/b.md'), 'of the user');
  expect(await says(folders, '$podd/a')).toBe('of podd');
  expect(await says(folders, '$user/deep/b')).toBe('of the user');
  expect(await says(folders, '$user/a')).toBe(
    `does not exist: there is no ${folder.path}/user/a.md`,
  );
  expect(await says({ ...folders, user: null }, '$user/a')).toContain(
    'no user prompts are configured',
  );
  expect(await says({ ...folders, workspace: null }, '$workspace/a')).toContain(
    'no project prompts are configured',
  );
});

test('PROMPT-1 PROMPT-3: no link leads out of a library, and none of a project out of its .podd', async () => {
  await using folder = await tempFolder();
  const root = folder.path;
  const folders = await place(root);
  await writeFile(join(root, 'secret.md'), 'a secret');
  await mkdir(join(root, 'out'));
  await writeFile(join(root, 'out/x.md'), 'a secret');
  const prompts = join(root, 'project/.podd/prompts');
  await writeFile(join(prompts, 'real.md'), 'fine');
  await symlink('real.md', join(prompts, 'within.md'));
  await symlink('../../../secret.md', join(prompts, 'file.md'));
  await symlink(join(root, 'out'), join(prompts, 'folder'));
  await symlink('/proc/self/environ', join(prompts, 'environ.md'));
  expect(await says(folders, '$workspace/within')).toBe('fine');
  for (const name of ['file', 'folder/x', 'environ'])
    expect(await says(folders, `$workspace/${name}`)).toContain('leads out of its library');
  // The library itself is elsewhere.
  await rename(prompts, join(root, 'moved'));
  await symlink(join(root, 'moved'), prompts);
  expect(await says(folders, '$workspace/real')).toContain('is a link that leads to');
  await rm(join(root, 'project/.podd'), { recursive: true });
  await mkdir(join(root, 'elsewhere/prompts'), { recursive: true });
  await writeFile(join(root, 'elsewhere/prompts/real.md'), 'a secret');
  await symlink(join(root, 'elsewhere'), join(root, 'project/.podd'));
  expect(await says(folders, '$workspace/real')).toContain('is a link that leads to');
});

test('PROMPT-1: what is no text file of its size is refused, and a FIFO is not waited on', async () => {
  await using folder = await tempFolder();
  const folders = await place(folder.path);
  const at = (name: string): string => join(folders.podd, `${name}.md`);
  await mkdir(at('folder'));
  await promisify(execFile)('mkfifo', [at('fifo')]);
  await writeFile(at('latin'), Buffer.from([0x61, 0xe4]));
  await writeFile(at('full'), 'x'.repeat(LIMITS.promptAssetBytes));
  await writeFile(at('large'), 'x'.repeat(LIMITS.promptAssetBytes + 1));
  expect(await says(folders, '$podd/folder')).toContain('is not a regular file');
  expect(await says(folders, '$podd/fifo')).toContain('is not a regular file');
  expect(await says(folders, '$podd/latin')).toContain('is not UTF-8');
  expect(await says(folders, '$podd/large')).toContain('has more than 262144 bytes');
  expect((await says(folders, '$podd/full')).length).toBe(LIMITS.promptAssetBytes);
});
