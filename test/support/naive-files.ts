import { realpath } from 'node:fs/promises';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ScopeView } from '../../daemon/ports/scope-view.ts';

/** What `daemon/files` must not be: it checks a path and then uses it, in two steps. Null is a refusal. */
export type NaiveFiles = {
  readonly read: (path: string) => Promise<string | null>;
  readonly write: (path: string, text: string) => Promise<true | null>;
};

export function naiveFiles(scope: ScopeView): NaiveFiles {
  return {
    read: async (path) => {
      if (scope.permissionOf(await realpath(path)) === 'none') return null;
      return await readFile(path, 'utf8');
    },
    write: async (path, text) => {
      const real = await realpath(path).catch(async () =>
        join(await realpath(dirname(path)), basename(path)),
      );
      if (scope.permissionOf(real) !== 'write') return null;
      await writeFile(path, text);
      return true;
    },
  };
}
