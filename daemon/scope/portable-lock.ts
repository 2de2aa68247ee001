import { randomUUID } from 'node:crypto';
import { mkdir, readFileSync, realpath, rmdir, stat, utimes } from 'node:fs';
import { join } from 'node:path';
import type ProperLockfile from 'proper-lockfile';
import { REGISTRY_FILES } from '../../protocol/registry.ts';
import { LIMITS } from '../core/limits.ts';
import { lockBusy, openHolderFile, parseHolder, recordOf, writeHolder } from './lock-holder.ts';
import { pause, waitForLock } from './lock-wait.ts';
import { codeOf, toFault } from './registry-fault.ts';
import type { HeldLock, LockHolder, LockSite, RegistryLock } from './registry-lock.ts';

/**
 * `proper-lockfile` makes a folder and keeps its time fresh. Alone it lets several in: waiters that all find it stale
 * remove each other's fresh one, and neither inode nor time tells those folders apart (the number is used again, the
 * clock is coarse, and one waiter's heartbeat may land on another's folder).
 *
 * So the folder only thins out the waiters, and the owner file decides. Who made the folder writes a token of its own
 * there, waits until everybody who was in before has renamed or will notice, and goes on if the token still stands:
 * the last writer is the owner. Who finds another's token later has lost the lock and must not write.
 *
 * What is left: a holder that stands still, for longer than that wait, between `isOurs` and its rename.
 */
const LOCK_FOLDER = 'portable.lock';
const OWNER_FILE = 'portable-owner.json';

/** Longer than the kernel lock's: an attempt is several calls of the file system. */
const PAUSE_MS = { min: 5, max: 25 };

type Library = typeof ProperLockfile;
type Done = (error: Error | null) => void;
type Request = { readonly holder: LockHolder; readonly signal: AbortSignal };

/** Throws `cannot_create` if the folder does not allow even this. */
export async function openPortableLock(site: LockSite): Promise<RegistryLock> {
  // Not an import at the top: it hooks into the process's signals and its `fs.close`.
  const { default: library } = await import('proper-lockfile');
  const files = lockFiles();
  await warmUp(site.folder, library, files);
  const ownerFile = join(site.folder, OWNER_FILE);
  return {
    kind: 'portable',
    acquire: async (holder, signal) => {
      const since = Date.now();
      const attempt = async (): Promise<HeldLock | null> =>
        await takeFolder(site, new FolderLock(site.folder, library, files), { holder, signal });
      try {
        const { limitMs } = site;
        const held = await waitForLock({ limitMs, pauseMs: PAUSE_MS, attempt }, signal);
        if (held !== null) return held;
      } catch (error) {
        throw toFault(site.folder, error);
      }
      throw await lockBusy(site.folder, ownerFile, since);
    },
  };
}

async function takeFolder(
  site: LockSite,
  lock: FolderLock,
  { holder, signal }: Request,
): Promise<HeldLock | null> {
  try {
    if (!(await lock.take(holder))) return null;
    await pause(LIMITS.portableLockSettleMs, signal);
    // Meanwhile the folder may have been removed, and made anew with the other kind.
    await site.confirm();
    if (await lock.isOurs()) return lock;
    await lock[Symbol.asyncDispose]();
    return null;
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    if (codeOf(error) !== 'ENOENT') throw error;
    await site.confirm();
    return null;
  }
}

/** One acquisition. */
class FolderLock implements HeldLock {
  readonly #token = randomUUID();
  readonly #folder: string;
  readonly #library: Library;
  readonly #files: object;
  #release: (() => Promise<void>) | undefined;
  #lost = false;
  #closed: Promise<void> | undefined;

  constructor(folder: string, library: Library, files: object) {
    this.#folder = folder;
    this.#library = library;
    this.#files = files;
  }

  /** False if the lock folder is somebody's. Throws what the system says, as ENOENT when the registry is gone. */
  async take(holder: LockHolder): Promise<boolean> {
    try {
      // The library keeps its locks by this name: each has its own, so that none is taken for another.
      const name = `${join(this.#folder, REGISTRY_FILES.table)}#${this.#token}`;
      this.#release = await this.#library.lock(name, {
        ...lockOptions(join(this.#folder, LOCK_FOLDER)),
        fs: Object.create(this.#files, { rmdir: { value: this.#removeFolder } }) as object,
        onCompromised: () => {
          this.#lost = true;
        },
      });
    } catch (error) {
      if (codeOf(error) === 'ELOCKED') return false;
      throw error;
    }
    await using file = await openHolderFile(this.#ownerFile);
    await writeHolder(file, { ...recordOf(holder), token: this.#token });
    return true;
  }

  // Not asynchronous inside: nothing of this process comes between the look and what its caller does next.
  readonly isOurs = (): Promise<boolean> =>
    Promise.resolve(this.#closed === undefined && this.#holds());

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    await this.#closed;
  }

  async #close(): Promise<void> {
    if (!this.#holds()) this.#lost = true;
    // It fails when the lock was found lost, and when the folder can't be removed. What is left of it goes stale.
    await this.#release?.().catch(() => undefined);
  }

  #holds(): boolean {
    if (this.#lost) return false;
    try {
      return parseHolder(readFileSync(this.#ownerFile, 'utf8'))?.token === this.#token;
    } catch {
      return false;
    }
  }

  /** The release of a lost lock ends its heartbeat and leaves the folder, which is another's. */
  readonly #removeFolder = (path: string, done: Done): void => {
    if (this.#lost) done(null);
    else rmdir(path, done);
  };

  get #ownerFile(): string {
    return join(this.#folder, OWNER_FILE);
  }
}

function lockOptions(lockfilePath: string): { readonly [Option in 'stale' | 'retries']: number } & {
  readonly lockfilePath: string;
  readonly realpath: false;
} {
  return { lockfilePath, realpath: false, stale: LIMITS.portableLockStaleMs, retries: 0 };
}

/** What the library does to the file system. Its own default retries some calls for a minute. */
function lockFiles(): object {
  return {
    stat,
    utimes,
    realpath,
    rmdir,
    // What is stale is told by this machine's clock, and a file server may have another.
    mkdir: (path: string, done: Done): void => {
      mkdir(path, (error) => {
        if (error !== null) done(error);
        else utimes(path, new Date(), new Date(), done);
      });
    },
    /** Asked when the process exits: the folder may be another's by then. */
    rmdirSync: (): void => undefined,
  };
}

/** A process's first lock gets a time of up to a second ahead, and is stale so much later: it is not to be the real one. */
async function warmUp(folder: string, library: Library, files: object): Promise<void> {
  const path = join(folder, `trial-${randomUUID()}.lock`);
  try {
    const release = await library.lock(path, {
      ...lockOptions(path),
      fs: files,
      onCompromised: () => undefined,
    });
    await release();
  } catch (error) {
    throw toFault(folder, error);
  }
}
