import { constants } from 'node:fs';
import { open, readlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { ok, refuse } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import { systemCode } from './refusals.ts';

/**
 * A pin is a descriptor opened with O_PATH: it holds on to one file or folder whatever happens to the names that
 * led there, it neither reads nor blocks (not even on a FIFO), and the kernel says what it is and where it lies.
 */
export type Pin = FileHandle;

/** Linux' O_PATH, which Node has no name for. */
const O_PATH = 0o10000000;

/** Follows links. It throws what the system says. */
export async function pin(path: string): Promise<Pin> {
  return await open(path, O_PATH);
}

/** The same, where the system's error is an answer. */
export async function tryPin(path: string): Promise<Result<Pin, unknown>> {
  try {
    return ok(await pin(path));
  } catch (error) {
    return refuse(error);
  }
}

/** Does not follow a link at the end. */
export async function pinEntry(folder: Pin, name: string): Promise<Pin> {
  return await open(entryOf(folder, name), O_PATH | constants.O_NOFOLLOW);
}

/** A folder, and no link to one. */
export async function pinFolder(folder: Pin, name: string): Promise<Pin> {
  const flags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  return await open(entryOf(folder, name), flags);
}

/** The pinned thing itself, for calls that take a path. */
export function selfOf(pinned: Pin): string {
  return `/proc/self/fd/${pinned.fd}`;
}

/** `name` in the pinned folder, wherever that folder is now. */
export function entryOf(folder: Pin, name: string): string {
  return `${selfOf(folder)}/${name}`;
}

/**
 * Where the kernel says that the pinned thing lies, canonical; null if it has no usable name: deleted, not a file
 * of this file tree, or not UTF-8.
 */
export async function kernelPath(pinned: Pin): Promise<string | null> {
  const path = decodeUtf8(await readlink(selfOf(pinned), { encoding: 'buffer' }));
  // The kernel marks a deleted file by this ending; a file that is really named so is refused with it.
  if (path === null || !path.startsWith('/') || path.endsWith(' (deleted)')) return null;
  return path;
}

/** The entry of that name is this very file. */
export async function holds(folder: Pin, name: string, file: Pin): Promise<boolean> {
  try {
    await using entry = await pinEntry(folder, name);
    const [there, known] = [await entry.stat({ bigint: true }), await file.stat({ bigint: true })];
    return there.dev === known.dev && there.ino === known.ino;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error))) return false;
    throw error;
  }
}
