import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TempPod } from './temp-pod.ts';
import { until } from './until.ts';
import type { WireClient } from './wire-client.ts';

/**
 * RSS as it is asked for is mostly the allocator's: glibc keeps what was freed, and how much of it is chance (150 to
 * 170 MiB here). Told to give it back, and with the garbage collected, RSS is what the daemon really holds.
 */
export const RSS_IS_WHAT_IS_HELD = {
  // The young generation has one size then, whatever it was before.
  NODE_OPTIONS: `--max-semi-space-size=2 --require ${new URL('../fixtures/collect-garbage.cjs', import.meta.url).pathname}`,
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '0',
};

const ROUNDS_WITHOUT_LESS = 4;

type SettledMemory = {
  readonly rssBytes: number;
  /** Its heap and its buffers: without Node itself, which is most of RSS. */
  readonly heldBytes: number;
};

/**
 * The memory that the Pod comes to when its garbage is collected, which it does in its own time else. What it still
 * does for other clients counts: whoever compares waits for their end first.
 */
export async function settledMemory(pod: TempPod, client: WireClient): Promise<SettledMemory> {
  const notes = join(pod.folder, 'held-bytes');
  const noted = (): number[] =>
    existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').slice(0, -1).map(Number) : [];
  let least = { rssBytes: Number.POSITIVE_INFINITY, heldBytes: Number.POSITIVE_INFINITY };
  // Threads of V8's give pages back when they get to it.
  for (let sinceLess = 0; sinceLess < ROUNDS_WITHOUT_LESS; sinceLess += 1) {
    const before = noted().length;
    pod.signal('SIGUSR2');
    await until(() => noted().length > before, 'a collection of garbage');
    const { rssBytes } = (await client.call('GetStatus')) as { rssBytes: number };
    if (rssBytes < least.rssBytes) sinceLess = 0;
    least = {
      rssBytes: Math.min(least.rssBytes, rssBytes),
      heldBytes: Math.min(least.heldBytes, noted().at(-1) ?? 0),
    };
  }
  return least;
}
