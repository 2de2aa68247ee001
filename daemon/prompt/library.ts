import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../core/limits.ts';
import { isWithin } from '../core/scope-rules.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import { type Library, splitAsset } from './reference.ts';
import type { Asset, AssetName } from './template-job.ts';

/** Absolute folders; null for a library that this Pod has not. */
export type LibraryFolders = {
  readonly podd: string;
  readonly user: string | null;
  /** `project` is the canonical parent of the `.podd/` that it lies in. */
  readonly workspace: { readonly folder: string; readonly project: string } | null;
};

export type PromptLibrary = {
  readonly load: (name: AssetName, signal: AbortSignal) => Promise<Asset>;
};

/** Prompts by name, each from its own library and no other. What can't be had says why, as the rest of a sentence. */
export function openLibrary(folders: LibraryFolders): PromptLibrary {
  return {
    load: async (name, signal) => {
      signal.throwIfAborted();
      const { library, path } = splitAsset(name);
      const folder = library === 'workspace' ? folders.workspace?.folder : folders[library];
      if (folder === undefined || folder === null) return { says: NOT_CONFIGURED[library] };
      return await loadFile(folder, `${path}.md`, placeOf(library, folders));
    },
  };
}

const NOT_CONFIGURED: Readonly<Record<Library, string>> = {
  podd: 'is not there: $podd has no folder',
  user: 'is not there: no user prompts are configured for this Pod ($user is prompts/ beside the user manifest)',
  workspace:
    'is not there: no project prompts are configured for this Pod ($workspace is the nearest .podd/prompts/)',
};

/** What a library's folder has to be once its links are followed; null for one that its owner may link anywhere. */
function placeOf(library: Library, { workspace }: LibraryFolders): string | null {
  return library === 'workspace' && workspace !== null
    ? join(workspace.project, '.podd', 'prompts')
    : null;
}

async function loadFile(folder: string, path: string, place: string | null): Promise<Asset> {
  const file = join(folder, path);
  try {
    const root = await realpath(folder);
    if (place !== null && root !== place)
      return { says: `is refused: ${folder} is a link that leads to ${root}` };
    // Opened without blocking, so that a FIFO is told instead of waited on.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
    await using handle = await open(join(root, path), flags);
    // Judged by what was opened: a link that is swapped in meanwhile changes nothing.
    const opened = await readlink(`/proc/self/fd/${handle.fd}`);
    if (!isWithin(opened, root)) return { says: `is refused: ${file} leads out of its library` };
    return await read(handle, file);
  } catch (error) {
    return { says: sayOpenError(error, file) };
  }
}

async function read(handle: FileHandle, file: string): Promise<Asset> {
  const stat = await handle.stat();
  if (!stat.isFile()) return { says: `is no prompt: ${file} is not a regular file` };
  const bytes = new Uint8Array(LIMITS.promptAssetBytes + 1);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  if (filled > LIMITS.promptAssetBytes)
    return { says: `is too long: ${file} has more than ${LIMITS.promptAssetBytes} bytes` };
  const text = decodeUtf8(bytes.subarray(0, filled));
  return text === null ? { says: `is no prompt: ${file} is not UTF-8` } : { text };
}

function sayOpenError(error: unknown, file: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return `does not exist: there is no ${file}`;
    case 'EACCES':
    case 'EPERM':
      return `can't be read: ${file} may not be opened`;
    default:
      return `can't be read: ${file} (${code})`;
  }
}
