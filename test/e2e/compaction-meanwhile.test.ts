import { expect, test } from 'vitest';
import { CompactingPod } from '../support/compacting-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { deadline } from '../support/slowness.ts';
import { until } from '../support/until.ts';

const RETAINED = 'compaction.compact_retained_tokens = 500';
const IN_RUN = 'compaction.compact_request_threshold = 9000';
const SHORT_RUN = ['a', 'b', '.'];

/** A Pod whose compactor was asked and has not answered; `letGo` lets it. */
async function compactingAlone(): Promise<{
  bench: CompactingPod;
  letGo: () => void;
  answer: ReturnType<CompactingPod['client']['ask']>;
}> {
  const bench = await CompactingPod.start({ settings: [RETAINED], steps: SHORT_RUN });
  await bench.client.call('Run', { input: 'Look at the files.' });
  const letGo = bench.hold();
  const answer = bench.client.ask('Compact');
  await bench.untilCompacting();
  return { bench, letGo, answer };
}

test('COMP-9 PROTO-9 PROTO-18: while the compactor is alone, readers and notes are answered at once, and a Run is accepted and starts when it is done', async () => {
  const { bench, letGo, answer } = await compactingAlone();
  await using _ = bench;
  const { client, server } = bench;
  using other = await bench.pod.client();
  const began = performance.now();
  const status = await other.call('GetStatus');
  expect(performance.now() - began).toBeLessThan(deadline(100));
  expect(status).toMatchObject({ state: 'running', phase: 'compacting' });
  expect(status).not.toHaveProperty('run');
  expect(await other.call('Subscribe')).toMatchObject({ state: 'running' });
  const notified = await other.call('Notify', { message: 'By the way.' });
  expect(notified).toMatchObject({ queued: true, started: false });
  expect(await other.call('GetUsage')).toHaveProperty('records');
  expect((await other.ask('Compact')).error?.data).toMatchObject({ code: 'already_running' });
  expect((await other.ask('Pause')).error?.data).toMatchObject({ code: 'not_running' });
  const run = { input: 'And now?', inputId: 'i1' };
  const { runId } = await other.call('Run', { ...run, wait: 'accepted' });
  const ended = other.ask('Run', run);
  expect(performance.now() - began).toBeLessThan(deadline(1_000));
  expect(await other.call('GetStatus')).toMatchObject({ waiting: { notes: 1, inputs: 1 } });
  expect(client.events.filter(({ event }) => event === 'run_start')).toHaveLength(1);

  letGo();
  const compacted = (await answer).result as { sessionId: string };
  const { result } = await ended;
  expect(result).toMatchObject({ runId, outcome: 'finished', sessionId: compacted.sessionId });
  const done = await client.event('compaction_done');
  const start = await client.event('run_start', ({ data }) => data['runId'] === runId);
  expect(start.seq).toBeGreaterThan(done.seq);
  expect(await other.call('GetStatus')).toMatchObject({ waiting: { notes: 0, inputs: 0 } });
  expect(server.refused).toEqual([]);
  await expectSound(bench.pod, client, other);
});

test('COMP-9: an input that came meanwhile survives a kill -9, and begins at the next start in the old session', async () => {
  const { bench, answer } = await compactingAlone();
  await using _ = bench;
  const before = await bench.history();
  const run = { input: 'And now?', inputId: 'i1' };
  const { runId } = await bench.client.call('Run', { ...run, wait: 'accepted' });
  const broken = expect(answer).rejects.toThrow('ended before the answer');
  await bench.pod.kill9();
  await broken;
  const client = await bench.restart();
  const report = await client.call('Run', run);
  expect(report).toMatchObject({ runId, outcome: 'finished', sessionId: before.sessionId });
  const { items } = await bench.history();
  expect(items.slice(0, before.items.length)).toEqual(before.items);
  expect(bench.server.refused).toEqual([]);
  await expectSound(bench.pod, client);
});

