import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trustFileOf } from '../../protocol/trust.ts';
import { findProject } from '../../daemon/manifest/find-project.ts';
import { readTrust } from '../../daemon/manifest/read-trust.ts';
import { tempFolder } from '../support/temp-folder.ts';

const signal = new AbortController().signal;
const uid = process.getuid?.() ?? -1;

async function project(root: string, text: string): Promise<void> {
  await mkdir(join(root, '.podd'), { recursive: true });
  await writeFile(join(root, '.podd/manifest.toml'), text);
}

test('MAN-2 MAN-3: the nearest project upwards is found, by a canonical root, from wherever one stands in it', async () => {
  await using folder = await tempFolder();
  const outer = folder.path;
  await project(outer, 'outer');
  await project(join(outer, 'in'), 'inner');
  await mkdir(join(outer, 'in/deep/er'), { recursive: true });
  await mkdir(join(outer, 'beside'));
  await symlink(join(outer, 'in/deep'), join(outer, 'beside/link'));
  const found = async (start: string): Promise<unknown> => {
    const result = await findProject(join(outer, start), { uid, signal });
    return result.ok ? [result.value?.root, result.value?.text] : result.error;
  };
  expect(await found('in/deep/er')).toEqual([join(outer, 'in'), 'inner']);
  expect(await found('in/.podd')).toEqual([join(outer, 'in'), 'inner']);
  expect(await found('beside')).toEqual([outer, 'outer']);
  expect(await found('beside/link')).toEqual([join(outer, 'in'), 'inner']);
  expect(await found('nowhere')).toContain(`the folder ${join(outer, 'nowhere')} can't be looked`);
});

test('MAN-5: the file of another user is told as such', async () => {
  await using folder = await tempFolder();
  await project(folder.path, 'x');
  const asAnother = await findProject(folder.path, { uid: uid + 1, signal });
  // What root owns is nobody's trap.
  expect(asAnother).toMatchObject({ ok: true, value: { isForeign: uid !== 0 } });
  expect(await findProject(folder.path, { uid, signal })).toMatchObject({
    value: { isForeign: false },
  });
});

test('MAN-5: trust is for one folder and one content, and what is damaged is none', async () => {
  await using folder = await tempFolder();
  const config = join(folder.path, 'config');
  const root = join(folder.path, 'project');
  await project(root, 'x');
  const found = await findProject(root, { uid, signal });
  if (!found.ok || found.value === null) throw new TypeError('not found');
  const { sha256 } = found.value;
  const file = trustFileOf(config, root);
  await mkdir(join(config, 'trust'), { recursive: true });
  const write = (changes: object): Promise<void> =>
    writeFile(
      file,
      JSON.stringify({ format: 1, root, manifestSha256: sha256, trustedAt: 'x', ...changes }),
    );
  expect(await readTrust(config, found.value)).toBe('unknown');
  await write({});
  expect(await readTrust(config, found.value)).toBe('trusted');
  expect(await readTrust(null, found.value)).toBe('unknown');
  await write({ manifestSha256: '0'.repeat(64) });
  expect(await readTrust(config, found.value)).toBe('changed');
  for (const damage of [{ root: '/other' }, { format: 2 }, { manifestSha256: 'x' }]) {
    await write(damage);
    expect(await readTrust(config, found.value)).toBe('unknown');
  }
  await writeFile(file, '{');
  expect(await readTrust(config, found.value)).toBe('unknown');
});
