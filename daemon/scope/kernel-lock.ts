import { randomUUID } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type native from 'fs-native-extensions';
import { REGISTRY_FILES } from '../../protocol/registry.ts';
import { Fault } from '../core/fault.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import { lockBusy, openHolderFile, recordOf, writeHolder } from './lock-holder.ts';
import { waitForLock } from './lock-wait.ts';
import { codeOf, toFault } from './registry-fault.ts';
import type { HeldLock, LockHolder, LockSite, RegistryLock } from './registry-lock.ts';

type Native = typeof native;

/** A holder that dies is followed within the longest of these. */
const PAUSE_MS = { min: 1, max: 40 };

/**
 * A lock of the open file description (`F_OFD_SETLK`), so it holds against other callers of this process too. It lies
 * on a file of its own that is never renamed or removed, and the kernel frees it with its holder. Children do not
 * inherit it: Node opens with `O_CLOEXEC`.
 */
export async function openKernelLock(site: LockSite): Promise<RegistryLock> {
  const native = await loadNative();
  if (!native.ok) throw kernelUnusable(site.folder, native.error);
  return {
    kind: 'kernel',
    acquire: async (holder, signal) => {
      const since = Date.now();
      const path = join(site.folder, REGISTRY_FILES.lock);
      const held = await waitForKernelLock(site, native.value, { path, holder, signal });
      if (held === null) throw await lockBusy(site.folder, path, since);
      return held;
    },
  };
}

/** Whether the folder's file system keeps two of these locks apart. The refusal says why it does not. */
export async function tryKernelLock(folder: string): Promise<Result<null, string>> {
  const native = await loadNative();
  if (!native.ok) return refuse(says(native.error));
  const { tryLock } = native.value;
  const path = join(folder, `trial-${randomUUID()}.lock`);
  try {
    await using first = await open(path, 'wx', 0o600);
    await using second = await open(path, 'r+');
    try {
      return tryLock(first.fd) && !tryLock(second.fd)
        ? ok(null)
        : refuse('its file system grants one lock twice');
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return refuse(says(error));
    }
  } finally {
    await unlink(path).catch(() => undefined);
  }
}

type Request = {
  readonly path: string;
  readonly holder: LockHolder;
  readonly signal: AbortSignal;
};

async function waitForKernelLock(
  site: LockSite,
  native: Native,
  { path, holder, signal }: Request,
): Promise<HeldLock | null> {
  // One open file for the whole wait; it is the held lock's in the end.
  const waiting: { file: FileHandle | null } = { file: null };
  const attempt = async (): Promise<HeldLock | null> => {
    waiting.file ??= await openLockFile(path, site.confirm);
    const { file } = waiting;
    if (!tryLockIn(site.folder, native, file)) return null;
    // Meanwhile the folder may have been removed, and made anew with the other kind.
    await site.confirm();
    if (!(await leadsTo(path, file))) {
      waiting.file = null;
      await file.close();
      return null;
    }
    // For the message that others get; the lock holds without it.
    await writeHolder(file, recordOf(holder)).catch(() => undefined);
    waiting.file = null;
    return heldLock(native, path, file);
  };
  try {
    return await waitForLock({ limitMs: site.limitMs, pauseMs: PAUSE_MS, attempt }, signal);
  } catch (error) {
    throw toFault(site.folder, error);
  } finally {
    await waiting.file?.close();
  }
}

function heldLock(native: Native, path: string, file: FileHandle): HeldLock {
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    try {
      // Not left to the close: a child between fork and exec has the file open, too.
      native.unlock(file.fd);
    } finally {
      await file.close();
    }
  };
  return {
    isOurs: async () => closed === undefined && (await leadsTo(path, file)),
    [Symbol.asyncDispose]: async () => {
      await (closed ??= close());
    },
  };
}

async function openLockFile(path: string, confirm: () => Promise<void>): Promise<FileHandle> {
  try {
    return await openHolderFile(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await confirm();
    return await openHolderFile(path);
  }
}

function tryLockIn(folder: string, { tryLock }: Native, { fd }: FileHandle): boolean {
  try {
    return tryLock(fd);
  } catch (error) {
    throw kernelUnusable(folder, error);
  }
}

/** As long as the file is open, no other one gets its number. */
async function leadsTo(path: string, file: FileHandle): Promise<boolean> {
  const own = await file.stat({ bigint: true });
  try {
    const found = await stat(path, { bigint: true });
    return found.dev === own.dev && found.ino === own.ino;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

// Not an import at the top: where there is no native for this machine, the portable lock is left.
async function loadNative(): Promise<Result<Native, unknown>> {
  try {
    return ok((await import('fs-native-extensions')).default);
  } catch (error) {
    return refuse(error);
  }
}

function kernelUnusable(folder: string, cause: unknown): Fault {
  return new Fault(
    'cannot_create',
    `the scope registry ${folder} is guarded by a kernel lock, which this podd can't use there (${says(cause)}): ` +
      'run a podd that can; or stop all of this user’s Pods, remove the folder and set PODD_SCOPE_LOCK=portable',
    { cause },
  );
}

function says(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.message : String(error));
}
