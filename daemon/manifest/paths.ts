import { isAbsolute, join, normalize } from 'node:path';
import { configRoot, runtimeRoot, socketOf } from '../../protocol/paths.ts';
import { ok, refuse, type Result } from '../core/result.ts';

/** Where a Pod keeps what: `runtime` goes with the process, `state` stays. All absolute. */
export type PodPaths = {
  readonly runtimeRoot: string;
  readonly runtime: string;
  readonly socket: string;
  readonly pid: string;
  readonly status: string;
  readonly manifest: string;
  readonly stateRoot: string;
  readonly state: string;
  readonly db: string;
  readonly sessions: string;
  readonly spool: string;
  readonly log: string;
  /** What the user configures for all Pods. Null without a home folder. */
  readonly config: string | null;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Pure. An empty variable counts as unset; the refusal names the variable that is no absolute path. */
export function resolvePaths(
  env: Environment,
  home: string,
  podName: string,
): Result<PodPaths, string> {
  // Clients look for sockets by the same rule, so it stands in protocol/.
  const runtimes = runtimeRoot(env, home);
  if (runtimes.kind === 'none') return refuse(runtimes.says);
  const states = stateRoot(env, home);
  if (!states.ok) return states;
  const config = configFolder(env, home);
  if (!config.ok) return config;
  const root = normalize(runtimes.path);
  const runtime = join(root, podName);
  const state = join(states.value, 'pods', podName);
  return ok({
    runtimeRoot: root,
    runtime,
    socket: socketOf(root, podName),
    pid: join(runtime, 'pid'),
    status: join(runtime, 'status.json'),
    manifest: join(runtime, 'manifest.toml'),
    stateRoot: states.value,
    state,
    db: join(state, 'db'),
    sessions: join(state, 'sessions'),
    spool: join(state, 'spool'),
    log: join(state, 'podd.log'),
    config: config.value,
  });
}

function stateRoot(env: Environment, home: string): Result<string, string> {
  const own = env['PODD_STATE_DIR'] ?? '';
  if (own !== '') return absolute('PODD_STATE_DIR', own, '');
  const shared = env['XDG_STATE_HOME'] ?? '';
  if (shared !== '') return absolute('XDG_STATE_HOME', shared, 'podd');
  if (home === '') return refuse('there is no home folder; set PODD_STATE_DIR to an absolute path');
  return absolute('HOME', home, '.local/state/podd');
}

/** The folder of what the user configures for all Pods; null without a home. An empty variable counts as unset. */
export function configFolder(env: Environment, home: string): Result<string | null, string> {
  if ((env['XDG_CONFIG_HOME'] ?? '') === '' && home === '') return ok(null);
  // podctl writes there what podd reads, so the rule stands in protocol/.
  const root = configRoot(env, home);
  return root.kind === 'none' ? refuse(root.says) : ok(normalize(root.path));
}

function absolute(name: string, path: string, below: string): Result<string, string> {
  if (!isAbsolute(path)) return refuse(`${name} is "${path}", but it has to be an absolute path`);
  return ok(join(path, below));
}
