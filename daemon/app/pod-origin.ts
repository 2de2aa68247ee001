import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../core/limits.ts';
import type { PodPaths } from '../manifest/paths.ts';
import { writeAtomically } from '../support/atomic-file.ts';
import { readTextFile } from '../support/read-text-file.ts';

/** In which project a Pod's state was begun: what a project that nobody trusts may take up again, and no other. */
export type PodOrigin =
  | { readonly kind: 'fresh' }
  /** The canonical root, null for a Pod that no project began or whose record is damaged. */
  | { readonly kind: 'begun'; readonly project: string | null };

/** `db` stands for the state: it is made after the record. */
export async function readOrigin(paths: PodPaths): Promise<PodOrigin> {
  if (!(await exists(paths.db))) return { kind: 'fresh' };
  const text = await readTextFile(fileOf(paths), LIMITS.manifestBytes);
  return { kind: 'begun', project: text.ok ? parse(text.value) : null };
}

/** Once, before there is anything else; what is begun keeps its origin. */
export async function recordOrigin(paths: PodPaths, project: string | null): Promise<void> {
  if (await exists(paths.db)) return;
  await writeAtomically(fileOf(paths), `${JSON.stringify({ format: 1, project })}\n`);
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
async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ENOENT');
  }
}
