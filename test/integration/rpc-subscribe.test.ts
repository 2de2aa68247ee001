import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EventName } from '../../protocol/events.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import { EPOCH, numbered, textDelta } from '../support/hub-events.ts';
import { rpcBench } from '../support/rpc-bench.ts';
import { until } from '../support/until.ts';

describe('Subscribe', () => {
  test('PROTO-5: its answer comes before the first event, whatever is published meanwhile', async () => {
    await using bench = await rpcBench();
    // Publishes in every microtask from the request on.
    let going = true;
    let turn = 0;
    const publish = (): void => {
      if (turn >= 20_000 || !going) return;
      bench.hub.publish([numbered((turn += 1))]);
      bench.hub.delta(textDelta(turn, 'x'));
      queueMicrotask(publish);
    };
    const view = bench.pod.view;
    Object.assign(bench.pod, {
      view: () => {
        queueMicrotask(publish);
        setImmediate(() => (going = false));
        return view();
      },
    });
    using client = await bench.client();
    const answer = await client.call('Subscribe');
    await client.event('turn_start', ({ seq }) => seq === 20_000);
    expect(client.lines[0]).toContain('"result"');
    expect(client.events[0]?.seq).toBe(Number(answer['seq']) + 1);
    const numbers = client.events.filter(({ event }) => event === 'turn_start');
    expect(numbers.map(({ seq }) => seq)).toEqual(
      Array.from({ length: 20_000 }, (_, index) => index + 1),
    );
  });

  test('PROTO-10: what is replayed comes right after the answer, then what is new', async () => {
    await using bench = await rpcBench();
    for (let turn = 1; turn <= 5; turn += 1) bench.hub.publish([numbered(turn)]);
    using client = await bench.client();
    const answer = await client.call('Subscribe', { after: { epoch: EPOCH, seq: 2 } });
    expect(answer).toMatchObject({ epoch: EPOCH, seq: 5, missed: 0, reset: false });
    bench.hub.publish([numbered(6)]);
    await client.event('turn_start', ({ seq }) => seq === 6);
    expect(client.events.map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    expect(client.lines[0]).toContain('"result"');
  });

  test('PROTO-10: no event is seen twice or out of order by a client that loses its connection again and again', async () => {
    await using bench = await rpcBench();
    let published = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 300 }), { maxLength: 12 }), async (bursts) => {
        const first = published;
        const seen: number[] = [];
        for (const burst of bursts) {
          using client = await bench.client();
          const answer = client.ask('Subscribe', {
            after: { epoch: EPOCH, seq: seen.at(-1) ?? first },
          });
          for (let count = 0; count < burst; count += 1)
            bench.hub.publish([numbered((published += 1))]);
          expect((await answer).result).toMatchObject({ missed: 0, reset: false });
          // Whatever has come by now; the connection is lost then.
          seen.push(...client.events.map(({ seq }) => seq));
        }
        using last = await bench.client();
        await last.call('Subscribe', { after: { epoch: EPOCH, seq: seen.at(-1) ?? first } });
        bench.hub.publish([numbered((published += 1))]);
        await last.event('turn_start', ({ seq }) => seq === published);
        seen.push(...last.events.map(({ seq }) => seq));
        expect(seen).toEqual(
          Array.from({ length: published - first }, (_, index) => first + index + 1),
        );
      }),
      { numRuns: 20 },
    );
  });

  test('INV-9: what is in flight and the deltas after it make the whole text', async () => {
    await using bench = await rpcBench();
    const text = 'The quick brown fox jumps over the lazy dog';
    bench.hub.delta(textDelta(0, text.slice(0, 10)));
    using client = await bench.client();
    const answer = client.call('Subscribe');
    // Deltas go on while the client is being let in.
    let at = 10;
    while (at < text.length) {
      bench.hub.delta(textDelta(at, text.slice(at, at + 1)));
      at += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { inFlight } = (await answer) as { inFlight: { text: string; block: number }[] };
    bench.hub.publish([{ event: 'text_done', data: { block: 1, text } }]);
    await client.event('text_done');
    let shown = inFlight[0]?.text ?? '';
    for (const { event, data } of client.events) {
      if (event !== 'text_delta') continue;
      expect(data['offset']).toBe(shown.length);
      shown += String(data['text']);
    }
    expect(shown).toBe(text);
    const late = await client.call('Subscribe');
    expect(late['inFlight']).toEqual([]);
  });

  test('PROTO-5: a filter lets through what it names; an Unsubscribe ends all', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    await client.call('Subscribe', { events: ['queue'] satisfies EventName[] });
    bench.hub.publish([numbered(1), { event: 'queue', data: { waiting: 1 } }]);
    await client.event('queue');
    expect(client.events).toHaveLength(1);
    await client.call('Unsubscribe');
    bench.hub.publish([{ event: 'queue', data: { waiting: 2 } }]);
    await client.call('GetStatus');
    expect(client.events).toHaveLength(1);
  });

  test('PROTO-12: a reader that is behind loses deltas, is told so, then loses its connection; nobody else does', async () => {
    await using bench = await rpcBench();
    using slow = await bench.client();
    using quick = await bench.client();
    await slow.call('Subscribe');
    await quick.call('Subscribe');
    slow.socket.pause();
    const text = 'x'.repeat(64 * 1024);
    let offset = 0;
    const rss = process.memoryUsage().rss;
    // 64 MiB of deltas: what is held of them for the slow one is 4 MiB.
    for (let count = 0; count < 1024; count += 1) {
      bench.hub.delta(textDelta(offset, text));
      offset += text.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().rss - rss).toBeLessThan(400 * 1024 * 1024);
    slow.socket.resume();
    bench.hub.publish([numbered(1)]);
    await slow.event('turn_start');
    const lagged = slow.events.find(({ event }) => event === 'lagged');
    const had = slow.events.filter(({ event }) => event === 'text_delta').length;
    expect(had * text.length).toBeLessThan(LIMITS.unsentDeltaBytes + 4 * 1024 * 1024);
    expect(lagged?.data['missed']).toBe(1024 - had);

    slow.socket.pause();
    const done = 'y'.repeat(1024 * 1024);
    for (let block = 2; block < 42; block += 1) {
      bench.hub.publish([{ event: 'text_done', data: { block, text: done } }]);
      await quick.event('text_done', ({ data }) => data['block'] === block);
    }
    await until(() => bench.server.connections() === 1, 'the slow one is gone');
    expect(bench.log.map(({ text: said }) => said)).toContain(
      'a client was disconnected: it was too far behind',
    );
    const blocks = quick.events.filter(({ event }) => event === 'text_done');
    expect(blocks).toHaveLength(40);
    expect(await quick.call('GetStatus')).toMatchObject({ connections: 1 });
  });
});
