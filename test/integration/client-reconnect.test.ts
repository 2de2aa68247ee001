import { describe, expect, expectTypeOf, test } from 'vitest';
import { CLIENT_LIMITS } from '../../client/limits.ts';
import { openClient } from '../../client/reconnecting-client.ts';
import { METHODS } from '../../protocol/methods.ts';
import type { RunReport } from '../../protocol/report.ts';
import { report } from '../support/pod-events.ts';
import { TalkingPod } from '../support/talking-pod.ts';
import { until } from '../support/until.ts';

describe('openClient', () => {
  test('CLI-1: there is a call for each method of the table, typed by it', async () => {
    await using pod = await TalkingPod.listen(({ method }) =>
      method === 'Run' ? report() : { is: method },
    );
    await using client = await openClient(pod.socket);
    const answered = await client.run({ input: 'x', inputId: 'i' });
    expect(answered).toEqual(report());
    expectTypeOf(answered).toEqualTypeOf<RunReport>();
    expect(await client.getHistory({ from: 3 })).toEqual({ is: 'GetHistory' });
    expect(await client.discover()).toEqual({ is: 'rpc.discover' });
    expect(pod.asked.map(({ method, params }) => [method, params])).toEqual([
      ['Run', { input: 'x', inputId: 'i' }],
      ['GetHistory', { from: 3 }],
      ['rpc.discover', {}],
    ]);
    const names = Object.keys(METHODS).map((name) => name.replace('rpc.', '').toLowerCase());
    const calls = Object.keys(client).map((name) => name.toLowerCase());
    expect(calls).toEqual(expect.arrayContaining(names));
  });

  test('CLI-1: a call while there is no connection fails at once; it is there again without being asked', async () => {
    await using pod = await TalkingPod.listen(({ method }) => ({ is: method }));
    await using client = await openClient(pod.socket);
    await pod.die();
    await until(() => pod.open === 0, 'the connection is gone');
    const begun = performance.now();
    await expect(client.getStatus()).rejects.toMatchObject({ code: 'disconnected' });
    await expect(client.run({ input: 'x' })).rejects.toMatchObject({ code: 'disconnected' });
    expect(performance.now() - begun).toBeLessThan(CLIENT_LIMITS.redialFirstMs * 4);
    await pod.startAnew();
    await until(() => pod.open === 1, 'it is connected again');
    await client.untilConnected();
    expect(await client.getStatus()).toEqual({ is: 'GetStatus' });
    // Also where nobody asked meanwhile.
    pod.hangUp();
    await until(() => pod.connections.length === 3 && pod.open === 1, 'and once more');
  });

  test('CLI-1 PROTO-17: a run that was cut off is asked for again under its id, and no call is sent twice by itself', async () => {
    await using pod = await TalkingPod.listen((asked, fake) => {
      if (fake.asked.length > 1) return report();
      fake.hangUp();
      return undefined;
    });
    await using client = await openClient(pod.socket);
    const ask = (): Promise<RunReport> => client.run({ input: 'x', inputId: 'once' });
    await expect(ask()).rejects.toMatchObject({ code: 'disconnected' });
    await client.untilConnected();
    expect(pod.asked).toHaveLength(1);
    expect(await ask()).toEqual(report());
    expect(pod.asked.map(({ params }) => params)).toEqual([
      { input: 'x', inputId: 'once' },
      { input: 'x', inputId: 'once' },
    ]);
  });

  test('CLI-1: a Pod that stays away is waited for as long as was said', async () => {
    await using pod = await TalkingPod.listen();
    await using client = await openClient(pod.socket, { redialMs: 100 });
    await pod.die();
    await until(() => pod.open === 0, 'the connection is gone');
    await expect(client.getStatus()).rejects.toMatchObject({ code: 'disconnected' });
    await expect(client.untilConnected()).rejects.toMatchObject({ code: 'unreachable' });
    // Who asks later tries anew.
    await pod.startAnew();
    await client.untilConnected();
  });

  test('CLI-1: asking again and again without a pause ends in an answer as soon as the Pod is back', async () => {
    await using pod = await TalkingPod.listen(({ method }) => ({ is: method }));
    await using client = await openClient(pod.socket);
    const askOn = async (): Promise<unknown> => {
      for (;;) {
        try {
          return await client.getStatus();
        } catch {
          await client.untilConnected();
        }
      }
    };
    await pod.die();
    const answered = askOn();
    await pod.startAnew();
    expect(await answered).toEqual({ is: 'GetStatus' });
  });

  test('CLI-1: closing ends its streams and its calls, and leaves no connection', async () => {
    await using pod = await TalkingPod.listen(() => undefined);
    const client = await openClient(pod.socket);
    const stream = client.events();
    await stream.ready;
    const next = stream.next();
    const call = client.run({ input: 'x' });
    const failed = expect(call).rejects.toMatchObject({ code: 'disconnected' });
    await client[Symbol.asyncDispose]();
    await failed;
    expect(await next).toEqual({ done: true, value: undefined });
    await expect(client.getStatus()).rejects.toMatchObject({ code: 'disconnected' });
    await until(() => pod.open === 0, 'the connections are gone');
  });

  test('CLI-1: a signal closes it in the midst of a wait for the Pod', async () => {
    await using pod = await TalkingPod.listen();
    const controller = new AbortController();
    await using client = await openClient(pod.socket, { signal: controller.signal });
    const stream = client.events();
    await stream.ready;
    await pod.die();
    await expect(client.getStatus()).rejects.toMatchObject({ code: 'disconnected' });
    const reason = new Error('enough');
    const next = stream.next();
    const connected = client.untilConnected();
    controller.abort(reason);
    await expect(next).rejects.toBe(reason);
    await expect(connected).rejects.toMatchObject({ code: 'disconnected' });
  });
});
