import { rename, writeFile } from 'node:fs/promises';

/**
 * Puts `text` at `path`, mode 0600, so that a reader sees the old file or the new one, whole. It is not synced: for files
 * that tell of a process, which no power loss survives.
 */
export async function replaceVolatile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode: 0o600 });
  await rename(temporary, path);
}
