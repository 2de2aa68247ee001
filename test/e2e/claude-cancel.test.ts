import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { claudePod } from '../support/claude-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { type Conduct, ModelServer } from '../support/model-server.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { deadline } from '../support/slowness.ts';
import { until } from '../support/until.ts';

const CANCELS = 200;
/** A run of two turns takes some 30 ms here, so that a cancel comes anywhere in it. */
const MOMENT_MS_MAX = 40;

const WORDS = 'word '.repeat(20);

/** What a request may meet: each kind of answer, at its own pace, and each kind of wait. */
function conducts(file: string, n: number): readonly Conduct[] {
  const write = (call: string) => ({
    call: `${call}${n}`,
    name: 'Write',
    input: { file_path: `${file}${call}`, content: WORDS },
  });
  const read = { call: `r${n}`, name: 'Read', input: { file_path: file } };
  return [
    { kind: 'silent' },
    { kind: 'begins', then: 'stalls' },
    { kind: 'answer', blocks: [{ text: WORDS }], paceMs: 3 },
    {
      kind: 'answer',
      blocks: [{ thinking: 'hm', signature: 's' }, { text: 'I look.' }, read, write('a')],
      paceMs: 1,
    },
    { kind: 'answer', blocks: [write('a'), write('b'), write('c'), read] },
    {
      kind: 'status',
      status: 429,
      type: 'rate_limit_error',
      message: 'later',
      headers: { 'retry-after': '5' },
    },
  ];
}

describe('Cancel with Claude', () => {
  test('PROTO-21 PROV-5 LOOP-3: 200 times at random, nothing of the run is left alive, and the Pod goes on', async () => {
    const seed = Number(process.env['PODD_TEST_SEED'] ?? Date.now() % 1_000_000);
    const random = randomNumbers(seed);
    await using server = new ModelServer();
    await using pod = await claudePod(server);
    const file = pod.file('f', 'content');
    server.conduct(() => {
      const all = conducts(file, server.asked.length);
      const conduct = all[Math.floor(random() * all.length)];
      if (conduct === undefined) throw new Error('no conduct');
      return conduct;
    });
    await pod.start();
    using client = await pod.client();
    const counts = { cancelled: 0, finished: 0, early: 0 };
    const descriptors = (): number => readdirSync(`/proc/${pod.pid}/fd`).length;
    let before = 0;
    for (let n = 1; n <= CANCELS; n += 1) {
      const at = `seed ${seed}, cancel ${n}`;
      const report = client.ask('Run', { input: at });
      await setTimeout(random() * MOMENT_MS_MAX);
      const begun = performance.now();
      const cancelled = await client.ask('Cancel');
      const { result } = await report;
      const { outcome } = result as { outcome: string };
      if (outcome === 'finished') counts.finished += 1;
      else {
        expect(outcome, at).toBe('cancelled');
        // Cancelled before it was stored, a run was never there.
        if (cancelled.error === undefined) counts.cancelled += 1;
        else counts.early += 1;
      }
      if (cancelled.error === undefined) {
        expect(cancelled.result, at).toMatchObject({ quiescent: true, survivors: [] });
        expect(performance.now() - begun, at).toBeLessThan(deadline(5_000));
        // The server learns of it by the connection, a moment later.
        await until(() => server.open === 0, `${at}: the end of its request`, 100);
      } else expect(cancelled.error.data, at).toMatchObject({ code: 'not_running' });
      if (n === 20) before = descriptors();
    }
    expect(counts.cancelled, `seed ${seed}`).toBeGreaterThan(CANCELS / 2);
    expect(descriptors(), `seed ${seed}`).toBeLessThanOrEqual(before + 3);
    expect(readdirSync(`/proc/${pod.pid}/task`).length).toBeLessThan(20);
    server.conduct({ kind: 'answer', blocks: [{ text: 'Here.' }] });
    expect(await client.call('Run', { input: 'and now?' })).toMatchObject({ text: 'Here.' });
    // Whatever was left of the two hundred, the API took every request.
    expect(server.refused, `seed ${seed}`).toEqual([]);
    const left = readdirSync(pod.workspace).filter((name) => name.startsWith('.'));
    expect(left.map((name) => join(pod.workspace, name))).toEqual([]);
    const entries = await expectSound(pod, client);
    const outcomes = entries.filter(({ kind }) => kind === 'run_outcome');
    expect(outcomes.length, `seed ${seed}`).toBeGreaterThanOrEqual(counts.cancelled);
  });

  test('PROTO-18 PROTO-9: in a flood of deltas, with the work lane full, GetStatus answers within its 100 ms and Cancel goes first', async () => {
    await using server = new ModelServer({ kind: 'begins', then: 'floods' });
    await using pod = await claudePod(server);
    await pod.start();
    using client = await pod.client();
    const report = client.ask('Run', { input: 'flood' });
    const waits: number[] = [];
    const phases = new Set<unknown>();
    while (waits.length < 30) {
      const asked = performance.now();
      const { phase } = await client.call('GetStatus');
      if (phases.add(phase).has('streaming')) waits.push(performance.now() - asked);
    }
    expect(Math.max(...waits)).toBeLessThan(deadline(100));
    const refused = Array.from({ length: 100 }, () => client.ask('Run', { input: 'more' }));
    const begun = performance.now();
    expect(await client.call('Cancel')).toMatchObject({ quiescent: true });
    expect(performance.now() - begun).toBeLessThan(deadline(1_000));
    expect((await report).result).toMatchObject({ outcome: 'cancelled' });
    for (const { error } of await Promise.all(refused))
      expect(['already_running', 'busy']).toContain((error?.data as { code: string }).code);
    await until(() => server.open === 0, 'the end of the request');
    await expectSound(pod, client);
  });
});
