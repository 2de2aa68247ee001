import type { BigIntStats } from 'node:fs';
import { renameSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { REGISTRY_FILES, REGISTRY_FORMAT, RegistryTable } from '../../protocol/registry.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { tableProblem } from '../core/table-shape.ts';

/** Tells one version of the file from every other: it is replaced as a whole, and its time only rises. */
export type FileMark = { readonly ino: bigint; readonly mtimeNs: bigint };

export type ReadTable =
  | { readonly kind: 'found'; readonly table: RegistryTable; readonly mark: FileMark }
  | { readonly kind: 'absent' }
  | { readonly kind: 'damaged'; readonly why: string };

/** The mark of the table as it is now, or null if there is none. One system call. */
export async function markOf(folder: string): Promise<FileMark | null> {
  try {
    return toMark(await stat(pathOf(folder), { bigint: true }));
  } catch (error) {
    if (isMissing(error)) return null;
    throw unreadable(folder, error);
  }
}

/** Needs no lock: the file is always whole. Throws `manifest_invalid` for a format that this version does not know. */
export async function readTable(folder: string): Promise<ReadTable> {
  let file: FileHandle;
  try {
    file = await open(pathOf(folder), 'r');
  } catch (error) {
    if (isMissing(error)) return { kind: 'absent' };
    throw unreadable(folder, error);
  }
  try {
    const stats = await file.stat({ bigint: true });
    if (stats.size > BigInt(LIMITS.registryBytes))
      return { kind: 'damaged', why: `it has ${stats.size} bytes` };
    const parsed = parseTable(await file.readFile('utf8'), folder);
    return typeof parsed === 'string'
      ? { kind: 'damaged', why: parsed }
      : { kind: 'found', table: parsed, mark: toMark(stats) };
  } catch (error) {
    throw error instanceof Fault ? error : unreadable(folder, error);
  } finally {
    await file.close();
  }
}

/**
 * Replaces the table: a reader sees the old one or the new one, whole, also after a power loss. `stillOurs` is asked
 * at the last moment; when it says no, nothing has changed and the answer is null.
 */
export async function replaceTable(
  folder: string,
  table: RegistryTable,
  stillOurs: () => Promise<boolean>,
): Promise<FileMark | null> {
  const path = pathOf(folder);
  const temporary = `${path}.${process.pid}.tmp`;
  const text = `${JSON.stringify(table, null, 1)}\n`;
  if (Buffer.byteLength(text) > LIMITS.registryBytes)
    throw new Fault(
      'cannot_create',
      `the scope registry would have more than ${LIMITS.registryBytes} bytes: stop some Pods`,
    );
  try {
    const before = await markOf(folder);
    const mark = await writeSynced(temporary, text, before);
    if (!(await stillOurs())) {
      await unlink(temporary).catch(() => undefined);
      return null;
    }
    // At once: with the portable lock the answer holds for milliseconds, and a thread pool may be busy for longer.
    renameSync(temporary, path);
    // It has happened, so it is no failure: what a failing disk may lose with the power are rows of processes that end with it.
    await syncFolder(folder).catch(() => undefined);
    return mark;
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    if (cause instanceof Fault) throw cause;
    // Whoever took the lock from us swept our file away.
    if (isMissing(cause) && !(await stillOurs())) return null;
    throw new Fault(
      'cannot_create',
      `the scope registry ${folder} can't be written (${why(cause)}): check the disk's space and the folder's owner`,
      { cause },
    );
  }
}

/** Keeps the damaged file for whoever wants to look at it; there is one at most. */
export async function moveAside(folder: string): Promise<string> {
  const aside = `${pathOf(folder)}.damaged`;
  await rename(pathOf(folder), aside);
  return aside;
}

async function writeSynced(path: string, text: string, before: FileMark | null): Promise<FileMark> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(text);
    let stats = await file.stat({ bigint: true });
    // A clock that ticks in milliseconds or steps back, and an inode that is used again: the time has to rise anyway.
    // By microseconds, or by seconds where the file system keeps no more.
    for (const step of [2n, 1_000_000n, 2_000_000n]) {
      if (before === null || stats.mtimeNs > before.mtimeNs) break;
      const seconds = Number(before.mtimeNs / 1000n + step) / 1e6;
      await file.utimes(seconds, seconds);
      stats = await file.stat({ bigint: true });
    }
    await file.sync();
    return toMark(stats);
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The table, or why the text is none. */
function parseTable(text: string, folder: string): RegistryTable | string {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  refuseOtherFormat(raw, folder);
  const parsed = v.safeParse(RegistryTable, raw);
  if (parsed.success) return tableProblem(parsed.output) ?? parsed.output;
  const [issue] = parsed.issues;
  return `${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`;
}

function refuseOtherFormat(raw: unknown, folder: string): void {
  if (typeof raw !== 'object' || raw === null || !('format' in raw)) return;
  const { format } = raw;
  if (format === REGISTRY_FORMAT || typeof format !== 'number') return;
  throw new Fault(
    'manifest_invalid',
    `the scope registry ${folder} has format ${format}, this podd knows ${REGISTRY_FORMAT}: use the podd that wrote it, or another PODD_SCOPE_REGISTRY`,
  );
}

function toMark({ ino, mtimeNs }: BigIntStats): FileMark {
  return { ino, mtimeNs };
}

function pathOf(folder: string): string {
  return join(folder, REGISTRY_FILES.table);
}

function unreadable(folder: string, cause: unknown): Fault {
  return new Fault(
    'cannot_create',
    `the scope registry ${folder} can't be read (${why(cause)}): check its owner and mode`,
    { cause },
  );
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function why(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}
