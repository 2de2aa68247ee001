import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { expectSound } from '../support/expect-sound.ts';
import { RSS_IS_WHAT_IS_HELD, settledMemory } from '../support/settled-memory.ts';
import { TempPod } from '../support/temp-pod.ts';
import { numbersOf, transcriptHash } from '../support/transcript.ts';
import { until } from '../support/until.ts';
import { WireClient, type WireEvent } from '../support/wire-client.ts';

/** More in pieces than a reader may be behind, and less in whole texts. */
const LONG = 'words that come in pieces of sixteen '.repeat(6_000);
const STORY = `
[[steps]]
reasoning = "I write it down."
text = "${LONG}"
chunk_bytes = 16
tool_calls = [
  { name = "Write", arguments = { file_path = "{{workspace}}/a", content = "one" } },
  { name = "Write", arguments = { file_path = "{{workspace}}/b", content = "two" } },
]
[[steps]]
text = "${LONG}"
chunk_bytes = 16
tool_calls = [{ name = "Read", arguments = { file_path = "{{workspace}}/a" } }]
[[steps]]
text = "It is done. ${LONG}"
chunk_bytes = 16
`;

const ended = (events: readonly WireEvent[]): boolean =>
  events.some(({ event }) => event === 'run_end');

/** Comes back every 50 ms, and goes on where it was. Answers all that it saw. */
async function comeAndGo(pod: TempPod): Promise<{ events: WireEvent[]; visits: number }> {
  const events: WireEvent[] = [];
  let visits = 0;
  while (!ended(events)) {
    const last = numbersOf(events).at(-1) ?? 0;
    const epoch = events[0]?.epoch ?? pod.ready?.epoch ?? 0;
    using client = await pod.client();
    const answer = await client.call('Subscribe', { after: { epoch, seq: last } });
    expect(answer).toMatchObject({ missed: 0, reset: false });
    visits += 1;
    const over = performance.now() + 50;
    while (performance.now() < over && !ended(client.events))
      await new Promise((resolve) => setTimeout(resolve, 5));
    events.push(...client.events);
  }
  return { events, visits };
}

describe('watchers of one run', () => {
  test('PROTO-10 PROTO-12: two from the start, one late, one that comes and goes, one that does not read: one transcript', async () => {
    await using pod = new TempPod({ script: STORY });
    const { epoch } = await pod.start();
    using first = await pod.client();
    using second = await pod.client();
    using slow = await pod.client();
    using late = await pod.client();
    for (const watcher of [first, second, slow]) await watcher.call('Subscribe');
    slow.socket.pause();
    const visitor = comeAndGo(pod);
    const report = first.call('Run', { input: 'tell' });
    await second.event('tool_result');
    // From the beginning, by the ring; what is in flight comes with the answer.
    await late.call('Subscribe', { after: { epoch, seq: 0 } });
    expect(await report).toMatchObject({ outcome: 'finished' });
    // Whoever reads is not kept waiting by the one that doesn't.
    await first.event('run_end');
    slow.socket.resume();
    for (const watcher of [second, slow, late]) await watcher.event('run_end');
    const { events: visited, visits } = await visitor;
    expect(visits).toBeGreaterThan(2);
    const all = [first.events, second.events, slow.events, late.events, visited];
    const hashes = all.map(transcriptHash);
    expect(hashes).toEqual(hashes.map(() => hashes[0]));
    for (const events of all) {
      const numbers = numbersOf(events);
      // Each once, in order, none left out.
      const from = numbers[0] ?? 0;
      expect(numbers).toEqual(numbers.map((_, index) => from + index));
    }
    expect(slow.events.some(({ event }) => event === 'lagged')).toBe(true);
    await expectSound(pod, first, second, late);
  });
});

describe('a client that only asks', () => {
  test('PROTO-1 INV-12: 10,000 polls, each on a connection of its own, leave descriptors and memory as they were', async () => {
    await using pod = new TempPod({
      script: 'loop = true\n[[steps]]\ntext = "x"\n',
      env: RSS_IS_WHAT_IS_HELD,
    });
    await pod.start();
    using client = await pod.client();
    await client.call('Run', { input: 'once' });
    const descriptors = (): number => readdirSync(`/proc/${pod.pid}/fd`).length;
    const poll = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 20)
        await Promise.all(
          Array.from({ length: 20 }, async () => {
            using poller = await WireClient.open(pod.socket);
            await poller.call('GetStatus');
          }),
        );
    };
    await poll(1_000);
    const before = { open: descriptors(), memory: await settledMemory(pod, client) };
    await poll(9_000);
    await until(() => descriptors() <= before.open, 'the end of all connections');
    const after = await settledMemory(pod, client);
    expect(after.rssBytes / before.memory.rssBytes).toBeLessThanOrEqual(1.05);
    expect(await client.call('GetStatus')).toMatchObject({ connections: 1 });
    await expectSound(pod, client);
  });
});
