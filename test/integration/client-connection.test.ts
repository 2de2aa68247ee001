import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect } from '../../client/connect.ts';
import type { PodEvent } from '../../client/pod-client.ts';
import { PodError } from '../../client/pod-error.ts';
import { type Behaviour, FakePod } from '../support/fake-pod.ts';
import { delta, numbered } from '../support/pod-events.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

const silent: Behaviour = () => undefined;

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    return error instanceof PodError ? error.code : String(error);
  }
}

describe('connect', () => {
  test('CLI-3: no socket, no socket file and nobody behind it are told apart', async () => {
    await using folder = await tempFolder();
    const plain = join(folder.path, 'plain');
    const dead = join(folder.path, 'dead');
    await writeFile(plain, '');
    await leaveSocketFile(dead);
    await expect(connect(join(folder.path, 'none'))).rejects.toThrow(/there is no socket at/);
    await expect(connect(join(plain, 'sock'))).rejects.toThrow(/there is no socket at/);
    await expect(connect(plain)).rejects.toThrow(/nobody serves|no socket/);
    await expect(connect(dead)).rejects.toThrow(/the Pod died, nobody serves/);
    expect(await codeOf(connect(dead))).toBe('unreachable');
  });

  test('INV-6: a signal that was aborted before connects to nothing', async () => {
    await using pod = await FakePod.listen(silent);
    const reason = new Error('enough');
    await expect(connect(pod.socket, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(pod.connections).toBe(0);
  });
});

describe('PodClient', () => {
  test('PROTO-4: requests overlap, and each gets its own answer whatever their order', async () => {
    await using pod = await FakePod.listen((_asked, fake) => {
      if (fake.asked.length < 3) return;
      for (const late of [...fake.asked].reverse()) fake.answer(late, { is: late.method });
    });
    await using client = await connect(pod.socket);
    const answers = await Promise.all([
      client.request('GetStatus', {}),
      client.request('Unsubscribe', {}),
      client.request('Shutdown', {}),
    ]);
    expect(answers).toEqual([{ is: 'GetStatus' }, { is: 'Unsubscribe' }, { is: 'Shutdown' }]);
  });

  test('PROTO-8: an error of the Pod has its code, message and data', async () => {
    const data = { code: 'busy', retryable: true };
    await using pod = await FakePod.listen((asked, fake) => {
      if (asked.method === 'Run') fake.refuse(asked, { code: -32003, message: 'full', data });
      else fake.refuse(asked, { code: -32602, message: 'bad', data: { issues: ['x'] } });
    });
    await using client = await connect(pod.socket);
    const run = client.request('Run', { input: 'x' });
    await expect(run).rejects.toMatchObject({ code: 'busy', message: 'full', data });
    const status = client.request('GetStatus', {});
    await expect(status).rejects.toMatchObject({ code: 'refused', message: 'bad: ["x"]' });
  });

  test('CLI-1: every open request is rejected when the Pod hangs up, and every later one', async () => {
    await using pod = await FakePod.listen((_asked, fake) => {
      if (fake.asked.length === 2) fake.hangUp();
    });
    await using client = await connect(pod.socket);
    const open = [client.request('GetStatus', {}), client.request('Run', { input: 'x' })];
    expect(await Promise.all(open.map(codeOf))).toEqual(['disconnected', 'disconnected']);
    await client.closed;
    expect(await codeOf(client.request('GetStatus', {}))).toBe('disconnected');
  });

  test('CLI-1: closing rejects what is open; a second close waits for the first', async () => {
    await using pod = await FakePod.listen(silent);
    const client = await connect(pod.socket);
    const open = codeOf(client.request('Run', { input: 'x' }));
    await Promise.all([client[Symbol.asyncDispose](), client[Symbol.asyncDispose]()]);
    expect(await open).toBe('disconnected');
    await until(() => pod.connections === 0, 'the Pod sees the end');
  });

  test('INV-6: a request ends at its deadline or by its signal, and the connection goes on', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      if (asked.method === 'GetStatus') fake.answer(asked, 'here');
    });
    await using client = await connect(pod.socket);
    expect(await codeOf(client.request('Unsubscribe', {}, { deadlineMs: 1 }))).toBe('no_answer');
    const controller = new AbortController();
    const run = client.request('Run', { input: 'x' }, { signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(await client.request('GetStatus', {})).toBe('here');
  });

  test.each([
    ['null', 'null\n'],
    ['a text', '"x"\n'],
    ['a list', '[]\n'],
    ['no JSON', 'hello\n'],
    ['no UTF-8', Buffer.from([0xff, 0x0a])],
  ])(
    'CLI-1: %s from the other side rejects what is open, and nothing throws',
    async (_what, line) => {
      await using pod = await FakePod.listen((_asked, fake) => {
        fake.say(line);
      });
      await using client = await connect(pod.socket);
      expect(await codeOf(client.request('GetStatus', {}))).toBe('bad_answer');
      await client.closed;
    },
  );

  test('CLI-1: answers to nothing, and notifications that it does not know, change nothing', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      fake.say('{"id":99,"result":1}\n{"id":null,"error":{"code":1,"message":"m"}}\n{}\n');
      fake.say('{"method":"Ping"}\n{"method":"Event","params":{"event":"of_tomorrow"}}\n');
      fake.answer(asked, 'still here');
    });
    await using client = await connect(pod.socket);
    for (let turn = 1; turn <= 2; turn += 1)
      expect(await client.request('GetStatus', {})).toBe('still here');
  });

  test('PROTO-2: a request over 16 MiB is refused here; the connection lives', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      fake.answer(asked, 'here');
    });
    await using client = await connect(pod.socket);
    const huge = client.request('Run', { input: 'x'.repeat(16 * 1024 * 1024) });
    await expect(huge).rejects.toThrow(/at most 16777216 bytes/);
    expect(await client.request('GetStatus', {})).toBe('here');
  });

  test('PROTO-10: events reach every listener in order, also those in one piece with the answer', async () => {
    const events = numbered(delta(1, 0, 'a'), delta(1, 1, '\u2028'), delta(1, 2, 'b'));
    await using pod = await FakePod.listen((asked, fake) => {
      fake.answer(asked, {});
      fake.tell(...events);
      fake.answer({ ...asked, id: asked.id + 1 }, {});
    });
    await using client = await connect(pod.socket);
    const [all, some]: [PodEvent[], PodEvent[]] = [[], []];
    using _all = client.onEvent((event) => all.push(event));
    const listening = client.onEvent((event) => {
      some.push(event);
      if (some.length === 2) listening[Symbol.dispose]();
    });
    await client.request('Unsubscribe', {});
    await until(() => all.length === 3, 'all events are there');
    expect(all).toEqual(events);
    expect(some).toEqual(events.slice(0, 2));
  });
});

/** What a process that died leaves: Node removes the file when it closes properly, so it is moved away before. */
async function leaveSocketFile(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.alive`, resolve));
  await rename(`${path}.alive`, path);
  await new Promise((resolve) => server.close(resolve));
}
