import { describe, expect, test } from 'vitest';
import type { StreamedEvent } from '../../client/catch-up.ts';
import { EventStream, type EventsOptions } from '../../client/event-stream.ts';
import { CLIENT_LIMITS } from '../../client/limits.ts';
import { openClient } from '../../client/reconnecting-client.ts';
import { done } from '../support/pod-events.ts';
import { deadline } from '../support/slowness.ts';
import { settled } from '../support/settled.ts';
import { TalkingPod } from '../support/talking-pod.ts';
import { until } from '../support/until.ts';
import type { Numbered } from '../../protocol/events.ts';

const say = (n: number, text = `text ${n}`): Numbered => done(n, text) as Numbered;

/** Takes events until one matches; the last one is it. */
async function takeTo(
  stream: EventStream,
  isLast: (event: StreamedEvent) => boolean,
): Promise<StreamedEvent[]> {
  const taken: StreamedEvent[] = [];
  for (;;) {
    const { done: isOver, value } = await stream.next();
    if (isOver === true) throw new Error('the stream ended before that');
    taken.push(value);
    if (isLast(value)) return taken;
  }
}

const hasSeq =
  (seq: number) =>
  (event: StreamedEvent): boolean =>
    event.event !== 'gap' && event.seq === seq;

function open(pod: TalkingPod, options: EventsOptions = {}): EventStream {
  return new EventStream(pod.socket, { redialMs: deadline(10_000), ...options });
}

