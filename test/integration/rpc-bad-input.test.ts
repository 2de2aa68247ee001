import { describe, expect, test } from 'vitest';
import { LINE_BYTES_MAX } from '../../protocol/framing.ts';
import { rpcBench } from '../support/rpc-bench.ts';
import { until } from '../support/until.ts';
import type { WireClient } from '../support/wire-client.ts';

type Json = Record<string, unknown>;

/** Sends lines and answers the next `count` messages that come back. */
async function tell(client: WireClient, text: string | Buffer, count = 1): Promise<unknown[]> {
  const from = client.answers.length;
  client.socket.write(text);
  await client.waitFor(
    () => (client.answers.length >= from + count ? true : undefined),
    `${count} answers to ${String(text).slice(0, 80)}`,
  );
  return client.answers.slice(from, from + count);
}

const failure = (id: unknown, code: number): Json => ({
  jsonrpc: '2.0',
  id,
  error: expect.objectContaining({ code, message: expect.any(String) as string }) as Json,
});

describe('bad input', () => {
  test.each<[string, string | Buffer, unknown, number]>([
    ['text that is not JSON', 'hello\n', null, -32700],
    ['half a JSON text', '{"jsonrpc":"2.0",\n', null, -32700],
    ['two values on a line', '{} {}\n', null, -32700],
    ['NUL bytes', '\0\0\0\n', null, -32700],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22, 0x0a]), null, -32700],
    ['a byte order mark before JSON', '\u{feff}x\n', null, -32700],
    ['a number', '7\n', null, -32600],
    ['null', 'null\n', null, -32600],
    ['a string', '"Run"\n', null, -32600],
    ['an empty batch', '[]\n', null, -32600],
    ['a request without a method', '{"id":3}\n', 3, -32600],
    ['jsonrpc 1.0', '{"jsonrpc":"1.0","id":3,"method":"GetStatus"}\n', 3, -32600],
    ['an id that is an object', '{"id":{},"method":"GetStatus"}\n', null, -32600],
    ['an id beyond all numbers', '{"id":1e999,"method":"GetStatus"}\n', null, -32600],
    ['an unknown method', '{"id":3,"method":"Explode"}\n', 3, -32601],
    ['a method of the prototype', '{"id":3,"method":"__proto__"}\n', 3, -32601],
    ['a method that all objects have', '{"id":3,"method":"toString"}\n', 3, -32601],
    ['a method of JSON-RPC', '{"id":3,"method":"rpc.other"}\n', 3, -32601],
    ['params as an array', '{"id":3,"method":"Run","params":["x"]}\n', 3, -32602],
    ['params as a text', '{"id":3,"method":"Run","params":"x"}\n', 3, -32602],
    ['params as a number', '{"id":3,"method":"GetStatus","params":0}\n', 3, -32602],
    ['a missing param', '{"id":3,"method":"Run"}\n', 3, -32602],
    ['a param of the wrong type', '{"id":3,"method":"Run","params":{"input":1}}\n', 3, -32602],
    ['an unknown key', '{"id":3,"method":"GetStatus","params":{"a":1}}\n', 3, -32602],
    ['the key __proto__', '{"id":3,"method":"GetStatus","params":{"__proto__":1}}\n', 3, -32602],
    ['the key constructor', '{"id":3,"method":"Cancel","params":{"constructor":1}}\n', 3, -32602],
    [
      'deep nesting',
      `{"id":3,"method":"GetStatus","params":${'['.repeat(50_000)}${']'.repeat(50_000)}}\n`,
      3,
      -32602,
    ],
  ])('PROTO-2: %s is answered with its code, and the connection stays', async (...row) => {
    const [, input, id, code] = row;
    await using bench = await rpcBench();
    using client = await bench.client();
    expect(await tell(client, input)).toEqual([failure(id, code)]);
    expect(await client.call('GetStatus')).toMatchObject({ pod: 'p' });
    expect(bench.pod.runs).toEqual([]);
  });

  test('PROTO-2: an unknown method is answered with the nearest one', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    expect(await client.ask('GetStatsu')).toMatchObject({
      error: {
        code: -32601,
        message: expect.stringContaining('did you mean GetStatus?') as string,
      },
    });
  });

  test('PROTO-2: params that do not fit are named, each with its path and what was expected', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const params = { after: { epoch: 'x', seq: -1 }, events: ['state', 'mesage'] };
    expect(await client.ask('Subscribe', params)).toMatchObject({
      error: {
        code: -32602,
        data: {
          issues: [
            { path: 'after.epoch', expected: 'number' },
            { path: 'after.seq', expected: '>=0' },
            { path: 'events.1', says: expect.stringContaining('state') as string },
          ],
        },
      },
    });
  });

  test('PROTO-2: an unknown key is named, with the nearest one', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    expect(await client.ask('Run', { input: 'x', wiat: 'ended' })).toMatchObject({
      error: { code: -32602, data: { issues: [{ path: 'wiat', nearest: 'wait' }] } },
    });
  });

  test('PROTO-2: params null count as none', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const [answer] = await tell(client, '{"id":1,"method":"GetStatus","params":null}\n');
    expect(answer).toMatchObject({ id: 1, result: { pod: 'p' } });
  });

  test('PROTO-14: a request without jsonrpc is served', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const [answer] = await tell(client, '{"id":1,"method":"GetStatus"}\n');
    expect(answer).toMatchObject({ jsonrpc: '2.0', id: 1, result: { pod: 'p' } });
  });

  test('PROTO-14: a request with U+2028 that comes a byte at a time is one request', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    for (const byte of Buffer.from('{"id":1,"method":"Run","params":{"input":"a\u2028€"}}\n')) {
      client.socket.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => bench.pod.runs.length === 1, 'the run');
    expect(bench.pod.runs[0]?.params).toEqual({ input: 'a\u2028€' });
  });

  test('PROTO-2: blank lines are passed over', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const [answer] = await tell(client, '\n\r\n  \n{"id":1,"method":"GetStatus"}\r\n');
    expect(answer).toMatchObject({ id: 1, result: {} });
    expect(client.answers).toHaveLength(1);
  });

  test('PROTO-2: a line of exactly 16 MiB is served', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const head = '{"id":1,"method":"GetStatus"}';
    const [answer] = await tell(client, `${head.padEnd(LINE_BYTES_MAX)}\n`);
    expect(answer).toMatchObject({ id: 1, result: { pod: 'p' } });
  });

  test('PROTO-2: a line over 16 MiB is refused, then its connection closes, and only that one', async () => {
    await using bench = await rpcBench();
    using other = await bench.client();
    using client = await bench.client();
    const head = '{"id":1,"method":"GetStatus"}';
    const [answer] = await tell(client, `${head.padEnd(LINE_BYTES_MAX + 1)}\n`);
    expect(answer).toEqual(failure(null, -32600));
    await client.untilEnded();
    expect(bench.pod.asked).toBe(0);
    await until(() => bench.server.connections() === 1, 'the connection is gone');
    expect(await other.call('GetStatus')).toMatchObject({ pod: 'p' });
  });

  test('PROTO-2: a line without end is refused while it still comes', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const [answer] = await tell(client, Buffer.alloc(17 * 1024 * 1024, 'x'));
    expect(answer).toEqual(failure(null, -32600));
    await client.untilEnded();
    await until(() => bench.server.connections() === 0, 'the connection is gone');
  });

  test('PROTO-2: a half line at the end is dropped, with a line in the log', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.socket.end('{"id":1,"method":"Run","params":{"input":"x"}}');
    await client.untilEnded();
    expect(bench.pod.runs).toEqual([]);
    expect(client.lines).toEqual([]);
    expect(bench.log).toEqual([
      { level: 'info', text: 'a half line was dropped at the end of a connection' },
    ]);
  });

  test('INV-12: huge names, keys and values come back only in part', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const huge = 'x'.repeat(1_000_000);
    await client.ask(huge);
    await client.ask('GetStatus', { [huge]: 1 });
    await client.ask('Subscribe', { events: [huge] });
    await client.ask('Run', { input: 'x', wait: huge });
    expect(client.answers).toHaveLength(4);
    for (const line of client.lines) expect(line.length).toBeLessThan(5_000);
  });

  test('INV-12: a list of a million wrong names is one issue', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const answer = await client.ask('Subscribe', { events: Array<number>(1_000_000).fill(1) });
    expect(answer).toMatchObject({
      error: { code: -32602, data: { issues: [{ path: 'events' }] } },
    });
  });
});

