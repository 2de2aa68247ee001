import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { openClient, type ReconnectingClient } from '../../client/reconnecting-client.ts';
import type { Item } from '../../protocol/items.ts';
import { CutRelay } from '../support/cut-relay.ts';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SCRIPT = `
loop = true
[[steps]]
reasoning = "hm, {{input}}"
text = "${'I write it down, word by word. '.repeat(8)}"
chunk_bytes = 6
delay_ms = 5
tool_calls = [{ name = "Write", arguments = { file_path = "{{workspace}}/a.txt", content = "{{input}} " } }]
[[steps]]
text = "${'And then I read it. '.repeat(8)}"
chunk_bytes = 5
delay_ms = 5
tool_calls = [{ name = "Read", arguments = { file_path = "{{workspace}}/a.txt" } }]
[[steps]]
text = "It said: {{last_result}}"
`;

/** Whoever draws a Pod: what it is told by events, and what a gap hid of the history. */
class Watcher {
  /** Texts and results as `text_done` and `tool_result` told them. */
  readonly told: string[] = [];
  readonly items: Item[] = [];
  readonly streamed = new Map<string, string>();
  gaps = 0;
  readonly ended = new Set<string>();
  readonly #client: ReconnectingClient;
  readonly #places: string[] = [];

  constructor(client: ReconnectingClient) {
    this.#client = client;
  }

  async watch(stream: ReturnType<ReconnectingClient['events']>): Promise<void> {
    for await (const event of stream) {
      const { epoch, seq } = event;
      if (event.event === 'gap') {
        this.gaps += 1;
        await this.#fill();
        continue;
      }
      if (event.event === 'text_delta') {
        const key = `${epoch} ${event.data.block}`;
        const before = this.streamed.get(key) ?? '';
        expect(event.data.offset).toBe(before.length);
        this.streamed.set(key, before + event.data.text);
        continue;
      }
      if (event.event.endsWith('_delta') || event.event === 'lagged') continue;
      this.#places.push(`${epoch} ${String(seq).padStart(8, '0')}`);
      if (event.event === 'text_done') this.told.push(event.data.text);
      if (event.event === 'tool_result') this.told.push(event.data.summary);
      if (event.event === 'run_end') this.ended.add(event.data.runId);
      if (event.event === 'history')
        for (const [at, item] of event.data.items.entries())
          this.items[event.data.from + at] = item;
    }
  }

  /** Each event once, and in order. */
  expectOrder(): void {
    expect(this.#places).toEqual([...new Set(this.#places)].sort());
  }

  async #fill(): Promise<void> {
    for (let from: number | undefined = this.items.length; from !== undefined; ) {
      try {
        const page: { items: Item[]; next?: number | undefined } = await this.#client.getHistory({
          from,
        });
        for (const [at, item] of page.items.entries()) this.items[from + at] = item;
        from = page.next;
      } catch {
        await this.#client.untilConnected();
      }
    }
  }
}

function sha256(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** What a transcript has of what `text_done` and `tool_result` tell. */
function saidIn(items: readonly Item[]): string[] {
  return items.flatMap((item) => {
    if (item.type === 'tool_result') return [item.summary];
    if (item.type !== 'message' || item.role !== 'assistant') return [];
    return item.content.map((part) => ('text' in part ? part.text : part.refusal));
  });
}

describe('a watcher that is disconnected every 50 ms', () => {
  test(
    'CLI-1 PROTO-10: it has the same SHA-256 of texts and results as one that watched all along, across kill -9',
    async () => {
      await using pod = new TempPod({ script: SCRIPT });
      await pod.start();
      await using relay = await CutRelay.listen(pod.socket, pod.folder);
      const redialMs = deadline(20_000);
      await using steady = await openClient(pod.socket, { redialMs });
      await using shaky = await openClient(relay.socket, { redialMs });
      const [whole, cut] = [new Watcher(steady), new Watcher(shaky)];
      const streams = [steady.events(), shaky.events()] as const;
      await Promise.all(streams.map(({ ready }) => ready));
      const watched = [whole.watch(streams[0]), cut.watch(streams[1])];
      const bothSaw = async (runId: string): Promise<void> => {
        await until(() => whole.ended.has(runId) && cut.ended.has(runId), `the end of ${runId}`);
      };
      relay.cutEvery(50);

      for (const input of ['one', 'two']) await bothSaw((await steady.run({ input })).runId);
      expect(relay.cuts).toBeGreaterThan(5);
      expect(whole.told).toHaveLength(10);
      expect(sha256(cut.told)).toBe(sha256(whole.told));
      expect([whole.gaps, cut.gaps]).toEqual([0, 0]);
      expect(cut.streamed.size).toBeGreaterThan(0);

      const third = await steady.run({ input: 'three', wait: 'accepted' });
      const before = whole.told.length;
      await until(() => whole.told.length > before + 1, 'the third run is under way');
      await pod.kill9();
      await pod.start();
      await steady.untilConnected();
      const resumed = await steady.resume();
      expect(resumed.continues).toBe('runId' in third ? third.runId : '');
      await bothSaw(resumed.runId);
      relay.leaveAlone();

      const page = await steady.getHistory();
      expect(page.next).toBeUndefined();
      const truth = sha256(saidIn(page.items));
      await until(() => cut.items.length === page.total, 'the transcript is whole');
      expect(sha256(saidIn(whole.items))).toBe(truth);
      expect(sha256(saidIn(cut.items))).toBe(truth);
      expect([whole.gaps, cut.gaps]).toEqual([1, 1]);
      for (const watcher of [whole, cut]) watcher.expectOrder();
      await Promise.all(streams.map((stream) => stream.return()));
      await Promise.all(watched);
    },
    deadline(60_000),
  );
});
