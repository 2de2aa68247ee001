import { deadline } from './slowness.ts';
import type { TempPod } from './temp-pod.ts';
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

/** The memory that the Pod comes to when its garbage is collected, which it does in its own time else. */
export async function settledRss(pod: TempPod, client: WireClient): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round += 1) {
    pod.signal('SIGUSR2');
    await new Promise((resolve) => setTimeout(resolve, deadline(400)));
    const { rssBytes } = (await client.call('GetStatus')) as { rssBytes: number };
    least = Math.min(least, rssBytes);
  }
  return least;
}
