import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../daemon/app/open-store.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import { resolvePaths } from '../../daemon/manifest/paths.ts';
import type { PodPaths } from '../../daemon/manifest/paths.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { journalOptions } from '../support/temp-journal.ts';

function pathsIn(folder: string): PodPaths {
  const env = { PODD_RUNTIME_DIR: `${folder}/run`, PODD_STATE_DIR: `${folder}/state` };
  const paths = resolvePaths(env, folder, 'p');
  if (!paths.ok) throw new TypeError(paths.error);
  mkdirSync(paths.value.state, { recursive: true });
  mkdirSync(dirname(paths.value.pid), { recursive: true });
  return paths.value;
}

test('PROTO-16 EXIT-1: a holder that leaves is waited for, one that stays is named at once', async () => {
  await using folder = await tempFolder();
  const paths = pathsIn(folder.path);
  const first = await openStore('p', paths, journalOptions());
  const second = openStore('p', paths, journalOptions());
  await new Promise((resolve) => setTimeout(resolve, LIMITS.leavingHolderMs / 10));
  await first.journal[Symbol.asyncDispose]();
  await using again = (await second).journal;
  expect(again.state().epoch).toBe(2);

  writeFileSync(paths.pid, '4242\n');
  const begun = performance.now();
  await expect(openStore('p', paths, journalOptions())).rejects.toThrow(
    /running already \(pid 4242\)/,
  );
  expect(performance.now() - begun).toBeLessThan(LIMITS.leavingHolderMs);
});

test('INV-6: a holder that neither leaves nor says who it is is waited for no longer than its limit', async () => {
  await using folder = await tempFolder();
  const paths = pathsIn(folder.path);
  const first = await openStore('p', paths, journalOptions());
  await expect(openStore('p', paths, journalOptions())).rejects.toMatchObject({ code: 'taken' });
  await first.journal[Symbol.asyncDispose]();
});
