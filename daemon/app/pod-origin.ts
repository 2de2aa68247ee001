import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { PodPaths } from '../manifest/paths.ts';
import { readTextFile } from '../support/read-text-file.ts';

/** In which project a Pod's state was begun: what a project that nobody trusts may take up again, and no other. */
export type PodOrigin =
  | { readonly kind: 'fresh' }
  /** The canonical root, null for a Pod that no project began or whose record is damaged. */
  | { readonly kind: 'begun'; readonly project: string | null };

/** `db` stands for the state: it is made after the record. */
export async function readOrigin(paths: PodPaths): Promise<PodOrigin> {
  if (!(await isThere(paths.db))) return { kind: 'fresh' };
  const text = await readTextFile(fileOf(paths), LIMITS.manifestBytes);
  return { kind: 'begun', project: text.ok ? parse(text.value) : null };
}

/** Once, before there is anything else; what is begun keeps its origin. */
export async function recordOrigin(paths: PodPaths, project: string | null): Promise<void> {
  if (await isThere(paths.db)) return;
  // Not by a second file and a rename: one that was torn is written again, since there is no `db` behind it.
  try {
    await using file = await open(fileOf(paths), 'w', 0o600);
    await file.chmod(0o600);
    await file.writeFile(`${JSON.stringify({ format: 1, project })}\n`);
    await file.sync();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : '';
    throw new Fault('cannot_create', `${fileOf(paths)} can't be written: ${why}`, { cause });
  }
}

function fileOf({ state }: PodPaths): string {
  return join(state, 'origin.json');
}

function parse(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('project' in value)) return null;
    return typeof value.project === 'string' ? value.project : null;
  } catch {
    return null;
  }
}

// What can't be looked at is taken to be there.
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}
