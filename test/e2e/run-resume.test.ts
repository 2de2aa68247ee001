import { describe, expect, test } from 'vitest';
import { expectSound } from '../support/expect-sound.ts';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';

const LONG = 'one two three four five six seven eight nine ten '.repeat(20);
const SLOW = `[[steps]]\ntext = "${LONG}"\nchunk_bytes = 4\ndelay_ms = 10\n[[steps]]\ntext = "Again"\n`;

async function started(script: string, args: readonly string[] = []): Promise<TempPod> {
  const pod = new TempPod({ script, args });
  await pod.start();
  return pod;
}

/** A run that has said something and goes on saying it. */
async function midStream(
  client: WireClient,
): Promise<{ runId: unknown; report: Promise<unknown> }> {
  await client.call('Subscribe');
  const report = client.ask('Run', { input: 'go' });
  const { data } = await client.event('run_start');
  await client.event('text_delta', (event) => Number(event.data['offset']) > 20);
  return { runId: data['runId'], report };
}

describe('Cancel', () => {
  test('PROTO-21, PROTO-4: mid-stream it answers quiescent, keeps the text as incomplete, and the next run finishes', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    const { runId, report } = await midStream(client);
    const begun = performance.now();
    const answer = await client.call('Cancel');
    expect(performance.now() - begun).toBeLessThan(deadline(5_000));
    expect(answer).toEqual({ runId, quiescent: true, survivors: [] });
    const { items } = (await client.call('GetHistory')) as { items: Record<string, unknown>[] };
    expect(items).toHaveLength(2);
    const [part] = items[1]?.['content'] as [{ text: string }];
    expect(items[1]).toMatchObject({ role: 'assistant', status: 'incomplete' });
    expect(part.text.length).toBeGreaterThan(20);
    expect(LONG.startsWith(part.text)).toBe(true);
    expect(await report).toMatchObject({
      result: { outcome: 'cancelled', runId, text: part.text },
    });
    expect(await client.call('GetStatus')).toMatchObject({
      state: 'idle',
      lastOutcome: 'cancelled',
    });
    // The same text was told as done, once it was stored.
    expect((await client.event('text_done')).data).toMatchObject({ text: part.text });
    expect(await client.call('Run', { input: 'again' })).toMatchObject({ text: 'Again' });
    await expectSound(pod, client);
  });

  test('PROTO-18: cancelling twice answers twice', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    using other = await pod.client();
    const { runId } = await midStream(client);
    const answers = await Promise.all([
      client.ask('Cancel'),
      client.ask('Cancel'),
      other.ask('Cancel'),
    ]);
    for (const { result, error } of answers)
      if (error === undefined) expect(result).toEqual({ runId, quiescent: true, survivors: [] });
      else expect(error.data).toMatchObject({ code: 'not_running' });
    // The two of one connection are taken before the run can have ended.
    expect(answers.slice(0, 2).every(({ error }) => error === undefined)).toBe(true);
    const entries = await expectSound(pod, client);
    expect(entries.filter(({ kind }) => kind === 'run_outcome')).toHaveLength(1);
  });

  test('PROTO-8: without a run it is not_running', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    expect((await client.ask('Cancel')).error).toMatchObject({
      code: -32001,
      data: { code: 'not_running', retryable: false },
    });
    await expectSound(pod, client);
  });

  test('INV-4, LOOP-3: in the middle of a tool call it leaves each call its one result', async () => {
    const calls = Array.from(
      { length: 30 },
      (_, at) =>
        `[[steps.tool_calls]]\nname = "Write"\narguments.file_path = "{{workspace}}/f${at}"\narguments.content = "x"\n`,
    );
    await using pod = await started(`[[steps]]\n${calls.join('')}`);
    using client = await pod.client();
    await client.call('Subscribe');
    const report = client.ask('Run', { input: 'go' });
    await client.event('state', ({ data }) => data['phase'] === 'tools');
    expect(await client.call('Cancel')).toMatchObject({ quiescent: true });
    const { result, error } = await report;
    // The tools may all have been done before the cancel came; the script then has no step left.
    expect(error === undefined ? result : error.data).toMatchObject(
      error === undefined ? { outcome: 'cancelled' } : { code: 'provider_error' },
    );
    const entries = await expectSound(pod, client);
    const results = entries.flatMap((entry) => (entry.kind === 'tool_results' ? entry.items : []));
    expect(results).toHaveLength(30);
  });

  test('INV-3: a cancel at any moment ends its run once, and the Pod goes on', async () => {
    await using pod = await started(
      `loop = true\n[[steps]]\ntext = "some words here"\nchunk_bytes = 3\ndelay_ms = 1\n`,
    );
    using client = await pod.client();
    await client.call('Subscribe');
    const outcomes = new Set<unknown>();
    for (let waitMs = 0; waitMs < 24; waitMs += 1) {
      const report = client.ask('Run', { input: `run ${waitMs}` });
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const cancelled = await client.ask('Cancel');
      const { result } = await report;
      const { outcome } = result as { outcome: unknown };
      outcomes.add(outcome);
      if (cancelled.error === undefined)
        expect(cancelled.result).toMatchObject({ quiescent: true });
      else expect(outcome).toBe('finished');
    }
    expect(outcomes).toContain('cancelled');
    await expectSound(pod, client);
  });
});

