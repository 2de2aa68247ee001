import { refuse } from '../core/result.ts';
import type { FileRefusal } from '../ports/files.ts';

export type Refused = { readonly ok: false; readonly error: FileRefusal };

/**
 * What is missing, unreadable or of an odd kind outside the scope is refused with this one sentence, so that an
 * answer tells nothing of what lies there. Messages name the path that was asked for, never where it led.
 */
export function outsideScope(path: string): Refused {
  return refusal('outside_scope', `${path} is outside this Pod's scope`);
}

export function refusal(kind: FileRefusal['kind'], says: string): Refused {
  return refuse({ kind, says });
}

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk reports an error',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  ETXTBSY: 'the file is being executed',
  EOPNOTSUPP: 'the file system does not support this',
};

/** A failure of the system on a path that is in scope. What is not one is a bug, and is thrown on. */
export function systemRefusal(path: string, error: unknown): Refused {
  const code = systemCode(error);
  if (code === 'ENOENT') return refusal('missing', `${path} does not exist`);
  if (code === 'ENOTDIR')
    return refusal('missing', `${path} does not exist: a part of it is a file, not a folder`);
  return refusal('unreachable', `${path}: ${WORDS[code] ?? `the system refuses it (${code})`}`);
}

/** The `E...` code of a failed system call; anything else is thrown on. */
export function systemCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && 'syscall' in error) return String(error.code);
  throw error;
}
