import { Fault } from '../core/fault.ts';

/** What the system said, such as `EACCES`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** What the system refused, as a Fault that says what to do. Everything else stays what it is. */
export function toFault(folder: string, error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof Fault || code === undefined) return error;
  return unusable(folder, code, error);
}

export function unusable(folder: string, why: string, cause?: unknown): Fault {
  return new Fault(
    'cannot_create',
    `the scope registry ${folder} can't be used (${why}): check its owner, mode and disk, ` +
      'or set PODD_SCOPE_REGISTRY to another folder, the same for all of this user’s Pods',
    { cause },
  );
}
