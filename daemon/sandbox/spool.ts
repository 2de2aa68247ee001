import { constants } from 'node:fs';
import { open, readdir, rename, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import { cutMiddle } from '../core/truncate.ts';
import type { Clock } from '../ports/clock.ts';
import type { KeptOutput, Spool } from '../ports/spool.ts';
import { Semaphore } from '../support/semaphore.ts';

/**
 * When it was kept, in milliseconds; the tool; its bytes, so that one look at the folder tells them all. Later ones have
 * higher numbers, also when the clock steps back.
 */
const KEPT_NAME = /^(\d{13,15})-\w{1,64}-(\d{1,15})$/;
/** What is not whole yet. A process that dies leaves one at most, which the next output takes away. */
const DRAFT_NAME = '.draft';
const PIECE_BYTES = 1024 * 1024;
const SHARES = {
  headBytes: LIMITS.spoolHeadBytes,
  tailBytes: LIMITS.spoolBytes - LIMITS.spoolHeadBytes,
};

type KeptFile = { readonly name: string; readonly number: number; readonly bytes: number };

/** Paths of what lies in the folder that was opened, whatever has become of its own path since. */
type Within = (name: string) => string;

/** The kept outputs of one Pod. It alone writes into `folder`, which is there and no link. */
export class SpoolFolder implements Spool {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #oneByOne = new Semaphore(1);
  /** Oldest first; null until somebody has looked. */
  #kept: KeptFile[] | null = null;
  #isStuck = false;

  constructor(folder: string, clock: Clock) {
    this.#folder = folder;
    this.#clock = clock;
  }

  async keep(
    output: { readonly tool: string; readonly text: string },
    signal: AbortSignal,
  ): Promise<Result<KeptOutput, string>> {
    // Each that waits holds its text: behind a disk that hangs none may gather.
    if (this.#isStuck) return refuse('the disk has not taken an earlier one yet');
    return await this.#oneByOne.use(async () => {
      signal.throwIfAborted();
      const givenUp = (): void => {
        this.#isStuck = true;
      };
      signal.addEventListener('abort', givenUp, { once: true });
      try {
        return ok(await this.#put(output, signal));
      } catch (error) {
        return refuse(reasonOf(error));
      } finally {
        signal.removeEventListener('abort', givenUp);
        this.#isStuck = false;
      }
    });
  }

  async #put(
    { tool, text }: { readonly tool: string; readonly text: string },
    signal: AbortSignal,
  ): Promise<KeptOutput> {
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;
    await using folder = await open(this.#folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    const within: Within = (name) => `/proc/self/fd/${folder.fd}/${name}`;
    const { pieces, bytesGone } = cutMiddle(text, SHARES);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    this.#kept ??= await findKept(within);
    signal.throwIfAborted();
    const number = Math.max(this.#clock.now(), (this.#kept.at(-1)?.number ?? 0) + 1);
    await makeRoom(this.#kept, bytes, within, signal);
    const name = `${String(number).padStart(13, '0')}-${wordOf(tool)}-${bytes}`;
    await writeDraft(within, pieces, signal);
    await rename(within(DRAFT_NAME), within(name));
    this.#kept.push({ name, number, bytes });
    await folder.sync();
    return { path: join(this.#folder, name), bytesGone };
  }
}

async function findKept(within: Within): Promise<KeptFile[]> {
  const entries = await readdir(within('.'), { withFileTypes: true });
  return entries
    .flatMap((entry) => {
      const [name, number, bytes] = KEPT_NAME.exec(entry.name) ?? [];
      if (name === undefined || !entry.isFile()) return [];
      return [{ name, number: Number(number), bytes: Number(bytes) }];
    })
    .sort((a, b) => a.number - b.number);
}

/** Before anything is written: there is at no time more than may be. */
async function makeRoom(
  kept: KeptFile[],
  bytes: number,
  within: Within,
  signal: AbortSignal,
): Promise<void> {
  let total = kept.reduce((sum, one) => sum + one.bytes, bytes);
  for (
    let oldest = kept[0];
    oldest !== undefined && (total > LIMITS.spoolPodBytes || kept.length >= LIMITS.spoolFiles);
    oldest = kept[0]
  ) {
    signal.throwIfAborted();
    await removeFile(within(oldest.name));
    kept.shift();
    total -= oldest.bytes;
  }
}

async function writeDraft(
  within: Within,
  pieces: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<void> {
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const path = within(DRAFT_NAME);
  await removeFile(path);
  await using file = await open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600);
  try {
    for (const piece of pieces) await writeWhole(file, piece, signal);
    await file.sync();
    signal.throwIfAborted();
  } catch (error) {
    // On a disk that is full it would be in the way; what can't be removed now is with the next one.
    await removeFile(path).catch(() => undefined);
    throw error;
  }
}

async function writeWhole(file: FileHandle, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    signal.throwIfAborted();
    const length = Math.min(bytes.length - at, PIECE_BYTES);
    at += (await file.write(bytes, at, length)).bytesWritten;
  }
}

/** Its user may have been quicker. */
async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

function wordOf(tool: string): string {
  return tool.replaceAll(/\W/g, '_').slice(0, 64) || '_';
}

/** The system's own words, without its code and its call; what is not the system's is thrown on. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error) || !('syscall' in error)) throw error;
  return /^\w+: ([^,]+)/.exec(error.message)?.[1] ?? error.message;
}
