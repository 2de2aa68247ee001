import { readlink } from 'node:fs/promises';
import { Closing } from '../support/closing.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import { entryOf, kernelPath, pin } from './pinned.ts';
import type { Pin } from './pinned.ts';
import { systemCode } from './refusals.ts';

/** As many as the kernel follows itself. */
const LINKS_MAX = 40;

/** The deepest part of a path that exists, and the names below it that do not. */
export type Place = AsyncDisposable & {
  readonly folder: Pin;
  /** Canonical. */
  readonly folderPath: string;
  /** At least one; the first is no link. */
  readonly names: readonly string[];
};

/**
 * Where a path that can't be opened would lie: its nearest existing ancestor with links followed, dangling ones
 * too, and the rest. Null if there is no saying. The ancestor may be a file.
 */
export async function findPlace(path: string): Promise<Place | null> {
  let pending = path;
  for (let followed = 0; followed <= LINKS_MAX; followed += 1) {
    const parts = pending.split('/').filter((part) => part !== '' && part !== '.');
    const deepest = await pinDeepest(parts);
    await using closing = new Closing();
    closing.use('ancestor', deepest.folder);
    const folderPath = await kernelPath(deepest.folder);
    const [next, ...rest] = deepest.names;
    if (folderPath === null || next === undefined) return null;
    const target = await linkTarget(deepest.folder, next);
    if (target === undefined) {
      const owned = closing.move();
      return {
        folder: deepest.folder,
        folderPath,
        names: deepest.names,
        [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
      };
    }
    if (target === null) return null;
    const from = target.startsWith('/') ? '' : `${folderPath}/`;
    pending = [`${from}${target}`, ...rest].join('/');
  }
  return null;
}

/** The path of a place, or null if it goes up from what does not exist. */
export function pathOfPlace({ folderPath, names }: Place): string | null {
  if (names.includes('..')) return null;
  return `${folderPath === '/' ? '' : folderPath}/${names.join('/')}`;
}

async function pinDeepest(
  parts: readonly string[],
): Promise<{ readonly folder: Pin; readonly names: readonly string[] }> {
  // The last part is always left over: the caller could not open the whole.
  for (let depth = parts.length - 1; depth > 0; depth -= 1) {
    try {
      const folder = await pin(`/${parts.slice(0, depth).join('/')}`);
      return { folder, names: parts.slice(depth) };
    } catch (error) {
      systemCode(error);
    }
  }
  return { folder: await pin('/'), names: parts };
}

// Undefined if it is no link, null if its target is not UTF-8.
async function linkTarget(folder: Pin, name: string): Promise<string | null | undefined> {
  try {
    return decodeUtf8(await readlink(entryOf(folder, name), { encoding: 'buffer' }));
  } catch (error) {
    systemCode(error);
    return undefined;
  }
}