describe('batches', () => {
  test('PROTO-1: a batch is answered in one line, in its order, without its notifications', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const batch = [
      { id: 1, method: 'GetStatus' },
      1,
      { method: 'GetStatus' },
      { id: 2, method: 'Nope' },
      { id: 3, method: 'GetStatus', params: [] },
      { id: 4 },
    ];
    const [answer] = await tell(client, `${JSON.stringify(batch)}\n`);
    expect(answer).toEqual([
      expect.objectContaining({ id: 1, result: expect.anything() as unknown }),
      failure(null, -32600),
      failure(2, -32601),
      failure(3, -32602),
      failure(4, -32600),
    ]);
    expect(bench.pod.asked).toBe(2);
  });

  test('PROTO-1: a batch of notifications gets no answer', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.send('[{"method":"GetStatus"},{"method":"Nope"}]\n');
    await client.call('GetStatus');
    expect(client.answers).toHaveLength(1);
    expect(bench.pod.asked).toBe(2);
  });

  test('PROTO-2: a batch has at most 100 members', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    const batch = Array.from({ length: 101 }, (_, id) => ({ id, method: 'GetStatus' }));
    const [all] = await tell(client, `${JSON.stringify(batch.slice(1))}\n`);
    expect(all).toHaveLength(100);
    expect(await tell(client, `${JSON.stringify(batch)}\n`)).toEqual([failure(null, -32600)]);
    expect(bench.pod.asked).toBe(100);
  });

  test('PROTO-2: a batch is answered when its last member is', async () => {
    await using bench = await rpcBench();
    using client = await bench.client();
    client.send('[{"id":1,"method":"GetStatus"},{"id":2,"method":"Run","params":{"input":"x"}}]\n');
    await client.call('GetStatus');
    expect(client.answers).toHaveLength(1);
    bench.pod.runs[0]?.answer.resolve({ runId: 'r' });
    await client.waitFor(() => client.answers[1], 'the batch');
    expect(client.answers[1]).toMatchObject([{ id: 1 }, { id: 2, result: { runId: 'r' } }]);
  });

  test('INV-12: a hundred pages of history in one batch fill one line at most', async () => {
    await using bench = await rpcBench();
    const text = 'x'.repeat(4 * 1024 * 1024);
    bench.pod.items = [{ type: 'message', role: 'user', content: [{ type: 'text', text }] }];
    using client = await bench.client();
    const batch = Array.from({ length: 100 }, (_, id) => ({ id, method: 'GetHistory' }));
    const [all] = await tell(client, `${JSON.stringify(batch)}\n`);
    expect(client.lines[0]?.length).toBeLessThanOrEqual(LINE_BYTES_MAX);
    expect(all).toHaveLength(100);
    const answers = all as Json[];
    expect(answers.slice(0, 3).map((one) => 'result' in one)).toEqual([true, true, true]);
    expect(answers[99]).toMatchObject({
      id: 99,
      error: { data: { code: 'busy', retryable: true } },
    });
  });
});
