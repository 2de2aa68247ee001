import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { LIMITS } from '../core/limits.ts';
import { ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { FileRefusal, WriteTarget } from '../ports/files.ts';
import { Closing } from '../support/closing.ts';
import { findPlace, pathOfPlace } from './find-place.ts';
import type { Judge } from './judge.ts';
import { refuseKernelFile } from './judge.ts';
import { openPinned, refuseIrregular } from './opened-file.ts';
import { kernelPath, pin, selfOf, tryPin } from './pinned.ts';
import type { Pin } from './pinned.ts';
import { outsideScope, refusal, systemCode, systemRefusal } from './refusals.ts';
import type { Refused } from './refusals.ts';
import { refuseUnopened } from './refuse-unopened.ts';
import { replaceFile } from './replace-file.ts';
import type { PinnedTarget, Replacing } from './replace-file.ts';

type Answer = Result<PinnedTarget, FileRefusal>;

/** Pins the place that `asked` leads to now. Where links or folders are swapped meanwhile, `replace` refuses. */
export async function openForWrite(
  asked: string,
  judge: Judge,
  { fence, umask }: Pick<Replacing, 'fence' | 'umask'>,
): Promise<Result<WriteTarget, FileRefusal>> {
  await using closing = new Closing();
  const answer = await findTarget(asked, judge, closing);
  if (!answer.ok) return answer;
  const owned = closing.move();
  return ok({
    path: answer.value.path,
    existing: answer.value.existing,
    replace: (bytes, signal) => replaceFile(answer.value, { bytes, judge, fence, umask, signal }),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  });
}

async function findTarget(asked: string, judge: Judge, closing: Closing): Promise<Answer> {
  const found = await tryPin(asked);
  try {
    if (found.ok)
      return await existingTarget(closing.use('file', found.value), { asked, judge, closing });
    const answer = await refuseUnopened({ asked, need: 'write' }, judge, found.error);
    if (answer.error.kind !== 'missing' || systemCode(found.error) !== 'ENOENT') return answer;
    return await newTarget(answer, { asked, judge, closing });
  } catch (error) {
    return systemRefusal(asked, error);
  }
}

type Search = { readonly asked: string; readonly judge: Judge; readonly closing: Closing };

async function existingTarget(file: Pin, { asked, judge, closing }: Search): Promise<Answer> {
  const path = await kernelPath(file);
  if (path === null) return outsideScope(asked);
  const stats = await file.stat({ bigint: true });
  const refused =
    judge({ path, asked, need: 'write' }) ?? (await refuseIrregular(file, stats, asked));
  if (refused !== null) return refused;
  // A folder that may be written would let it be replaced, but its owner has said that it is not to change.
  if (!(await isWritable(file)))
    return refusal('not_writable', `${asked} is read-only by its permissions`);

  const cut = path.lastIndexOf('/');
  const folderPath = path.slice(0, cut) || '/';
  const name = path.slice(cut + 1);
  // The name may lead elsewhere by now, even outside: `replace` looks at what was pinned before it writes.
  const folder = closing.use('folder', await pin(folderPath));
  const existing = closing.use('data', await openPinned(file, { path, stats, asked }));
  return ok({ asked, path, folder, folderPath, names: [name], existing });
}

async function newTarget(missing: Refused, { asked, judge, closing }: Search): Promise<Answer> {
  const place = await findPlace(asked);
  if (place === null) return missing;
  closing.use('place', place);
  const { folder, folderPath, names } = place;
  const path = pathOfPlace(place);
  if (path === null) return missing;
  const refused = judge({ path, asked, need: 'write' }) ?? (await refuseKernelFile(folder, asked));
  if (refused !== null) return refused;
  if (/\/\.?$/.test(asked)) return refusal('directory', `${asked} names a folder, not a file`);
  if (path.endsWith(' (deleted)'))
    return refusal('unreachable', `${asked}: a name that ends in " (deleted)" can't be checked`);
  if (names.length - 1 > LIMITS.createdFolders)
    return refusal(
      'too_large',
      `${asked} lies below more than ${LIMITS.createdFolders} missing folders`,
    );
  return ok({ asked, path, folder, folderPath, names, existing: null });
}

async function isWritable(file: Pin): Promise<boolean> {
  try {
    await access(selfOf(file), constants.W_OK);
    return true;
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].includes(systemCode(error))) return false;
    throw error;
  }
}
