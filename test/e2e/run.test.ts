import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { expectSound } from '../support/expect-sound.ts';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';

const HELLO = '[[steps]]\ntext = "Hello there"\n';
const SLOW = '[[steps]]\ntext = "Hello there"\nchunk_bytes = 1\ndelay_ms = 20\n';

async function started(script: string, worker = ''): Promise<TempPod> {
  const pod = new TempPod({ script, worker });
  await pod.start();
  return pod;
}

describe('Run', () => {
  test('PROTO-1, PROTO-7: one line from socat is answered with the report', async () => {
    await using pod = await started(SLOW);
    const socat = spawn('socat', ['-t', '60', '-', `UNIX-CONNECT:${pod.socket}`]);
    let out = '';
    socat.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    socat.stdin.end('{"jsonrpc":"2.0","id":1,"method":"Run","params":{"input":"hi"}}\n');
    const [code] = (await once(socat, 'close')) as [number];
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: {
        runId: expect.any(String) as string,
        outcome: 'finished',
        text: 'Hello there',
        turns: 1,
        usage: expect.objectContaining({ cacheRead: 0 }) as object,
        sessionId: pod.ready?.sessionId,
        stopReason: 'end',
      },
    });
    await expectSound(pod);
  });

  test('PROTO-6: wait ended answers when the run is over', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    await client.call('Subscribe');
    const report = await client.call('Run', { input: 'hi', wait: 'ended' });
    expect(report).toMatchObject({ outcome: 'finished', text: 'Hello there' });
    // What the run did was told before its answer.
    const lineOf = (part: string): number => client.lines.findIndex((line) => line.includes(part));
    expect(lineOf('"run_end"')).toBeGreaterThan(0);
    expect(lineOf('"run_end"')).toBeLessThan(lineOf('"id":"w2"'));
    await expectSound(pod, client);
  });

  test('PROTO-6, INV-1: wait accepted answers at once with the run’s id, its input being stored', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    await client.call('Subscribe');
    const answer = await client.call('Run', { input: 'hi', wait: 'accepted' });
    expect(Object.keys(answer)).toEqual(['runId']);
    expect(client.events.some(({ event }) => event === 'run_end')).toBe(false);
    expect(await client.call('GetHistory')).toMatchObject({
      items: [{ role: 'user', content: [{ text: 'hi' }] }],
    });
    const end = await client.event('run_end');
    expect(end.data).toMatchObject({ runId: answer['runId'], outcome: 'finished' });
    await expectSound(pod, client);
  });

  test('PROTO-6: the notification form is accepted without an answer', async () => {
    await using pod = await started(HELLO);
    using client = await pod.client();
    await client.call('Subscribe');
    client.send('{"jsonrpc":"2.0","method":"Run","params":{"input":"hi"}}\n');
    const end = await client.event('run_end');
    expect(end.data).toMatchObject({ report: { text: 'Hello there' } });
    expect(client.answers).toHaveLength(1);
    await expectSound(pod, client);
  });

  test('PROTO-8: a second Run is already_running, with the state and the run that is open', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    const { runId } = await client.call('Run', { input: 'hi', wait: 'accepted' });
    const second = await client.ask('Run', { input: 'me too' });
    expect(second.error).toMatchObject({
      code: -32000,
      data: { code: 'already_running', retryable: true, state: 'running', run: { id: runId } },
    });
    await client.call('Cancel');
    const entries = await expectSound(pod, client);
    expect(entries.filter(({ kind }) => kind === 'run_start')).toHaveLength(1);
  });

  test('PROTO-11: the events of a run come in their order, each as its schema says', async () => {
    await using pod = await started('[[steps]]\nreasoning = "hm"\ntext = "yes"\n');
    using client = await pod.client();
    await client.call('Subscribe');
    await client.call('Run', { input: 'hi' });
    await client.event('state', ({ data }) => data['state'] === 'idle');
    const names = client.events.map(({ event, data }) =>
      event === 'state' ? [data['state'], data['phase']].join(' ').trim() : event,
    );
    expect(names).toEqual([
      'running preparing',
      'run_start',
      'history',
      'running requesting',
      'turn_start',
      'running streaming',
      'reasoning_delta',
      'text_delta',
      'reasoning_done',
      'text_done',
      'history',
      'usage',
      'turn_end',
      'run_end',
      'idle',
    ]);
    await expectSound(pod, client);
  });

  test('PROTO-4: a client that disconnects does not stop the run that it started', async () => {
    await using pod = await started(SLOW);
    using other = await pod.client();
    await other.call('Subscribe');
    const client = await pod.client();
    void client.ask('Run', { input: 'hi' }).catch(() => undefined);
    await other.event('text_delta');
    client.socket.destroy();
    const end = await other.event('run_end');
    expect(end.data).toMatchObject({ outcome: 'finished', report: { text: 'Hello there' } });
    await expectSound(pod, other);
  });

  test('LOOP-3, LOOP-7, PROTO-7: the turn limit ends a run as limit_reached, and Resume goes on', async () => {
    const call = '[[steps.tool_calls]]\nname = "Read"\narguments.file_path = "{{workspace}}/a"\n';
    await using pod = await started(
      `[[steps]]\n${call}[[steps]]\n${call}[[steps]]\ntext = "done"`,
      'max_turns = 2',
    );
    pod.file('a', 'text\n');
    using client = await pod.client();
    const first = await client.call('Run', { input: 'hi' });
    expect(first).toMatchObject({ outcome: 'limit_reached', turns: 2, text: '' });
    const second = await client.call('Resume');
    expect(second).toMatchObject({
      outcome: 'finished',
      turns: 1,
      text: 'done',
      continues: first['runId'],
    });
    await expectSound(pod, client);
  });

  test('PROTO-7, PROTO-8: a run that fails answers with an error that names its code, run and retryable', async () => {
    await using pod = await started(
      '[[steps]]\nerror = { status = 401 }\n[[steps]]\ntext = "now"\n',
    );
    using client = await pod.client();
    await client.call('Subscribe');
    const failed = await client.ask('Run', { input: 'hi' });
    expect(failed.error).toMatchObject({
      code: -32012,
      data: { code: 'provider_error', runId: expect.any(String) as string, retryable: false },
    });
    const end = await client.event('run_end');
    const { runId } = failed.error?.data as { runId: string };
    expect(end.data).toEqual({
      runId,
      error: { code: 'provider_error', message: failed.error?.message },
    });
    expect(await client.call('GetStatus')).toMatchObject({ state: 'idle', lastOutcome: 'error' });
    expect(await client.call('Resume')).toMatchObject({ text: 'now', continues: runId });
    await expectSound(pod, client);
  });

  test('INV-3: an empty answer is asked for once more, then the run fails', async () => {
    await using pod = await started(
      '[[steps]]\nreasoning = "…"\n[[steps]]\ntext = "there"\n[[steps]]\n[[steps]]\n',
    );
    using client = await pod.client();
    await client.call('Subscribe');
    expect(await client.call('Run', { input: 'once' })).toMatchObject({ text: 'there' });
    const retry = await client.event('retry');
    expect(retry.data).toMatchObject({ attempt: 1, reason: 'empty_answer' });
    const dropped = client.events.find(({ event }) => event === 'reasoning_delta')?.data['block'];
    expect(retry.data['discarded']).toEqual([dropped]);
    const failed = await client.ask('Run', { input: 'twice' });
    expect(failed.error?.data).toMatchObject({ code: 'provider_error', reason: 'empty_answer' });
    const entries = await expectSound(pod, client);
    expect(entries.filter(({ kind }) => kind === 'run_outcome')).toMatchObject([
      { outcome: 'finished' },
      { outcome: 'error' },
    ]);
  });

  test('PROTO-18: a Run that comes while another is refused in time, from any number of clients', async () => {
    await using pod = await started(SLOW);
    const clients = await Promise.all(Array.from({ length: 20 }, () => pod.client()));
    const begun = performance.now();
    const answers = await Promise.all(
      clients.map((client) => client.ask('Run', { input: 'me', wait: 'accepted' })),
    );
    expect(performance.now() - begun).toBeLessThan(deadline(2_000));
    expect(answers.filter(({ result }) => result !== undefined)).toHaveLength(1);
    for (const { error } of answers)
      if (error !== undefined) expect(error.data).toMatchObject({ code: 'already_running' });
    const [client] = clients;
    await client?.call('Cancel');
    await expectSound(pod, ...clients);
    for (const one of clients) one.socket.destroy();
  });
});
