import { resolve } from 'node:path';
import { runtimeRoot, SOCKET_PATH_BYTES_MAX, socketOf } from '../protocol/paths.ts';
import { PodError } from './pod-error.ts';

/** What a client takes from its process: nothing here reads `process` itself. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly cwd: string;
};

export const POD_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** The socket of `pod`, a name or, with a slash in it, a path. Throws `no_place`; whether a Pod serves there is not looked at. */
export function findSocket(pod: string, { env, home, cwd }: Surroundings): string {
  const path = pod.includes('/') ? resolve(cwd, pod) : socketOf(rootOf(env, home), nameOf(pod));
  const bytes = Buffer.byteLength(path);
  if (bytes > SOCKET_PATH_BYTES_MAX)
    throw new PodError(
      'no_place',
      `the socket path ${path} has ${bytes} bytes, Linux takes ${SOCKET_PATH_BYTES_MAX}; set PODD_RUNTIME_DIR to a shorter folder, for the Pod too`,
    );
  return path;
}

function nameOf(pod: string): string {
  if (POD_NAME.test(pod)) return pod;
  throw new PodError(
    'no_place',
    `"${pod}" is no Pod name (a-z 0-9 . _ -, up to 64) and, without a slash, no path to a socket`,
  );
}

function rootOf(env: Surroundings['env'], home: string): string {
  const root = runtimeRoot(env, home);
  if (root.kind === 'none') throw new PodError('no_place', root.says);
  return root.path;
}
