import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { Fault } from '../core/fault.ts';
import type { OpenedFile } from '../ports/files.ts';
import { selfOf } from './pinned.ts';
import type { Pin } from './pinned.ts';
import { refuseKernelFile } from './judge.ts';
import { refusal } from './refusals.ts';
import type { Refused } from './refusals.ts';

const CHUNK_BYTES = 64 * 1024;

/** An opened file as this folder sees it: with its descriptor, and the hash of what was last read to the end. */
export type CheckedFile = OpenedFile & {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  readonly hashRead: () => string | null;
};

/** What can't be read as a file is refused by what it is; nothing is opened for that, so nothing blocks. */
export async function refuseIrregular(
  pinned: Pin,
  stats: BigIntStats,
  asked: string,
): Promise<Refused | null> {
  if (stats.nlink === 0n) return refusal('missing', `${asked} does not exist`);
  if (stats.isDirectory()) return refusal('directory', `${asked} is a directory, not a file`);
  if (stats.isFIFO()) return refusal('special', `${asked} is a named pipe, not a file`);
  if (stats.isSocket()) return refusal('special', `${asked} is a socket, not a file`);
  if (stats.isBlockDevice() || stats.isCharacterDevice())
    return refusal('special', `${asked} is a device, not a file`);
  if (!stats.isFile()) return refusal('special', `${asked} is not a regular file`);
  return await refuseKernelFile(pinned, asked);
}

/** Opens the pinned regular file itself for its data, whatever its name leads to by now. */
export async function openPinned(
  pinned: Pin,
  known: { readonly path: string; readonly stats: BigIntStats; readonly asked: string },
): Promise<CheckedFile> {
  const handle = await open(selfOf(pinned), constants.O_RDONLY | constants.O_NONBLOCK);
  let hashRead: string | null = null;
  return {
    path: known.path,
    bytes: Number(known.stats.size),
    stats: known.stats,
    handle,
    hashRead: () => hashRead,
    async *chunks(signal) {
      const hash = createHash('sha256');
      for await (const chunk of readChunks(handle, known.asked, signal)) {
        hash.update(chunk);
        yield chunk;
      }
      hashRead = hash.digest('hex');
    },
    [Symbol.asyncDispose]: async () => {
      await handle.close();
    },
  };
}

/** The hash of the file as it is now. */
export async function hashNow(
  handle: FileHandle,
  asked: string,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of readChunks(handle, asked, signal)) hash.update(chunk);
  return hash.digest('hex');
}

async function* readChunks(
  handle: FileHandle,
  asked: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const { bytesRead } = await handle
      .read(buffer, 0, CHUNK_BYTES, position)
      .catch((cause: unknown) => {
        throw new Fault('storage_error', `${asked} can't be read to its end`, { cause });
      });
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}
