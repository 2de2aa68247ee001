import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { invariant } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import type { LockHolder } from './registry-lock.ts';

/**
 * What a holder says of itself, for those who wait. Always so many bytes and written at once: a shorter record leaves
 * no rest of a longer one, and nobody finds a file that is cut off.
 */
const RECORD_BYTES = 512;

const HolderRecord = v.looseObject({
  pod: v.string(),
  pid: v.number(),
  /** ISO time. */
  since: v.string(),
  /** What tells one acquisition from every other, if the lock needs it. */
  token: v.optional(v.string()),
});

export type HolderRecord = v.InferOutput<typeof HolderRecord>;

/** Opens the file, or makes it, 0600 whatever the umask. */
export async function openHolderFile(path: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    if (((await file.stat()).mode & 0o777) !== 0o600) await file.chmod(0o600);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

export async function writeHolder(file: FileHandle, record: HolderRecord): Promise<void> {
  const bytes = Buffer.alloc(RECORD_BYTES, ' ');
  const text = Buffer.from(`${JSON.stringify(record)}\n`, 'utf8');
  invariant(text.length <= RECORD_BYTES, `the record of a lock has ${text.length} bytes`);
  text.copy(bytes);
  await file.write(bytes, 0, RECORD_BYTES, 0);
}

/** Null if it is no record. */
export function parseHolder(text: string): HolderRecord | null {
  try {
    const parsed = v.safeParse(HolderRecord, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

/** For a wait that began at `waitingSince` (Unix time in ms) and is over. */
export async function lockBusy(folder: string, path: string, waitingSince: number): Promise<Fault> {
  const found = parseHolder(await readFile(path, 'utf8').catch(() => ''));
  const since = found?.since ?? new Date(waitingSince).toISOString();
  const holder = found === null ? 'an unknown process' : `Pod ${found.pod} (pid ${found.pid})`;
  return new Fault('taken', `registry ${folder} busy since ${since}, held by ${holder}`);
}

export function recordOf(holder: LockHolder): HolderRecord {
  return { pod: holder.pod, pid: holder.pid, since: new Date().toISOString() };
}
