import { findPlace, pathOfPlace } from './find-place.ts';
import { kernelPath, pin } from './pinned.ts';
import { systemCode } from './refusals.ts';

/**
 * The absolute path with all links followed; what does not exist yet is resolved through its nearest existing
 * ancestor. Null if it can't be: not absolute, `..` behind a missing folder, no name in UTF-8. It grants nothing.
 */
export async function canonicalPath(path: string): Promise<string | null> {
  if (!isUsablePath(path)) return null;
  try {
    await using pinned = await pin(path);
    return await kernelPath(pinned);
  } catch (error) {
    systemCode(error);
  }
  await using place = await findPlace(path);
  return place === null ? null : pathOfPlace(place);
}

/** Absolute, and nothing that the system would take for another path. */
export function isUsablePath(path: string): boolean {
  return path.startsWith('/') && !path.includes('\0') && path.isWellFormed();
}
