import { join } from 'node:path';
import type { Environment } from '../../protocol/paths.ts';
import { runtimeRoot, socketPath, stateRoot } from '../../protocol/paths.ts';
import { ok, type Result } from '../core/result.ts';

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

/** Pure. The refusal names the variable that is no absolute path. */
export function resolvePaths(
  env: Environment,
  home: string,
  podName: string,
): Result<PodPaths, string> {
  const runtimes = runtimeRoot(env, home);
  const states = stateRoot(env, home);
  if (!runtimes.ok) return runtimes;
  if (!states.ok) return states;
  const runtime = join(runtimes.value, podName);
  const state = join(states.value, 'pods', podName);
  return ok({
    runtimeRoot: runtimes.value,
    runtime,
    socket: socketPath(runtimes.value, podName),
    pid: join(runtime, 'pid'),
    status: join(runtime, 'status.json'),
    manifest: join(runtime, 'manifest.toml'),
    stateRoot: states.value,
    state,
    db: join(state, 'db'),
    sessions: join(state, 'sessions'),
    spool: join(state, 'spool'),
    log: join(state, 'podd.log'),
  });
}
