import { isAbsolute, join } from 'node:path';
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
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Pure. An empty variable counts as unset; the refusal names the variable that is no absolute path. */
export function resolvePaths(
  env: Environment,
  home: string,
  podName: string,
): Result<PodPaths, string> {
  const runtimeRoot = findRoot(env, home, {
    own: 'PODD_RUNTIME_DIR',
    shared: 'XDG_RUNTIME_DIR',
    inHome: '.podd/run',
  });
  const stateRoot = findRoot(env, home, {
    own: 'PODD_STATE_DIR',
    shared: 'XDG_STATE_HOME',
    inHome: '.local/state/podd',
  });
  if (!runtimeRoot.ok) return runtimeRoot;
  if (!stateRoot.ok) return stateRoot;
  const runtime = join(runtimeRoot.value, podName);
  const state = join(stateRoot.value, 'pods', podName);
  return ok({
    runtimeRoot: runtimeRoot.value,
    runtime,
    socket: join(runtime, 'sock'),
    pid: join(runtime, 'pid'),
    status: join(runtime, 'status.json'),
    manifest: join(runtime, 'manifest.toml'),
    stateRoot: stateRoot.value,
    state,
    db: join(state, 'db'),
    sessions: join(state, 'sessions'),
    spool: join(state, 'spool'),
    log: join(state, 'podd.log'),
  });
}

type Places = { readonly own: string; readonly shared: string; readonly inHome: string };

function findRoot(env: Environment, home: string, places: Places): Result<string, string> {
  const own = env[places.own] ?? '';
  if (own !== '') return absolute(places.own, own, '');
  const shared = env[places.shared] ?? '';
  if (shared !== '') return absolute(places.shared, shared, 'podd');
  if (home === '') return refuse(`there is no home folder; set ${places.own} to an absolute path`);
  return absolute('HOME', home, places.inHome);
}

function absolute(name: string, path: string, below: string): Result<string, string> {
  if (!isAbsolute(path)) return refuse(`${name} is "${path}", but it has to be an absolute path`);
  return ok(join(path, below));
}
