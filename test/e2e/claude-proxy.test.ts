import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { claudeAtUrl, TEST_KEY } from '../support/claude-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { HttpProxy } from '../support/http-proxy.ts';
import { ModelServer } from '../support/model-server.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const NOBODY = 'http://127.0.0.1:9';

function podOf(url: string, env: Readonly<Record<string, string>>): TempPod {
  return new TempPod({
    script: 'steps = []',
    args: ['--overlay', claudeAtUrl(url), '--overlay', 'provider.max_retries = 0'],
    env: { PODD_API_KEY_ANTHROPIC: TEST_KEY, ...env },
  });
}

test('PROV-9: a proxy comes from the environment; what NO_PROXY names is asked directly', async () => {
  await using server = new ModelServer({ kind: 'answer', blocks: [{ text: 'Hello.' }] });
  const url = await server.listen();
  await using proxy = new HttpProxy(new URL(url));
  const proxyUrl = await proxy.listen();
  for (const [base, env, asked] of [
    ['http://models.example', { HTTP_PROXY: proxyUrl }, ['models.example:80']],
    [url, { HTTP_PROXY: NOBODY, NO_PROXY: '127.0.0.1' }, []],
  ] as const) {
    proxy.asked.length = 0;
    await using pod = podOf(base, env);
    await pod.start();
    using client = await pod.client();
    expect(await client.call('Run', { input: 'go' })).toMatchObject({ text: 'Hello.' });
    expect(proxy.asked).toEqual(asked);
    await expectSound(pod, client);
  }
});

test('PROV-9: a proxy that is not there is told as such', async () => {
  await using gone = podOf('http://models.example', { HTTP_PROXY: NOBODY });
  await gone.start();
  using client = await gone.client();
  const { error } = await client.ask('Run', { input: 'go' });
  expect(error).toMatchObject({ data: { code: 'provider_error', reason: 'connection' } });
  expect(error?.message).toContain('ECONNREFUSED');
  await expectSound(gone, client);
});

test('PROV-9 PROV-5: a proxy that takes the connection and says nothing is given up, or left at a cancel', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) =>
    sockets.push(socket.on('error', () => undefined).resume()),
  );
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  await using pod = podOf('http://models.example', { HTTP_PROXY: `http://127.0.0.1:${port}` });
  await pod.start(undefined, ['--overlay', 'provider.first_event_timeout_ms = 300']);
  using client = await pod.client();
  const { error } = await client.ask('Run', { input: 'go' });
  expect(error?.data).toMatchObject({ code: 'provider_error', retryable: true });
  const run = client.ask('Run', { input: 'go' });
  await until(() => sockets.length === 2, 'the second connection');
  expect(await client.call('Cancel')).toMatchObject({ quiescent: true });
  expect((await run).result).toMatchObject({ outcome: 'cancelled' });
  await until(() => sockets.every((socket) => socket.closed), 'the end of both connections');
  await expectSound(pod, client);
  silent.close();
});
