import { constants } from 'node:fs';
import { chmod, mkdir, open, rmdir } from 'node:fs/promises';
import { Closing } from '../support/closing.ts';
import type { Judge } from './judge.ts';
import { entryOf, kernelPath, pinFolder, selfOf } from './pinned.ts';
import type { Pin } from './pinned.ts';
import { refusal, systemCode } from './refusals.ts';
import type { Refused } from './refusals.ts';

export type Missing = {
  readonly asked: string;
  readonly folder: Pin;
  readonly folderPath: string;
  readonly names: readonly string[];
};

/** The folder that the file goes into. Closing it takes away the folders that were made, unless `keep` was called. */
export type MadeFolders = AsyncDisposable & {
  readonly at: { readonly folder: Pin; readonly folderPath: string };
  readonly refused: Refused | null;
  readonly keep: () => void;
};

/**
 * Makes the folders that are missing, one step at a time: each is judged, made in the pinned one above if
 * that is still where it was judged, and pinned itself before the next.
 */
export async function makeFolders(
  missing: Missing,
  { judge, umask }: { readonly judge: Judge; readonly umask: number },
): Promise<MadeFolders> {
  const { asked, names } = missing;
  await using closing = new Closing();
  let at = { folder: missing.folder, folderPath: missing.folderPath };
  let refused: Refused | null = null;
  let kept = false;
  for (const name of names.slice(0, -1)) {
    const path = `${at.folderPath === '/' ? '' : at.folderPath}/${name}`;
    if ((await kernelPath(at.folder)) !== at.folderPath)
      refused = refusal('changed', `the folder of ${asked} was moved meanwhile`);
    else if (judge({ path, asked, need: 'write' }) !== null)
      refused = refusal('not_writable', `${asked} needs a folder that may not be made`);
    if (refused !== null) break;
    const above = at.folder;
    const isNew = await makeFolder(above, name);
    if (isNew)
      closing.use(
        'made',
        remover(above, name, () => kept),
      );
    at = { folder: closing.use('pin', await pinFolder(above, name)), folderPath: path };
    if (isNew) await chmod(selfOf(at.folder), 0o777 & ~umask);
  }
  const owned = closing.move();
  return {
    at,
    refused,
    keep: () => {
      kept = true;
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

// False if it was there already: another call may have made it since.
async function makeFolder(above: Pin, name: string): Promise<boolean> {
  try {
    await mkdir(entryOf(above, name), 0o700);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  await using readable = await open(selfOf(above), constants.O_RDONLY | constants.O_DIRECTORY);
  await readable.sync();
  return true;
}

function remover(above: Pin, name: string, isKept: () => boolean): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      if (isKept()) return;
      try {
        await rmdir(entryOf(above, name));
      } catch (error) {
        // Someone else uses it by now.
        systemCode(error);
      }
    },
  };
}
