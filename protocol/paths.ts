/**
 * Where a Pod's socket lies, and what it keeps. Daemon and clients find each other by these rules alone, so they stand
 * here once.
 * Pure: the environment and the home folder are handed in.
 */

/** What `sun_path` holds on Linux, less its NUL, in bytes. Node cuts a longer path without a word. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** A folder that all Pods share, absolute; or why there is none, in words for a person. */
export type SharedFolder =
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'none'; readonly says: string };

/** `$PODD_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/podd`, else `~/.podd/run`. An empty variable counts as unset. */
export function runtimeRoot(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): SharedFolder {
  const own = env['PODD_RUNTIME_DIR'] ?? '';
  if (own !== '') return absolute('PODD_RUNTIME_DIR', own, '');
  const shared = env['XDG_RUNTIME_DIR'] ?? '';
  if (shared !== '') return absolute('XDG_RUNTIME_DIR', shared, '/podd');
  if (home !== '') return absolute('HOME', home, '/.podd/run');
  return {
    kind: 'none',
    says: 'there is no home folder; set PODD_RUNTIME_DIR to an absolute path',
  };
}

/** The folder of what outlives Pods: `$PODD_STATE_DIR`, else `$XDG_STATE_HOME/podd`, else `~/.local/state/podd`. */
export function stateRoot(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): SharedFolder {
  const own = env['PODD_STATE_DIR'] ?? '';
  if (own !== '') return absolute('PODD_STATE_DIR', own, '');
  const shared = env['XDG_STATE_HOME'] ?? '';
  if (shared !== '') return absolute('XDG_STATE_HOME', shared, '/podd');
  if (home !== '') return absolute('HOME', home, '/.local/state/podd');
  return { kind: 'none', says: 'there is no home folder; set PODD_STATE_DIR to an absolute path' };
}

/** The folder of what the user configures for all Pods: `$XDG_CONFIG_HOME/podd`, else `~/.config/podd`. */
export function configRoot(
  env: Readonly<Record<string, string | undefined>>,
  home: string,
): SharedFolder {
  const shared = env['XDG_CONFIG_HOME'] ?? '';
  if (shared !== '') return absolute('XDG_CONFIG_HOME', shared, '/podd');
  if (home !== '') return absolute('HOME', home, '/.config/podd');
  return {
    kind: 'none',
    says: 'there is no home folder; set XDG_CONFIG_HOME to an absolute path',
  };
}

/** The socket of the Pod of that name. */
export function socketOf(runtimeRootPath: string, podName: string): string {
  return `${runtimeRootPath}/${podName}/sock`;
}

function absolute(name: string, path: string, below: string): SharedFolder {
  if (!path.startsWith('/'))
    return { kind: 'none', says: `${name} is "${path}", but it has to be an absolute path` };
  const trimmed = path.replace(/\/+$/, '') + below;
  return { kind: 'found', path: trimmed === '' ? '/' : trimmed };
}
