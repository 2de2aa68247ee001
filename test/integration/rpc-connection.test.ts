import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { rpcBench } from '../support/rpc-bench.ts';
import { until } from '../support/until.ts';

const RUN = '{"id":1,"method":"Run","params":{"input":"x"}}\n';
const REPORT = { runId: 'r' };

describe('a connection', () => {
  test('PROTO-4: an answer goes to the connection that asked, and to no other', async () => {
    await using bench = await rpcBench();
    using asks = await bench.client();
    using other = await bench.client();
    const answer = asks.ask('Run', { input: 'x' });
    await until(() => bench.pod.runs.length === 1, 'the run');
    bench.pod.runs[0]?.answer.resolve(REPORT);
    expect(await answer).toMatchObject({ result: REPORT });
    await other.call('GetStatus');
    expect(other.answers).toHaveLength(1);
  });

  test('PROTO-4: one id on two connections is two requests', async () => {
    await using bench = await rpcBench();
    using one = await bench.client();
    using two = await bench.client();
    one.send(RUN);
    await until(() => bench.pod.runs.length === 1, 'the first run');
    two.send(RUN);
    await until(() => bench.pod.runs.length === 2, 'the second run');
    bench.pod.runs[1]?.answer.resolve({ runId: 'second' });
    await two.waitFor(() => two.answers[0], 'the answer');
    expect(two.answers).toMatchObject([{ id: 1, result: { runId: 'second' } }]);
    expect(one.answers).toEqual([]);
  });

  test('PROTO-5: the daemon says nothing to a client that asked for nothing', async () => {
    await using bench = await rpcBench();
    using silent = await bench.client();
    using speaks = await bench.client();
    await speaks.call('Subscribe');
    bench.hub.publish([{ event: 'queue', data: { waiting: 1 } }]);
    await speaks.event('queue');
    await silent.call('GetStatus');
    expect(silent.lines).toHaveLength(1);
  });

  test('PROTO-2: an id in flight twice on one connection is refused, and free again when answered', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.send(RUN);
    await until(() => bench.pod.runs.length === 1, 'the run');
    client.send('{"id":1,"method":"GetStatus"}\n');
    await client.waitFor(() => client.answers[0], 'the refusal');
    expect(client.answers[0]).toMatchObject({ id: 1, error: { code: -32600 } });
    // The text "1" is another id than the number.
    client.send('{"id":"1","method":"GetStatus"}\n');
    await client.waitFor(() => client.answers[1], 'the answer');
    expect(client.answers[1]).toMatchObject({ id: '1', result: {} });
    bench.pod.runs[0]?.answer.resolve(REPORT);
    await client.waitFor(() => client.answers[2], 'the report');
    client.send('{"id":1,"method":"GetStatus"}\n');
    await client.waitFor(() => client.answers[3], 'the answer');
    expect(client.answers.slice(2)).toMatchObject([
      { id: 1, result: REPORT },
      { id: 1, result: { pod: 'p' } },
    ]);
  });

  test('PROTO-2: an id twice in one batch is refused for the second', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.send('[{"id":1,"method":"GetStatus"},{"id":1,"method":"GetStatus"}]\n');
    await client.waitFor(() => client.answers[0], 'the batch');
    expect(client.answers[0]).toMatchObject([
      { id: 1, result: {} },
      { id: 1, error: { code: -32600 } },
    ]);
  });

  test('PROTO-6: a notification gets no answer, also when it fails, and its run is only accepted', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.send('{"method":"Run","params":{"input":"x"}}\n');
    client.send('{"method":"Run","params":{"inptu":"x"}}\n');
    client.send('{"method":"Nope"}\n');
    await client.call('GetStatus');
    expect(client.lines).toHaveLength(1);
    expect(bench.pod.runs.map(({ params }) => params)).toEqual([{ input: 'x', wait: 'accepted' }]);
    bench.pod.runs[0]?.answer.reject(new Error('refused'));
    await client.call('GetStatus');
    expect(client.lines).toHaveLength(2);
  });

  test('PROTO-1: id null is a request, and is answered', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.send('{"id":null,"method":"GetStatus"}\n');
    await client.waitFor(() => client.answers[0], 'the answer');
    expect(client.answers[0]).toMatchObject({ id: null, result: { pod: 'p' } });
  });

  test('PROTO-1: a client that ended its writing side gets its answers, then the end', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.socket.end(`${'{"id":2,"method":"GetStatus"}\n'.repeat(3)}${RUN}`);
    await client.waitFor(() => client.answers[2], 'three answers');
    await until(() => bench.pod.runs.length === 1, 'the run');
    expect(client.ended).toBe(false);
    bench.pod.runs[0]?.answer.resolve(REPORT);
    await client.untilEnded();
    expect(client.answers[3]).toMatchObject({ id: 1, result: REPORT });
    await until(() => bench.server.connections() === 0, 'no connection is left');
  });

  test('PROTO-1: a client that ended its writing side after a notification gets the end', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.socket.end('{"method":"Run","params":{"input":"x"}}\n');
    await client.untilEnded();
    expect(bench.pod.runs).toHaveLength(1);
    expect(client.lines).toEqual([]);
  });

  test('PROTO-1: a subscriber that ended its writing side still gets events', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.socket.end('{"id":1,"method":"Subscribe"}\n');
    await client.waitFor(() => client.answers[0], 'the answer');
    bench.hub.publish([{ event: 'queue', data: { waiting: 1 } }]);
    await client.event('queue');
    expect(client.ended).toBe(false);
  });

  test('PROTO-1: a subscriber that vanished is found by the write of a Ping', async () => {
    await using bench = await rpcBench();
    const client = await bench.client();
    await client.call('Subscribe');
    client.socket.destroy();
    await until(() => bench.server.connections() === 0, 'the connection is gone');
  });

  test('PROTO-4: a client that vanishes mid-run takes nothing with it', async () => {
    await using bench = await rpcBench();
    const client = await bench.client();
    client.send(RUN);
    await until(() => bench.pod.runs.length === 1, 'the run');
    client.socket.destroy();
    using other = await bench.client();
    await other.call('GetStatus');
    bench.pod.runs[0]?.answer.resolve(REPORT);
    await until(() => bench.server.connections() === 1, 'the connection is gone');
    expect(bench.pod.cancels).toEqual([]);
  });

  test('PROTO-5: a client that sends and never reads is served', async () => {
    await using bench = await rpcBench();
    const client = await bench.client();
    client.socket.pause();
    client.send('{"id":1,"method":"GetStatus"}\n'.repeat(10_000));
    await until(() => bench.pod.asked === 10_000, 'all is served', 15_000);
    client.socket.destroy();
  });

  test('INV-12: what a client does not take of its answers has a limit, and the rest comes when it reads', async () => {
    await using bench = await rpcBench();
    const text = 'x'.repeat(1024 * 1024);
    bench.pod.items = [{ type: 'message', role: 'user', content: [{ type: 'text', text }] }];
    using client = await bench.client();
    client.socket.pause();
    // All in one chunk: the limit holds within it, too.
    client.send(
      Array.from({ length: 100 }, (_, id) => `{"id":${id},"method":"GetHistory"}\n`).join(''),
    );
    using other = await bench.client();
    let seen = 0;
    const before = process.memoryUsage().rss;
    for (let asked = 0; asked < 50; asked += 1) {
      await other.call('GetStatus');
      seen = Math.max(seen, process.memoryUsage().rss - before);
    }
    expect(seen).toBeLessThan(8 * LIMITS.unsentAnswerBytes);
    client.socket.resume();
    await client.waitFor(() => client.answers[99], 'a hundred answers');
    expect(client.answers.map(({ id }) => id)).toEqual([...Array(100).keys()]);
  });

  test('INV-12: requests under way on one connection have a limit, notifications too', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const more = LIMITS.requestsInFlight + 50;
    client.send('{"method":"Cancel"}\n'.repeat(more));
    await until(() => bench.pod.cancels.length === LIMITS.requestsInFlight, 'the limit');
    using other = await bench.client();
    await other.call('GetStatus');
    expect(bench.pod.cancels).toHaveLength(LIMITS.requestsInFlight);
    const answer = { runId: null, quiescent: true, survivors: [] };
    for (const cancel of bench.pod.cancels) cancel.resolve(answer);
    await until(() => bench.pod.cancels.length === more, 'the rest is read');
  });

  test('PROTO-9: a client that floods keeps nobody else waiting', async () => {
    await using bench = await rpcBench();
    using floods = await bench.client();
    using other = await bench.client();
    floods.send('{"id":1,"method":"GetStatus"}\n'.repeat(20_000));
    await until(() => bench.pod.asked > 0, 'the flood has begun');
    const begun = bench.pod.asked;
    await other.call('GetStatus');
    // One of the flood's messages is taken per turn, so that the other's comes between.
    expect(bench.pod.asked - begun).toBeLessThan(10_000);
    await floods.waitFor(() => floods.answers[19_999], 'the whole flood');
  });
});
