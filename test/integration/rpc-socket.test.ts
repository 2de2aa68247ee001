import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { EventHub } from '../../daemon/rpc/event-hub.ts';
import { listen } from '../../daemon/rpc/listen.ts';
import type { LogLine } from '../support/rpc-bench.ts';
import { keepLog, rpcBench } from '../support/rpc-bench.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

function services(lines: LogLine[] = []): Parameters<typeof listen>[1] {
  const dispatch = (): Promise<null> => Promise.resolve(null);
  return { dispatch, hub: new EventHub(1, { now: () => 0 }), log: keepLog(lines) };
}

/** A socket file whose process was killed. */
async function leaveDeadSocket(path: string): Promise<void> {
  const listens = `require('net').createServer().listen(process.argv[1],()=>console.log('up'))`;
  const child = spawn(process.execPath, ['-e', listens, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(path)).toBe(true);
}

describe('listen', () => {
  test('PROTO-1: the socket is the user’s alone, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await using bench = await rpcBench();
      expect(statSync(bench.path).mode & 0o777).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  test('PROTO-16: a dead Pod’s socket file is removed, and nothing of it is logged as an error', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'sock');
    await leaveDeadSocket(path);
    const lines: LogLine[] = [];
    await using server = await listen(path, services(lines));
    using client = await WireClient.open(path);
    await until(() => server.connections() === 1, 'a client');
    expect(client.ended).toBe(false);
    expect(lines).toEqual([]);
  });

  test('PROTO-16: a socket that a live process serves is taken, and goes on serving', async () => {
    await using bench = await rpcBench();
    await expect(listen(bench.path, services())).rejects.toMatchObject({ code: 'taken' });
    using client = await bench.client();
    expect(await client.call('GetStatus')).toMatchObject({ pod: 'p' });
  });

  test('PROTO-16: a file that is no socket is left alone', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'sock');
    writeFileSync(path, 'mine');
    await expect(listen(path, services())).rejects.toMatchObject({ code: 'cannot_create' });
    expect(statSync(path).size).toBe(4);
  });

  test('PROTO-16: a folder that is not there can’t hold a socket', async () => {
    await using folder = await tempFolder();
    const path = join(folder.path, 'gone', 'sock');
    await expect(listen(path, services())).rejects.toMatchObject({ code: 'cannot_create' });
  });

  test('PATH-2: a socket path of 107 bytes is served, one of 108 is refused by name', async () => {
    await using folder = await tempFolder();
    const room = LIMITS.socketPathBytes - Buffer.byteLength(`${folder.path}/`);
    const fits = join(folder.path, 'x'.repeat(room));
    await using _server = await listen(fits, services());
    expect(existsSync(fits)).toBe(true);
    await expect(listen(`${fits}x`, services())).rejects.toMatchObject({
      code: 'cannot_create',
      message: expect.stringContaining('108 bytes') as string,
    });
    expect(existsSync(`${fits}x`)).toBe(false);
  });

  test('PATH-2: the path is measured in bytes', async () => {
    await using folder = await tempFolder();
    const room = LIMITS.socketPathBytes - Buffer.byteLength(`${folder.path}/`);
    const path = join(folder.path, 'ä'.repeat(Math.ceil((room + 1) / 2)));
    await expect(listen(path, services())).rejects.toMatchObject({ code: 'cannot_create' });
  });

  test('INV-12: a connection over the limit is told busy and closed; the others go on', async () => {
    await using bench = await rpcBench();
    const clients: WireClient[] = [];
    for (let count = 0; count < LIMITS.connections; count += 1) clients.push(await bench.client());
    await until(() => bench.server.connections() === LIMITS.connections, 'all are in');
    using refused = await bench.client();
    await refused.untilEnded();
    expect(refused.answers).toMatchObject([
      { id: null, error: { data: { code: 'busy', retryable: true } } },
    ]);
    expect(await clients[0]?.call('GetStatus')).toMatchObject({ connections: LIMITS.connections });
    clients.pop()?.socket.destroy();
    await until(() => bench.server.connections() < LIMITS.connections, 'a place is free');
    using late = await bench.client();
    expect(await late.call('GetStatus')).toMatchObject({ pod: 'p' });
    for (const client of clients) client.socket.destroy();
  });

  test('INV-6: a close lets answers out that are owed, and ends clients that stay', async () => {
    const bench = await rpcBench();
    using owed = await bench.client();
    using idle = await bench.client();
    await idle.call('GetStatus');
    const answer = owed.ask('Run', { input: 'x' });
    await until(() => bench.pod.runs.length === 1, 'the run');
    const closed = bench[Symbol.asyncDispose]();
    await idle.untilEnded();
    bench.pod.runs[0]?.answer.resolve({ runId: 'r' });
    expect(await answer).toMatchObject({ result: { runId: 'r' } });
    await closed;
    expect(existsSync(bench.path)).toBe(false);
  });

  test('INV-6: a close waits for no client longer than its deadline', async () => {
    const bench = await rpcBench();
    using owed = await bench.client();
    owed.send('{"id":1,"method":"Run","params":{"input":"x"}}\n');
    await until(() => bench.pod.runs.length === 1, 'the run');
    const begun = performance.now();
    await bench[Symbol.asyncDispose]();
    expect(performance.now() - begun).toBeGreaterThanOrEqual(LIMITS.closeStepMs - 50);
    await owed.untilEnded();
    expect(owed.answers).toEqual([]);
  });
});
