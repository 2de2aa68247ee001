import type { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';
import type { Acknowledged } from './acknowledged.ts';

/**
 * Puts a program under strace, which kills it as it enters its `nth` call of that group. strace counts per thread, so
 * the Pod gets one pool thread; and it counts each call of its own, so a group is one call by its names on other
 * machines. `--seccomp-bpf` would inject nothing: whoever uses this asserts that the death happened.
 */
export function killAt(group: CallGroup, nth: number): readonly string[] {
  const calls = CALL_GROUPS[group].map((name) => `?${name}`).join(',');
  return [
    'strace',
    ...['-f', '-qq', '-o', '/dev/null', '-e', 'signal=none', '-e', `trace=${calls}`],
    ...['-e', `inject=${calls}:signal=SIGKILL:when=${nth}`],
  ];
}

export const CALL_GROUPS = {
  fdatasync: ['fdatasync'],
  fsync: ['fsync'],
  rename: ['rename', 'renameat', 'renameat2'],
  link: ['link', 'linkat'],
  unlink: ['unlink', 'unlinkat'],
} as const;
export type CallGroup = keyof typeof CALL_GROUPS;

export const ONE_THREAD = { UV_THREADPOOL_SIZE: '1' };

/**
 * Lives through `life` until that is over or the Pod dies; answers how the process ended. What breaks otherwise is
 * thrown: a Pod that still runs is no death.
 */
export async function liveUntilDeath(
  pod: TempPod,
  told: Acknowledged,
  options: {
    readonly under?: readonly string[];
    readonly life: (client: WireClient) => Promise<void>;
  },
): Promise<number | NodeJS.Signals> {
  let client: WireClient | undefined;
  try {
    await pod.start(options.under ?? []);
    client = await pod.client();
    await options.life(client);
  } catch (error) {
    if (!isDeath(error)) throw error;
    const end = await pod.exit().catch(() => 'it lives');
    if (end !== 'SIGKILL') throw error;
  }
  const end = await pod.exit();
  if (client !== undefined) {
    // What the Pod sent before it died may still be on its way.
    await client.untilEnded();
    told.add(client);
    client[Symbol.dispose]();
  }
  return end;
}

/** Several that live until the Pod dies. Waits for all of them, so that what they were told is known. */
export async function allUntilDeath(lives: readonly Promise<unknown>[]): Promise<void> {
  const ends = await Promise.allSettled(lives);
  const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [toError(end.reason)] : []));
  const worst = reasons.find((reason) => !isDeath(reason)) ?? reasons[0];
  if (worst !== undefined) throw worst;
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** A broken connection is what a death looks like; an error answer or a failed assertion is not. */
function isDeath(error: unknown): boolean {
  if (!(error instanceof Error) || error.name === 'AssertionError') return false;
  return !('code' in error && typeof error.code === 'number');
}
