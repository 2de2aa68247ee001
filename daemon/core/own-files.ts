import type { Permission } from './scope-rules.ts';
import { isWithin } from './scope-rules.ts';

/**
 * Files that are the daemon's and not the agent's, whatever the scope says. Canonical paths; each stands for itself and
 * all below it.
 */
export type OwnFiles = {
  /** Neither read nor written: sockets, stores, the registry, what is configured for every Pod. */
  readonly closed: readonly string[];
  /** Not written: what this Pod is configured by. */
  readonly readOnly: readonly string[];
  /** Outputs kept for the agent: always read, never written, though they lie in a closed folder. */
  readonly kept: readonly string[];
};

/** A project's configuration. It says what the next Pod here may do, so no Pod writes it. */
const PROJECT_FOLDER = '.podd';

/** Pure. What is left of the permission that the scope grants on `path`, which is canonical. */
export function guardOwnFiles(own: OwnFiles, path: string, granted: Permission): Permission {
  if (isKept(own, path)) return 'read';
  if (isBelowOne(path, own.closed)) return 'none';
  if (granted === 'write' && (isBelowOne(path, own.readOnly) || isOfProject(path))) return 'read';
  return granted;
}

function isKept({ kept, closed }: OwnFiles, path: string): boolean {
  return kept.some((folder) => {
    const closedInside = closed.filter((one) => isWithin(one, folder));
    return isWithin(path, folder) && !isBelowOne(path, closedInside);
  });
}

function isBelowOne(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => isWithin(path, folder));
}

function isOfProject(path: string): boolean {
  return path.split('/').includes(PROJECT_FOLDER);
}