describe('Resume', () => {
  test('PROTO-20: it continues a cancelled run as a new one', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    const { runId } = await midStream(client);
    await client.call('Cancel');
    const resumed = await client.call('Resume');
    expect(resumed).toMatchObject({ outcome: 'finished', text: 'Again', continues: runId });
    expect(resumed['runId']).not.toBe(runId);
    const start = await client.event('run_start', ({ data }) => data['runId'] !== runId);
    expect(start.data).toMatchObject({ trigger: 'resume', continues: runId });
    expect((await client.ask('Resume')).error?.data).toMatchObject({ code: 'nothing_to_resume' });
    await expectSound(pod, client);
  });

  test('PROTO-20: before any run and after a finished one there is nothing to resume', async () => {
    await using pod = await started('[[steps]]\ntext = "done"\n');
    using client = await pod.client();
    const nothing = { code: -32002, data: { code: 'nothing_to_resume', retryable: false } };
    expect((await client.ask('Resume')).error).toMatchObject(nothing);
    await client.call('Run', { input: 'go' });
    expect((await client.ask('Resume')).error).toMatchObject(nothing);
    await expectSound(pod, client);
  });

  test('PROTO-20: it continues a run that failed, also when the Pod was stopped between', async () => {
    await using pod = await started(
      '[[steps]]\nerror = "disconnect"\ntext = "halfway"\n[[steps]]\ntext = "ok"\n',
      ['--overlay', 'provider.max_retries = 0'],
    );
    using client = await pod.client();
    const failed = await client.ask('Run', { input: 'go' });
    expect(failed.error?.data).toMatchObject({ code: 'provider_error', retryable: true });
    const { runId } = failed.error?.data as { runId: string };
    await client.call('Shutdown');
    expect(await pod.exit()).toBe(0);
    pod.script('[[steps]]\ntext = "ok"\n');
    await pod.start();
    using again = await pod.client();
    expect(await again.call('GetStatus')).toMatchObject({ lastOutcome: 'error' });
    expect(await again.call('Resume', { wait: 'ended' })).toMatchObject({
      text: 'ok',
      continues: runId,
    });
    await expectSound(pod, again);
  });

  test('PROTO-20: while a run is open it is already_running', async () => {
    await using pod = await started(SLOW);
    using client = await pod.client();
    await midStream(client);
    expect((await client.ask('Resume')).error?.data).toMatchObject({ code: 'already_running' });
    await client.call('Cancel');
    await expectSound(pod, client);
  });
});