describe('EventStream', () => {
  test('PROTO-10 CLI-1: connections cut again and again lose no event, and none comes twice', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod);
    await stream.ready;
    const taken = takeTo(stream, hasSeq(200));
    for (let n = 1; n <= 200; n += 1) {
      pod.say({ event: 'text_delta', data: { block: n, offset: 0, text: 'te' } });
      if (n % 20 === 0) {
        const cut = pod.connections.length;
        pod.hangUp();
        pod.tell(say(n));
        await until(() => pod.connections.length > cut, 'it is back');
      } else pod.tell(say(n));
    }
    const events = await taken;
    const texts = events.filter(({ event }) => event === 'text_done');
    expect(texts.map(({ seq }) => seq)).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
    expect(events.filter(({ event }) => event === 'gap')).toEqual([]);
  });

  test('PROTO-10 CLI-1: an answer that is half streamed goes on where it was, with what was said meanwhile', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod);
    await stream.ready;
    pod.say({ event: 'text_delta', data: { block: 1, offset: 0, text: 'one ' } });
    const first = await stream.next();
    pod.hangUp();
    pod.say({ event: 'text_delta', data: { block: 1, offset: 4, text: 'two ' } });
    const second = await stream.next();
    pod.say({ event: 'text_delta', data: { block: 1, offset: 8, text: 'three' } });
    const third = await stream.next();
    expect([first, second, third].map(({ value }) => value?.data)).toEqual([
      { block: 1, offset: 0, text: 'one ' },
      { block: 1, offset: 4, text: 'two ' },
      { block: 1, offset: 8, text: 'three' },
    ]);
  });

  test('CLI-1: what the Pod’s memory no longer has is a gap of that many', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod);
    await stream.ready;
    pod.tell(say(1));
    await takeTo(stream, hasSeq(1));
    pod.hangUp();
    pod.tell(...Array.from({ length: 5_000 }, (_, n) => say(n + 2)));
    const [gap, next] = await takeTo(stream, (event) => event.event !== 'gap');
    expect(gap).toEqual({
      event: 'gap',
      epoch: 1,
      seq: 905,
      data: { missed: 904, reset: false, after: { epoch: 1, seq: 1 }, upTo: 5_001 },
    });
    expect(next).toMatchObject({ seq: 906 });
    await takeTo(stream, hasSeq(5_001));
  });

  test('CLI-1: a Pod that died and came back is a gap that says so, then its new events', async () => {
    await using pod = await TalkingPod.listen();
    const states: string[] = [];
    await using stream = open(pod, { onConnection: (state) => states.push(state) });
    await stream.ready;
    pod.tell(say(1));
    await takeTo(stream, hasSeq(1));
    await pod.die();
    await until(() => states.length === 1, 'it is seen that the Pod is gone');
    await pod.startAnew();
    pod.tell(say(1, 'of the new life'));
    const [gap, next] = await takeTo(stream, (event) => event.event !== 'gap');
    expect(gap).toMatchObject({
      event: 'gap',
      epoch: 2,
      data: { reset: true, after: { epoch: 1, seq: 1 } },
    });
    expect(next).toMatchObject({ epoch: 2, seq: 1, data: { text: 'of the new life' } });
    expect(states).toEqual(['lost', 'back']);
  });

  test('CLI-1: a Pod that stays away ends it at the deadline with a PodError, once', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod, { redialMs: 200 });
    await stream.ready;
    pod.tell(say(1));
    await pod.die();
    const taken: StreamedEvent[] = [];
    const loop = async (): Promise<void> => {
      for await (const event of stream) taken.push(event);
    };
    await expect(loop()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/tried for 200 ms/) as string,
    });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('CLI-1: what came before its end is told before that, and the end once', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod, { redialMs: 100 });
    await stream.ready;
    pod.tell(say(1));
    await until(() => stream.position?.seq === 1, 'the event is there');
    await pod.die();
    await stream.closed;
    expect(await stream.next()).toMatchObject({ value: { seq: 1 } });
    await expect(stream.next()).rejects.toMatchObject({ code: 'unreachable' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('CLI-1: its signal ends it with its reason, whether it waits for an event or for the Pod', async () => {
    await using pod = await TalkingPod.listen();
    const reason = new Error('enough');
    for (const isThere of [true, false]) {
      const controller = new AbortController();
      await using stream = open(pod, { signal: controller.signal });
      await stream.ready;
      if (!isThere) await pod.die();
      const next = stream.next();
      controller.abort(reason);
      await expect(next).rejects.toBe(reason);
      await stream.closed;
      await until(() => pod.open === 0, 'the connection is gone');
    }
    await expect(open(pod, { signal: AbortSignal.abort(reason) }).ready).rejects.toBe(reason);
  });

  test('CLI-1: leaving the loop closes its connection', async () => {
    await using pod = await TalkingPod.listen();
    const stream = open(pod);
    await stream.ready;
    pod.tell(say(1), say(2));
    for await (const event of stream) {
      expect(event).toMatchObject({ seq: 1 });
      break;
    }
    await until(() => pod.open === 0, 'the connection is gone');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('CLI-1: a connection that is lost each time it is made is made ever more seldom', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod);
    await stream.ready;
    const begun = Date.now();
    let seen = 0;
    while (Date.now() - begun < 700) {
      seen = pod.connections.length;
      pod.hangUp();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    // 50, 100, 200, 400 ms, and half of each at least.
    expect(seen).toBeLessThanOrEqual(7);
    expect(seen).toBeGreaterThanOrEqual(3);
  });

  test('CLI-1: a consumer that takes nothing stops the reading: the rest waits with the Pod', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod);
    await stream.ready;
    const text = 'x'.repeat(64 * 1024);
    for (let n = 1; n <= 400; n += 1) {
      pod.tell(say(n, text));
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    // 25 MiB were sent; the kernel holds some, the client its bound and a piece.
    const [connection] = pod.connections;
    const sent = await settled(
      () => (connection?.bytesWritten ?? 0) - (connection?.writableLength ?? 0),
    );
    expect(sent).toBeLessThan(CLIENT_LIMITS.queuedBytes + 4 * 1024 * 1024);
    // It goes on as soon as somebody takes them.
    const events = await takeTo(stream, hasSeq(400));
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 400 }, (_, n) => n + 1));
  });

  test('CLI-1 PROTO-12: a consumer that was so slow that the Pod let it go learns what it missed', async () => {
    await using pod = await TalkingPod.listen();
    await using stream = open(pod);
    await stream.ready;
    const text = 'x'.repeat(256 * 1024);
    for (let n = 1; n <= 200; n += 1) pod.tell(say(n, text));
    await until(() => pod.open === 0, 'the Pod has let it go');
    const events = await takeTo(stream, hasSeq(200));
    const gaps = events.flatMap((event) => (event.event === 'gap' ? [event.data.missed] : []));
    const told = events.filter(({ event }) => event === 'text_done').map(({ seq }) => seq);
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b));
    expect(told.length + gaps.reduce((sum, missed) => sum + missed, 0)).toBe(200);
    expect(gaps.length).toBeGreaterThan(0);
  });

  test('CLI-1: a slow loop holds up no call, and a call in the loop is answered', async () => {
    await using pod = await TalkingPod.listen(() => ({ here: true }));
    await using client = await openClient(pod.socket);
    const stream = client.events();
    await stream.ready;
    pod.tell(...Array.from({ length: 1_000 }, (_, n) => say(n + 1, 'x'.repeat(4_096))));
    let calls = 0;
    for await (const event of stream) {
      if (event.seq % 100 === 0) {
        expect(await client.getStatus()).toEqual({ here: true });
        calls += 1;
      }
      if (event.seq === 1_000) break;
    }
    expect(calls).toBe(10);
  });
});
