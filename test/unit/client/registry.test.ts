import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { podctl } from '../../../client/podctl/program.ts';
import type { RegistryTable } from '../../../protocol/registry.ts';
import { FakeShell } from '../../support/fake-shell.ts';
import { allocationOf, tableOf, writeTable } from '../../support/registry-table.ts';
import { tempFolder } from '../../support/temp-folder.ts';

type Told = { readonly code: number; readonly out: string; readonly err: string };

async function run(registry: string, command: string): Promise<Told> {
  const fake = new FakeShell({ env: { PODD_SCOPE_REGISTRY: registry }, terminal: true });
  const code = await podctl([command], fake.shell, '0');
  return { code, out: fake.outText, err: fake.errText };
}

/** Asserts that both commands end with 65 and print nothing but why. */
async function expectRefused(registry: string, says: string): Promise<void> {
  for (const command of ['scope', 'ls'])
    expect(await run(registry, command)).toEqual({
      code: 65,
      out: '',
      err: expect.stringContaining(says) as string,
    });
}

test('SCOPE-13 CLI-3: a table that is gone while rows are there is no sign that nobody owns anything', async () => {
  await using folder = await tempFolder();
  for (const pod of ['b', 'a']) {
    await mkdir(join(folder.path, pod));
    await writeFile(join(folder.path, pod, 'allocation.json'), '{}');
  }
  await mkdir(join(folder.path, 'c'));
  await expectRefused(folder.path, 'scope.json is gone, but there are rows of a, b; the next podd');
});

test('SCOPE-13: a row that can’t be looked at is no sign that nobody owns anything', async () => {
  await using folder = await tempFolder();
  await symlink('a', join(folder.path, 'a'));
  await expectRefused(folder.path, `${folder.path}/a/allocation.json can't be read (ELOOP)`);
});

test('SCOPE-13: while the first podd starts, its row is there before the table, and podctl waits for that', async () => {
  await using folder = await tempFolder();
  await mkdir(join(folder.path, 'a'));
  await writeFile(join(folder.path, 'a/allocation.json'), '{}');
  const answer = run(folder.path, 'scope');
  // Whole at once, as podd does it.
  const other = join(folder.path, 'other');
  await rename(
    await writeTable(other, tableOf(allocationOf({ pod: 'a' }))),
    join(folder.path, 'scope.json'),
  );
  expect(await answer).toMatchObject({ code: 0, err: '' });
});

test('CLI-3: a folder or a device in the table’s place is told, not read', async () => {
  await using folder = await tempFolder();
  const file = join(folder.path, 'scope.json');
  await mkdir(file);
  await expectRefused(folder.path, 'scope.json is no file');
  await rm(file, { recursive: true });
  await symlink('/dev/zero', file);
  await expectRefused(folder.path, 'scope.json is no file');
});

test('INV-12 CLI-3: no more than the bound is read of a file that has no end, whatever its size is said to be', async () => {
  await using folder = await tempFolder();
  // A regular file of 0 bytes, by `stat`, with 8 bytes for each page that an address may be in.
  await symlink('/proc/self/pagemap', join(folder.path, 'scope.json'));
  await expectRefused(folder.path, 'is damaged: it has more than 67108864 bytes');
});

test('CLI-3: what a damaged table holds reaches no terminal as it is, and not at any length', async () => {
  const escape = `\u001b]0;pwned\u0007\u202e${'x'.repeat(4 * 1024 * 1024)}`;
  const odd = { ...tableOf(allocationOf({ pod: 'a' })), epoch: escape } as unknown as RegistryTable;
  for (const table of [odd, tableOf(allocationOf({ pod: escape }))]) {
    await using folder = await tempFolder();
    await writeTable(folder.path, table);
    await expectRefused(folder.path, 'pwned\\x07\\u{202e}xxx');
    const { err } = await run(folder.path, 'ls');
    expect(err.length).toBeLessThan(700);
    expect(err.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});

test.each([
  ['two rows of one name', ['a', 'a'].map((pod) => allocationOf({ pod })), 'two rows of a'],
  ['a name that is none', [allocationOf({ pod: '../a' })], '"../a" is no Pod’s name'],
  ['no socket', [allocationOf({ pod: 'a', socket: '' })], 'the socket of a is no absolute path'],
  ['a relative socket', [allocationOf({ pod: 'a', socket: 'a/sock' })], 'is no absolute path'],
])('CLI-3: a table with %s was not written by podd', async (_what, rows, says) => {
  await using folder = await tempFolder();
  await writeTable(folder.path, tableOf(...rows));
  await expectRefused(folder.path, `is damaged: `);
  await expectRefused(folder.path, says);
});
