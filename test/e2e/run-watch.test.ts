import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { Status } from '../../protocol/status.ts';
import { expectSound } from '../support/expect-sound.ts';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';

const text = 'The quick brown fox jumps over the lazy dog. '.repeat(12);
const SLOW = `loop = true\n[[steps]]\ntext = "${text}"\nchunk_bytes = 3\ndelay_ms = 3\n`;
const LOOP = 'loop = true\n[[steps]]\nreasoning = "hm"\ntext = "yes"\n';

async function started(script: string): Promise<TempPod> {
  const pod = new TempPod({ script });
  await pod.start();
  return pod;
}

type Page = { items: unknown[]; total: number; next?: number; seq: number; epoch: number };

describe('GetStatus', () => {
  test('PROTO-9: it fits its schema at every moment of a run, and comes within 100 ms', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    using asks = await pod.client();
    await client.call('Subscribe');
    const slowest = { ms: 0 };
    const states = new Set<string>();
    const ask = async (): Promise<void> => {
      const begun = performance.now();
      const status = await asks.call('GetStatus');
      slowest.ms = Math.max(slowest.ms, performance.now() - begun);
      const parsed = v.parse(Status, status);
      states.add(`${parsed.state} ${parsed.phase ?? ''}`.trim());
      expect(parsed.run === undefined).toBe(parsed.state === 'idle');
    };
    await ask();
    const report = client.call('Run', { input: 'go' });
    while (!client.events.some(({ event }) => event === 'run_end')) await ask();
    await report;
    await ask();
    expect(slowest.ms).toBeLessThan(deadline(100));
    expect([...states]).toEqual(expect.arrayContaining(['idle', 'running streaming']));
    expect(await asks.call('GetStatus')).toMatchObject({
      state: 'idle',
      lastOutcome: 'finished',
      turnCount: 1,
      items: 2,
      connections: 2,
      interrupted: false,
    });
    await expectSound(pod, client, asks);
  });
});

describe('GetHistory', () => {
  test('PROTO-9: pages join, and all items come once', async () => {
    await using pod = await started(LOOP);
    using client = await pod.client();
    for (let run = 0; run < 7; run += 1) await client.call('Run', { input: `run ${run}` });
    const whole = (await client.call('GetHistory')) as Page;
    expect(whole).toMatchObject({
      from: 0,
      total: 21,
      greeting: { pod: 'p', provider: 'scripted' },
    });
    expect(whole.items).toHaveLength(21);
    expect(whole.next).toBeUndefined();
    const collected: unknown[] = [];
    let from: number | undefined = 0;
    while (from !== undefined) {
      const page = (await client.call('GetHistory', { from, limit: 4 })) as Page;
      expect(page.items.length).toBeLessThanOrEqual(4);
      collected.push(...page.items);
      from = page.next;
    }
    expect(collected).toEqual(whole.items);
    expect(await client.call('GetHistory', { from: 99 })).toMatchObject({ items: [], total: 21 });
    await expectSound(pod, client);
  });

  test('PROTO-10: history at seq n and the stream from n + 1 join, at any moment of a run', async () => {
    await using pod = await started(LOOP);
    using all = await pod.client();
    await all.call('Subscribe');
    const pages: Page[] = [];
    using asks = await pod.client();
    for (let run = 0; run < 10; run += 1) {
      const report = all.call('Run', { input: `run ${run}` });
      while (
        !all.events.some(
          ({ event, data }) =>
            event === 'run_end' &&
            data['outcome'] &&
            all.events.filter((one) => one.event === 'run_end').length > run,
        )
      )
        pages.push((await asks.call('GetHistory')) as Page);
      await report;
    }
    const { items } = (await asks.call('GetHistory')) as Page;
    for (const page of pages) {
      const joined = [...page.items];
      for (const { event, seq, data } of all.events) {
        if (event !== 'history' || seq <= page.seq) continue;
        expect(data['from']).toBe(joined.length);
        joined.push(...(data['items'] as unknown[]));
      }
      expect(joined).toEqual(items);
    }
    await expectSound(pod, all, asks);
  });

  test('PROTO-8: an unknown session is named as such', async () => {
    await using pod = await started(LOOP);
    using client = await pod.client();
    const { error } = await client.ask('GetHistory', { sessionId: 'nope' });
    expect(error).toMatchObject({ code: -32005, data: { code: 'unknown_session' } });
    const sessionId = pod.ready?.sessionId;
    expect(await client.call('GetHistory', { sessionId })).toMatchObject({ sessionId, total: 0 });
    await expectSound(pod, client);
  });
});

