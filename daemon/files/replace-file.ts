import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { link, open, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { invariant } from '../core/assert.ts';
import { LIMITS } from '../core/limits.ts';
import { ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { FileRefusal } from '../ports/files.ts';
import type { ScopeView } from '../ports/scope-view.ts';
import { Closing } from '../support/closing.ts';
import type { Judge } from './judge.ts';
import { makeFolders } from './make-folders.ts';
import { hashNow } from './opened-file.ts';
import type { CheckedFile } from './opened-file.ts';
import { entryOf, holds, kernelPath, selfOf } from './pinned.ts';
import type { Pin } from './pinned.ts';
import { refusal, systemCode, systemRefusal } from './refusals.ts';
import type { Refused } from './refusals.ts';

const WRITE_PIECE_BYTES = 1024 * 1024;

/** A place that was judged and is held on to. `names` are missing folders below `folder`, then the file's name. */
export type PinnedTarget = {
  readonly asked: string;
  readonly path: string;
  readonly folder: Pin;
  readonly folderPath: string;
  readonly names: readonly string[];
  readonly existing: CheckedFile | null;
};

export type Replacing = {
  readonly bytes: Uint8Array;
  readonly judge: Judge;
  readonly fence: ScopeView['fence'];
  readonly umask: number;
  readonly signal: AbortSignal;
};

/**
 * Writes a new file beside the old one and renames it over that, all within the pinned folder. What can be found out
 * beforehand is; the window that is left lies between the last check and the rename.
 */
export async function replaceFile(
  target: PinnedTarget,
  work: Replacing,
): Promise<Result<null, FileRefusal>> {
  const { asked } = target;
  if (work.bytes.length > LIMITS.editableFileBytes)
    return refusal(
      'too_large',
      `${asked} would have ${work.bytes.length} bytes, the most is ${LIMITS.editableFileBytes}`,
    );
  work.signal.throwIfAborted();
  try {
    // A folder that is made is an effect, too.
    if ((await work.fence(work.signal)) === 'lost') return fenced(target);
    await using made = await makeFolders(target, work);
    if (made.refused !== null) return made.refused;
    const answer = await putFile({ ...target, ...made.at }, work);
    if (answer.ok) made.keep();
    return answer;
  } catch (error) {
    return systemRefusal(asked, error);
  }
}

async function putFile(target: PinnedTarget, work: Replacing): Promise<Result<null, FileRefusal>> {
  const { folder, existing } = target;
  const name = target.names.at(-1);
  invariant(name !== undefined, 'a target has a name');
  const temporary = entryOf(folder, `.podd-${randomUUID()}`);
  const place = entryOf(folder, name);
  // A first look before a byte is written, too: not even a part of it may land in a folder that was moved away.
  if ((await kernelPath(folder)) !== target.folderPath) return moved(target);
  await using closing = new Closing();
  // Before anything is written, since a folder that can't be read can't be synced either.
  const readable = await open(selfOf(folder), constants.O_RDONLY | constants.O_DIRECTORY);
  closing.use('folder', readable);
  let left = true;
  try {
    await writeTemporary(temporary, target, work);
    const refused = await whyNot(target, name, work);
    if (refused !== null) return refused;
    work.signal.throwIfAborted();
    // A link, unlike a rename, fails where a file has appeared meanwhile.
    if (existing === null) await link(temporary, place);
    else {
      await rename(temporary, place);
      left = false;
    }
  } catch (error) {
    if (existing === null && systemCode(error) === 'EEXIST') return appeared(target);
    throw error;
  } finally {
    if (left) await removeTemporary(temporary);
  }
  try {
    await readable.sync();
  } catch (error) {
    systemCode(error);
    return refusal('unreachable', `${target.asked} was written, but the disk did not confirm it`);
  }
  return ok(null);
}

async function writeTemporary(
  temporary: string,
  { existing }: PinnedTarget,
  { bytes, umask, signal }: Replacing,
): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  // Nobody else reads it before it has the mode that it is to have.
  await using file = await open(temporary, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
  for (let at = 0; at < bytes.length; ) {
    signal.throwIfAborted();
    const { bytesWritten } = await file.write(
      bytes,
      at,
      Math.min(bytes.length - at, WRITE_PIECE_BYTES),
    );
    at += bytesWritten;
  }
  // After the data: writing and chown both may clear set-user-id bits.
  if (existing !== null) await takeAfter(file, await existing.handle.stat({ bigint: true }));
  else await file.chmod(0o666 & ~umask);
  await file.sync();
}

async function takeAfter(file: FileHandle, like: BigIntStats): Promise<void> {
  const own = await file.stat({ bigint: true });
  if (own.uid !== like.uid || own.gid !== like.gid)
    await file.chown(Number(like.uid), Number(like.gid));
  await file.chmod(Number(like.mode & 0o7777n));
}

async function whyNot(
  target: PinnedTarget,
  name: string,
  { judge, fence, signal }: Replacing,
): Promise<Refused | null> {
  const { asked, path, folder, folderPath, existing } = target;
  // First, since it also brings what was delegated meanwhile.
  if ((await fence(signal)) === 'lost') return fenced(target);
  const refused = judge({ path, asked, need: 'write' });
  if (refused !== null) return refused;
  if ((await kernelPath(folder)) !== folderPath) return moved(target);
  if (existing === null) return null;
  const changed = refusal('changed', `${asked} was changed by someone else meanwhile`);
  if (!(await holds(folder, name, existing.handle))) return changed;
  return (await isUnchanged(existing, asked, signal)) ? null : changed;
}

async function isUnchanged(
  existing: CheckedFile,
  asked: string,
  signal: AbortSignal,
): Promise<boolean> {
  const known = existing.hashRead();
  // By content where it was read: time stamps are too coarse to tell two quick writes apart.
  if (known !== null) return (await hashNow(existing.handle, asked, signal)) === known;
  const now = await existing.handle.stat({ bigint: true });
  return now.mtimeNs === existing.stats.mtimeNs && now.size === existing.stats.size;
}

function fenced({ asked }: PinnedTarget): Refused {
  return refusal('fenced', `${asked} was not written: this Pod's scope is no longer its own`);
}

function moved({ asked }: PinnedTarget): Refused {
  return refusal('changed', `the folder of ${asked} was moved meanwhile`);
}

function appeared({ asked }: PinnedTarget): Refused {
  return refusal('exists', `${asked} was created by someone else meanwhile`);
}

async function removeTemporary(temporary: string): Promise<void> {
  try {
    await unlink(temporary);
  } catch (error) {
    // Already gone, or the folder no longer lets it go: the answer is about the file, not about this.
    systemCode(error);
  }
}
