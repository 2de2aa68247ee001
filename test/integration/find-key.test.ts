import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findKey } from '../../daemon/app/find-key.ts';
import type { Log } from '../../daemon/ports/log.ts';
import { outcomeOf } from '../contract/model.contract.ts';
import { tempFolder } from '../support/temp-folder.ts';

function sources(
  env: Readonly<Record<string, string>>,
  file: string | null,
  warned: string[] = [],
) {
  const log = { warn: (message: string) => warned.push(message) } as unknown as Log;
  const fileKey = 'provider.api_key_file';
  return { kind: 'anthropic', usual: 'ANTHROPIC_API_KEY', file, fileKey, env, log };
}

test('PROV-7: podd’s variable, then the file, then the vendor’s; none of them names all three', async () => {
  await using folder = await tempFolder();
  const file = join(folder.path, 'key');
  await writeFile(file, 'of-the-file\n', { mode: 0o600 });
  const both = { PODD_API_KEY_ANTHROPIC: ' of-podd ', ANTHROPIC_API_KEY: 'usual' };
  expect(await findKey(sources(both, file))).toBe('of-podd');
  expect(await findKey(sources({ ANTHROPIC_API_KEY: 'usual' }, file))).toBe('of-the-file');
  expect(await findKey(sources({ ANTHROPIC_API_KEY: 'usual' }, null))).toBe('usual');
  const none = await outcomeOf(() => findKey(sources({ PODD_API_KEY_ANTHROPIC: ' ' }, null)));
  expect(none).toMatchObject({
    code: 'provider_unusable',
    message: expect.stringMatching(
      /PODD_API_KEY_ANTHROPIC.*provider\.api_key_file.*ANTHROPIC_API_KEY/,
    ) as string,
  });
});

test('PROV-7: a file that others may read is warned of; what is no key is refused, and not shown', async () => {
  await using folder = await tempFolder();
  const file = join(folder.path, 'key');
  await writeFile(file, 'a-key');
  await chmod(file, 0o640);
  const warned: string[] = [];
  expect(await findKey(sources({}, file, warned))).toBe('a-key');
  expect(warned).toEqual(['the key file may be read by others: chmod 600 it']);
  for (const bad of ['two secret words', '', 'sécret', 'a\nsecret']) {
    await writeFile(file, bad);
    const told = await outcomeOf(() => findKey(sources({}, file)));
    expect(told).toMatchObject({ code: 'provider_unusable' });
    expect((told as Error).message).not.toMatch(/s[eé]cret/);
  }
  const missing = await outcomeOf(() => findKey(sources({}, join(folder.path, 'none'))));
  expect(missing).toMatchObject({ message: expect.stringContaining('does not exist') as string });
});
