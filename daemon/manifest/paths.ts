import { join, normalize } from 'node:path';
import { configRoot, runtimeRoot, socketOf, stateRoot } from '../../protocol/paths.ts';
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
  // Clients look there by the same rules, so they stand in protocol/.
  const runtimes = runtimeRoot(env, home);
  if (runtimes.kind === 'none') return refuse(runtimes.says);
  const states = stateRoot(env, home);
  if (states.kind === 'none') return refuse(states.says);
  const config = configFolder(env, home);
  if (!config.ok) return config;
  const root = normalize(runtimes.path);
  const runtime = join(root, podName);
  const stateFolder = normalize(states.path);
  const state = join(stateFolder, 'pods', podName);
  return ok({
    runtimeRoot: root,
    runtime,
    socket: socketOf(root, podName),
    pid: join(runtime, 'pid'),
    status: join(runtime, 'status.json'),
    manifest: join(runtime, 'manifest.toml'),
    stateRoot: stateFolder,
    state,
    db: join(state, 'db'),
    sessions: join(state, 'sessions'),
    spool: join(state, 'spool'),
    log: join(state, 'podd.log'),
    config: config.value,
  });
}

/** The folder of what the user configures for all Pods; null without a home. An empty variable counts as unset. */
export function configFolder(env: Environment, home: string): Result<string | null, string> {
  if ((env['XDG_CONFIG_HOME'] ?? '') === '' && home === '') return ok(null);
  // podctl writes there what podd reads, so the rule stands in protocol/.
  const root = configRoot(env, home);
  return root.kind === 'none' ? refuse(root.says) : ok(normalize(root.path));
}
