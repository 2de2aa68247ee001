import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { expectSound } from '../support/expect-sound.ts';
import { startFixture } from '../support/fixture-process.ts';
import { RSS_IS_WHAT_IS_HELD, settledMemory } from '../support/settled-memory.ts';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';

const TEXT = 'All work and no play makes a dull Pod. '.repeat(60);
const SCRIPT = `loop = true\n[[steps]]\ntext = "${TEXT}"\nchunk_bytes = 9\ndelay_ms = 12\n`;
/** What may be left of one, on average: its share of what the runs leave, which they do all along. */
const LEFT_BYTES_EACH = 256;
/** Three times what is promised: a tenth of it is what the heap needs to come to its size. */
const MESSAGES = 3_000;

/** Runs one after the other until told to stop; each is told whole, delta by delta. */
async function runAllAlong(client: WireClient, going: () => boolean): Promise<number> {
  await client.call('Subscribe');
  let runs = 0;
  while (going()) {
    const from = client.events.length;
    const report = await client.call('Run', { input: `run ${runs}` });
    expect(report).toMatchObject({ outcome: 'finished', text: TEXT });
    const events = client.events.slice(from);
    let shown = '';
    for (const { event, data } of events) {
      expect(event).not.toBe('lagged');
      if (event !== 'text_delta') continue;
      expect(data['offset']).toBe(shown.length);
      shown += String(data['text']);
    }
    expect(shown).toBe(TEXT);
    const done = events.filter(({ event }) => event === 'text_done');
    expect(done.map(({ data }) => data['text'])).toEqual([TEXT]);
    runs += 1;
  }
  return runs;
}

/** Asks all along, and answers how long each answer took, in ms. */
async function askAllAlong(client: WireClient, going: () => boolean): Promise<number[]> {
  const tookMs: number[] = [];
  while (going()) {
    const begun = performance.now();
    await client.call('GetStatus');
    tookMs.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return tookMs;
}

type Status = { connections: number };

/** Looks until only as many connections are left; answers how many there are at the end of its patience. */
async function connectionsLeft(client: WireClient, expected: number): Promise<number> {
  const end = Date.now() + deadline(3_000);
  for (;;) {
    const { connections } = (await client.call('GetStatus')) as Status;
    if (connections === expected || Date.now() > end) return connections;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test(
  'PROTO-2, PROTO-4, PROTO-9, INV-12: 3,000 pieces of garbage and 3,000 clients that vanish harm nobody and leave nothing',
  async () => {
    const seed = Number(process.env['PODD_TEST_SEED'] ?? Date.now() % 1_000_000);
    console.info(`garbage seed ${seed}`);
    await using fixture = await bundleFixture('rude-clients.ts');
    await using pod = new TempPod({ script: SCRIPT, env: RSS_IS_WHAT_IS_HELD });
    await pod.start();
    using good = await pod.client();
    using asks = await pod.client();
    let going = true;
    const runs = runAllAlong(good, () => going);
    // Its failure is told when it is awaited below.
    runs.catch(() => undefined);

    /** Answers how long each GetStatus took meanwhile. */
    const trouble = async (count: number, at: number): Promise<number[]> => {
      await using rude = startFixture(fixture.path, [pod.socket, String(at), String(count)]);
      let isOver = false;
      const tookMs = askAllAlong(asks, () => !isOver);
      await Promise.race([rude.waitForLines(1), tookMs]);
      isOver = true;
      const all = await tookMs;
      // The rude have gone; what they sent is still being read. What is left are the good one and the one that asks.
      expect(await connectionsLeft(asks, 2)).toBe(2);
      return all;
    };
    const atFirst = await trouble(MESSAGES / 10, seed);
    const afterTenth = await settledMemory(pod, asks);
    const then = await trouble((MESSAGES * 9) / 10, seed + 1);
    const afterAll = await settledMemory(pod, asks);

    going = false;
    expect(await runs).toBeGreaterThan(1);
    const tookMs = [...atFirst, ...then].sort((a, b) => a - b);
    const nearlyAllMs = tookMs[Math.floor(tookMs.length * 0.95)] ?? 0;
    const slowestMs = tookMs.at(-1) ?? 0;
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    console.info(
      `rss ${mib(afterTenth.rssBytes)} → ${mib(afterAll.rssBytes)} MiB, held ${mib(afterTenth.heldBytes)} → ${mib(afterAll.heldBytes)}; of ${tookMs.length} GetStatus 95 % within ${nearlyAllMs.toFixed(0)} ms, all within ${slowestMs.toFixed(0)} ms`,
    );
    expect(afterAll.rssBytes).toBeLessThanOrEqual(afterTenth.rssBytes * 1.05);
    const leftBytes = afterAll.heldBytes - afterTenth.heldBytes;
    expect(leftBytes).toBeLessThan(((MESSAGES * 9) / 10) * LEFT_BYTES_EACH);
    expect(nearlyAllMs).toBeLessThan(deadline(100));
    // What comes later than that waited for a processor: daemon, rude clients and this test share two.
    expect(slowestMs).toBeLessThan(deadline(500));
    await expectSound(pod, good, asks);
  },
  deadline(60_000),
);