describe('Subscribe', () => {
  test('INV-9: a client that comes late sees what is in flight, and joins the stream', async () => {
    await using pod = await started(SLOW);
    using early = await pod.client();
    await early.call('Subscribe');
    const report = early.call('Run', { input: 'go' });
    await early.event('text_delta', ({ data }) => Number(data['offset']) > 60);
    using late = await pod.client();
    const answer = (await late.call('Subscribe')) as {
      state: string;
      phase: string;
      run: { id: string };
      inFlight: { block: number; kind: string; offset: number; text: string }[];
    };
    expect(answer).toMatchObject({ state: 'running', phase: 'streaming' });
    const [piece] = answer.inFlight;
    expect(piece).toMatchObject({ kind: 'text', offset: 0 });
    const done = await late.event('text_done');
    let shown = piece?.text ?? '';
    for (const { event, data } of late.events) {
      if (event !== 'text_delta') continue;
      expect(data).toMatchObject({ block: piece?.block, offset: shown.length });
      shown += String(data['text']);
    }
    expect(shown).toBe(text);
    expect(done.data).toMatchObject({ block: piece?.block, text });
    expect(await report).toMatchObject({ text, runId: answer.run.id });
    await expectSound(pod, early, late);
  });

  test('PROTO-10: a client that comes back gets what it missed, each event once', async () => {
    await using pod = await started(LOOP);
    using steady = await pod.client();
    const { epoch } = await steady.call('Subscribe');
    const seen: unknown[] = [];
    let seq = 0;
    for (let run = 0; run < 5; run += 1) {
      using client = await pod.client();
      const answer = await client.call('Subscribe', { after: { epoch, seq } });
      expect(answer).toMatchObject({ missed: 0, reset: false });
      await steady.call('Run', { input: `run ${run}` });
      // It goes away at an event in the middle.
      await client.event('text_done', (event) => event.seq > seq);
      const numbered = client.events.filter(({ event }) => !event.endsWith('_delta'));
      seen.push(...numbered);
      seq = numbered.at(-1)?.seq ?? seq;
    }
    using last = await pod.client();
    const { seq: now } = await last.call('Subscribe', { after: { epoch, seq } });
    await last.waitFor(
      () => (last.events.at(-1)?.seq === now || seq === now ? true : undefined),
      'the rest',
    );
    seen.push(...last.events);
    expect(seen).toEqual(steady.events.filter(({ event }) => !event.endsWith('_delta')));
    await expectSound(pod, steady, last);
  });

  test('PROTO-10: after a restart the epoch is another, and the client is told to reset', async () => {
    await using pod = await started(LOOP);
    using client = await pod.client();
    const { epoch } = await client.call('Subscribe');
    await client.call('Run', { input: 'go' });
    const seq = client.events.at(-1)?.seq ?? 0;
    await client.call('Shutdown');
    await pod.exit();
    await pod.start();
    using again = await pod.client();
    const answer = await again.call('Subscribe', { after: { epoch, seq } });
    expect(answer).toMatchObject({ reset: true });
    expect(answer['epoch']).not.toBe(epoch);
    await expectSound(pod, again);
  });

  test('PROTO-5: Unsubscribe ends events, mid-run too', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    using other = await pod.client();
    await other.call('Subscribe');
    await client.call('Subscribe');
    await client.call('Run', { input: 'go', wait: 'accepted' });
    await client.event('text_delta');
    await client.call('Unsubscribe');
    const count = client.events.length;
    await other.event('run_end');
    await client.call('GetStatus');
    expect(client.events).toHaveLength(count);
    await expectSound(pod, client, other);
  });
});