test('COMP-9 PROTO-8: a Run with preempt cancels it; that is no failure', async () => {
  const { bench, answer } = await compactingAlone();
  await using _ = bench;
  const { client, server } = bench;
  const before = await bench.history();
  const report = await client.call('Run', { input: 'And now?', preempt: true });
  expect(report).toMatchObject({ outcome: 'finished', sessionId: before.sessionId });
  expect((await answer).error?.data).toMatchObject({
    code: 'compaction_failed',
    cause: 'cancelled',
  });
  const { compaction } = await client.call('GetStatus');
  expect(compaction).toMatchObject({ failures: 0, disabled: false });
  await until(() => server.open === 0, 'the end of the compactor’s request');
  expect(server.refused).toEqual([]);
  await expectSound(bench.pod, client);
});

test('COMP-9 PROTO-20 PROTO-21: Cancel of a compaction alone answers without a run when its request is gone', async () => {
  const { bench, answer } = await compactingAlone();
  await using _ = bench;
  const { client, server } = bench;
  const before = await bench.history();
  const cancelled = await client.call('Cancel');
  expect(cancelled).toEqual({ runId: null, quiescent: true, survivors: [] });
  expect((await answer).error?.data).toMatchObject({ cause: 'cancelled' });
  await until(() => server.open === 0, 'the end of the compactor’s request');
  expect(await bench.history()).toEqual(before);
  expect((await client.ask('Cancel')).error?.data).toMatchObject({ code: 'not_running' });
  expect(await client.call('Run', { input: 'go on' })).toMatchObject({ outcome: 'finished' });
  await expectSound(bench.pod, client);
});

test('COMP-9 PROTO-21: Cancel of one in a run ends the run as cancelled, once, and nothing is compacted behind it', async () => {
  await using bench = await CompactingPod.start({
    settings: [RETAINED, IN_RUN, 'compaction.compact_threshold = 6000'],
  });
  const { client, model, server } = bench;
  bench.hold();
  const run = client.ask('Run', { input: 'go' });
  await bench.untilCompacting();
  const { state, phase, run: open } = await client.call('GetStatus');
  expect({ state, phase }).toEqual({ state: 'running', phase: 'compacting' });
  const cancelled = await client.call('Cancel');
  expect(cancelled).toMatchObject({ runId: (open as { id: string }).id, quiescent: true });
  expect((await run).result).toMatchObject({ outcome: 'cancelled' });
  const failed = await client.event('compaction_failed');
  expect(failed.data).toMatchObject({ cause: 'cancelled', failures: 0 });
  expect(await client.call('GetStatus')).toMatchObject({ state: 'idle', lastOutcome: 'cancelled' });
  await until(() => server.open === 0, 'the end of the compactor’s request');
  expect(model.compactorBodies).toHaveLength(1);
  expect(server.refused).toEqual([]);
  await expectSound(bench.pod, client);
});

test('COMP-9 INV-6: a Shutdown does not wait for it: the next life goes on in the old session', async () => {
  const { bench, answer } = await compactingAlone();
  await using _ = bench;
  const before = await bench.history();
  await bench.client.call('Shutdown', { mode: 'graceful' });
  expect((await answer).error?.data).toMatchObject({
    code: 'compaction_failed',
    cause: 'cancelled',
  });
  expect(await bench.pod.exit()).toBe(0);
  const client = await bench.restart();
  expect(await bench.history()).toEqual(before);
  expect(await client.call('Run', { input: 'go on' })).toMatchObject({ outcome: 'finished' });
  await expectSound(bench.pod, client);
});

test('COMP-9 INV-6: a Shutdown in the compaction of a run cancels the run; a Resume goes on and compacts again', async () => {
  await using bench = await CompactingPod.start({ settings: [RETAINED, IN_RUN] });
  const letGo = bench.hold();
  const run = bench.client.ask('Run', { input: 'go' });
  await bench.untilCompacting();
  const before = await bench.history();
  await bench.client.call('Shutdown');
  expect((await run).result).toMatchObject({ outcome: 'cancelled' });
  expect(await bench.pod.exit()).toBe(0);
  letGo();
  const client = await bench.restart();
  expect(await bench.history()).toEqual(before);
  expect(await client.call('Resume')).toMatchObject({ outcome: 'finished' });
  expect((await bench.history()).sessionId).not.toBe(before.sessionId);
  expect(bench.server.refused).toEqual([]);
  await expectSound(bench.pod, client);
});
