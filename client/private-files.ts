import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Folders of the user alone, 0700 where they are made here, whatever the umask. */
export async function makePrivateFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made !== undefined) await chmod(folder, 0o700);
}

/** Makes a file of the user alone; `exists` when there is something of that name, be it a link. Durable when it answers. */
export async function createPrivate(path: string, text: string): Promise<'made' | 'exists'> {
  try {
    await writeNew(path, text);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return 'exists';
    throw error;
  }
  await syncFolder(dirname(path));
  return 'made';
}

/** Puts a file of the user alone at `path`, so that a reader sees the old one or the new one, whole. */
export async function replacePrivate(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeNew(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  await syncFolder(dirname(path));
}

async function writeNew(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.chmod(0o600);
  await file.writeFile(text);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
