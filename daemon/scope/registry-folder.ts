import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assertNever } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../ports/log.ts';
import { openKernelLock, tryKernelLock } from './kernel-lock.ts';
import { settleKind } from './lock-kind.ts';
import { openPortableLock } from './portable-lock.ts';
import { codeOf, toFault, unusable } from './registry-fault.ts';
import type { LockKind, LockSite, RegistryLock } from './registry-lock.ts';

export type RegistryFolderOptions = {
  /** `PODD_SCOPE_LOCK`. It counts when the folder is made; an existing one keeps its kind. */
  readonly wanted: string | undefined;
  readonly log: Log;
  readonly limitMs?: number;
};

/**
 * Makes the registry's folder if there is none, 0700 whatever the umask, and opens the lock of the kind that it has.
 * Throws `cannot_create` when this process can't use it, `manifest_invalid` for another format or an unknown kind wanted.
 */
export async function openRegistryFolder(
  folder: string,
  { wanted, log, limitMs = LIMITS.registryLockMs }: RegistryFolderOptions,
): Promise<RegistryLock> {
  const wish = parseWanted(wanted);
  await makeFolder(folder, log);
  const kind = await settleKind(folder, async () => await chooseKind(folder, wish, log));
  if (wish !== null && wish !== kind)
    log.info('the scope registry keeps the kind of lock that it was made with', {
      kind,
      PODD_SCOPE_LOCK: wish,
    });
  const confirm = async (): Promise<void> => {
    await makeFolder(folder, log);
    const now = await settleKind(folder, () => Promise.resolve(kind));
    if (now !== kind)
      throw new Fault(
        'cannot_create',
        `the scope registry ${folder} was removed and made anew with a ${now} lock, this Pod uses a ${kind} lock: start it again`,
      );
  };
  return await openLock(kind, { folder, limitMs, confirm });
}

async function openLock(kind: LockKind, site: LockSite): Promise<RegistryLock> {
  switch (kind) {
    case 'kernel':
      return await openKernelLock(site);
    case 'portable':
      return await openPortableLock(site);
    default:
      return assertNever(kind, 'openLock');
  }
}

function parseWanted(wanted: string | undefined): LockKind | null {
  if (wanted === undefined || wanted === '') return null;
  if (wanted === 'kernel' || wanted === 'portable') return wanted;
  throw new Fault(
    'manifest_invalid',
    `PODD_SCOPE_LOCK is "${wanted}": expected kernel or portable`,
  );
}

async function chooseKind(folder: string, wish: LockKind | null, log: Log): Promise<LockKind> {
  if (wish === 'portable') return wish;
  const tried = await tryKernelLock(folder).catch((error: unknown) => {
    throw toFault(folder, error);
  });
  if (tried.ok) return 'kernel';
  if (wish === 'kernel')
    throw new Fault(
      'cannot_create',
      `the scope registry ${folder} can't have a kernel lock (${tried.error}): set PODD_SCOPE_LOCK=portable, or PODD_SCOPE_REGISTRY to a folder on a local disk`,
    );
  log.warn('the scope registry gets a portable lock, as its folder can have no kernel lock', {
    folder,
    why: tried.error,
  });
  return 'portable';
}

async function makeFolder(folder: string, log: Log): Promise<void> {
  try {
    if (await makeIfMissing(folder)) return;
    const found = await stat(folder);
    if (!found.isDirectory()) throw unusable(folder, 'it is not a folder');
    // Another user's can't be changed; root may use it as it is.
    if (found.uid !== process.getuid?.() || (found.mode & 0o077) === 0) return;
    await chmod(folder, 0o700);
    log.info('the scope registry was open to other users; now it is not', { folder });
  } catch (error) {
    throw toFault(folder, error);
  }
}

/** Answers whether it made it. One by one, as the umask may take the owner's bits of what is on the way. */
async function makeIfMissing(folder: string): Promise<boolean> {
  try {
    return await makeOne(folder);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
  }
  await makeIfMissing(dirname(folder));
  return await makeOne(folder);
}

async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await chmod(folder, 0o700);
  return true;
}
