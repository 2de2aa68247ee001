import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { deadline } from './slowness.ts';
import type { TempPod } from './temp-pod.ts';
import { PODD } from './temp-pod.ts';

export type PoddEnd = { readonly code: number | null; readonly says: string; readonly out: string };

/** Runs a podd that is expected to end by itself, in the Pod's surroundings; without `args`, with its manifest. */
export function endOfPodd(
  pod: TempPod,
  args: readonly string[] = ['--manifest', join(pod.folder, 'pod.toml')],
  changes: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string | undefined>>;
  } = {},
): PoddEnd {
  const { status, stderr, stdout } = spawnSync(process.execPath, [PODD, ...args], {
    cwd: changes.cwd ?? pod.workspace,
    env: { ...pod.env(), ...changes.env },
    encoding: 'utf8',
    timeout: deadline(30_000),
  });
  return { code: status, says: stderr, out: stdout };
}
