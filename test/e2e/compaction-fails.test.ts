import { expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { CompactingPod, refuses, says } from '../support/compacting-pod.ts';
import { expectSound } from '../support/expect-sound.ts';

const RETAINED = 'compact_retained_tokens = 500';
const REQUEST_THRESHOLD = 9000;
const DOWN = refuses(401, 'authentication_error');

test('COMP-1 PROTO-8 PROTO-13: a compaction that fails in a run ends it with its cause, also for who asks again, and a notice of an error; the session is as it was when it yielded', async () => {
  await using bench = await CompactingPod.start({
    settings: [`[compaction]\n${RETAINED}\ncompact_request_threshold = ${REQUEST_THRESHOLD}`],
  });
  const { client, server } = bench;
  bench.compactor(DOWN);
  const run = { input: 'go', inputId: 'i1' };
  const { error } = await client.ask('Run', run);
  expect(error?.data).toMatchObject({ code: 'compaction_failed', cause: 'provider' });
  expect((await client.ask('Run', run)).error).toEqual(error);
  const { runId } = error?.data as { runId: string };
  const failed = await client.event('compaction_failed');
  expect(failed.data).toMatchObject({ cause: 'provider', failures: 1, disabled: false });
  const notice = await client.event('notification', ({ data }) => data['source'] === 'compactor');
  expect(notice.data).toMatchObject({ level: 'error' });
  const end = await client.event('run_end');
  expect(end.data).toMatchObject({ runId, error: { code: 'compaction_failed' } });
  expect(end.seq).toBeGreaterThan(failed.seq);
  const before = await bench.history();
  expect(await client.call('GetStatus')).toMatchObject({
    state: 'idle',
    lastOutcome: 'error',
    sessionId: before.sessionId,
  });

  // The compactor works again: so does the run.
  bench.compactor(null);
  const report = await client.call('Resume');
  expect(report).toMatchObject({ outcome: 'finished', continues: runId });
  expect(report['sessionId']).not.toBe(before.sessionId);
  expect((await bench.history(before.sessionId)).items.slice(0, before.items.length)).toEqual(
    before.items,
  );
  expect(server.refused).toEqual([]);
  await expectSound(bench.pod, client);
});

test('COMP-1 COMP-9 PROTO-13: one that fails after a run is a warning; the report of the run was sent before it began', async () => {
  await using bench = await CompactingPod.start({
    settings: [`[compaction]\n${RETAINED}\ncompact_threshold = 6000`],
  });
  const { client, server } = bench;
  bench.compactor(says('No.'));
  const report = await client.call('Run', { input: 'go' });
  expect(report).toMatchObject({ outcome: 'finished' });
  const failed = await client.event('compaction_failed');
  expect(failed.data).toMatchObject({ cause: 'summary_missing', failures: 1 });
  const notice = await client.event('notification', ({ data }) => data['source'] === 'compactor');
  expect(notice.data).toMatchObject({ level: 'warn' });
  const lines = client.lines.map((line) => JSON.parse(line) as Line);
  const at = (isIt: (line: Line) => boolean): number => lines.findIndex(isIt);
  const answered = at(({ result }) => result?.outcome === 'finished');
  const began = at(({ params }) => params?.event === 'compaction_start');
  expect(answered).toBeGreaterThan(-1);
  expect(answered).toBeLessThan(began);
  expect(began).toBeLessThan(at(({ params }) => params?.event === 'compaction_failed'));

  const before = await bench.history();
  expect(before.sessionId).toBe(report['sessionId']);
  expect(await client.call('GetStatus')).toMatchObject({ lastOutcome: 'finished' });
  expect(await client.call('Run', { input: 'go on' })).toMatchObject({ outcome: 'finished' });
  expect(server.refused).toEqual([]);
  await expectSound(bench.pod, client);
});

type Line = {
  readonly result?: { readonly outcome?: string };
  readonly params?: { readonly event: string };
};

test('COMP-2 COMP-14: after three failures in a row nothing is compacted by itself, also in the next life, and status says so, until a Compact succeeds', async () => {
  await using bench = await CompactingPod.start({
    settings: [
      `[compaction]\n${RETAINED}\ncompact_threshold = 6000\ncompact_request_threshold = ${REQUEST_THRESHOLD}`,
    ],
  });
  const { server, model } = bench;
  let { client } = bench;
  bench.compactor(DOWN);
  for (let failures = 1; failures <= LIMITS.compactionFailures; failures += 1) {
    const { error } = await client.ask('Run', { input: `try ${failures}` });
    expect(error?.data).toMatchObject({ code: 'compaction_failed', cause: 'provider' });
    expect((await client.call('GetStatus'))['compaction']).toMatchObject({
      failures,
      disabled: failures === LIMITS.compactionFailures,
    });
  }
  const off = await client.event('notification', ({ data }) =>
    String(data['message']).includes('nothing is compacted by itself any more'),
  );
  expect(off.data).toMatchObject({ level: 'error', source: 'compactor' });

  await bench.pod.kill9();
  client = await bench.restart();
  expect((await client.call('GetStatus'))['compaction']).toMatchObject({
    failures: LIMITS.compactionFailures,
    disabled: true,
    lastFailure: expect.stringContaining('No.') as string,
  });
  const asked = model.compactorBodies.length;
  expect(await client.call('Run', { input: 'go on' })).toMatchObject({ outcome: 'finished' });
  expect(await client.call('Run', { input: 'and on' })).toMatchObject({ outcome: 'finished' });
  expect(Math.max(...model.tokens)).toBeGreaterThan(1.5 * REQUEST_THRESHOLD);
  expect(model.compactorBodies.length).toBe(asked);

  // One by hand that fails changes nothing, one that succeeds does.
  expect((await client.ask('Compact')).error?.data).toMatchObject({ cause: 'provider' });
  expect((await client.call('GetStatus'))['compaction']).toMatchObject({ disabled: true });
  bench.compactor(null);
  const { sessionId } = await client.call('Compact');
  const { compaction } = await client.call('GetStatus');
  expect(compaction).toMatchObject({ failures: 0, disabled: false });
  expect(await client.call('Run', { input: 'on it goes' })).toMatchObject({ outcome: 'finished' });
  const again = await client.event('compaction_done', ({ data }) => data['from'] === sessionId);
  expect(again.data['tokensAfter']).toBeLessThan(REQUEST_THRESHOLD);
  expect(server.refused).toEqual([]);
  await expectSound(bench.pod, client);
});
