import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { allText } from '../../support/item-text.ts';
import {
  answers,
  asks,
  compactingPod,
  SUMMARY,
  told,
  writesSummary,
} from '../../support/compacting-bench.ts';
import { deferred } from '../../../daemon/support/deferred.ts';
import { HeldStore } from '../../support/held-store.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { aborted } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

const LONG = 'words of the model, many of them. '.repeat(60);

function textsOf(items: readonly Item[] | undefined): string {
  return allText(items ?? []);
}

describe('a Pod over its threshold after a run', () => {
  const settings = { threshold: 500 };

  test('COMP-1, COMP-6, COMP-7: compacts when idle, and goes on in a session that names the one it came from', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), answers('two')],
      compactor: [writesSummary()],
      settings,
    });
    const { sessionId: before } = bench.pod.status();
    const first = await bench.pod.run({ input: 'start' });
    expect(first).toMatchObject({ outcome: 'finished', text: LONG, sessionId: before });
    await until(() => told(bench, 'compaction_done').length === 1, 'it');
    const { sessionId: after, compaction } = bench.pod.status();
    expect(after).not.toBe(before);
    expect(compaction).toEqual({ disabled: false, failures: 0, lastAt: 1000 });
    expect(told(bench, 'compaction_start')).toEqual([{ sessionId: before }]);
    const [done] = told(bench, 'compaction_done') as {
      tokensBefore: number;
      tokensAfter: number;
    }[];
    expect(done).toMatchObject({ from: before, sessionId: after });
    expect(done?.tokensAfter).toBeLessThan(done?.tokensBefore ?? 0);
    expect(told(bench, 'session_changed')).toEqual([
      { from: before, sessionId: after, reason: 'compacted' },
    ]);
    const [summary, ledger] = bench.items();
    expect(textsOf(summary === undefined ? [] : [summary])).toBe(
      `[Compacted context summary]\n\n${SUMMARY}`,
    );
    expect(textsOf(ledger === undefined ? [] : [ledger])).toContain('start');
    expect(bench.pod.status()).toMatchObject({
      state: 'idle',
      turnCount: 1,
      lastOutcome: 'finished',
    });

    await bench.pod.run({ input: 'and on' });
    expect(textsOf(bench.requests[1]?.items)).toContain(SUMMARY);
    // The old one stays as it was.
    const past = await bench.pod.history({ sessionId: before });
    expect(textsOf(past.items)).toContain('start');
  });

  test('COMP-9: the report of the run is there before the compactor answers, and reads are answered meanwhile', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    await using bench = await compactingPod({
      answers: [answers(LONG), answers('two')],
      compactor: [
        async function* () {
          await gate;
          yield* writesSummary();
        },
      ],
      settings,
    });
    await bench.pod.run({ input: 'start' });
    expect(bench.pod.status()).toMatchObject({ state: 'running', phase: 'compacting' });
    expect(bench.pod.status().run).toBeUndefined();
    expect(await bench.pod.notify({ message: 'a word' })).toMatchObject({ started: false });
    const later = bench.pod.run({ input: 'later' });
    await until(() => bench.pod.status().waiting.inputs === 1, 'it');
    release();
    expect(await later).toMatchObject({ outcome: 'finished', text: 'two' });
    expect(textsOf(bench.requests[1]?.items)).toContain('a word');
  });

  test('COMP-9: a Run with preempt cancels the compaction; a Cancel does too and answers without a run', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), answers('two'), answers('three')],
      compactor: [(_request, signal) => stuck(signal), (_request, signal) => stuck(signal)],
      settings,
    });
    const { sessionId } = bench.pod.status();
    await bench.pod.run({ input: 'start' });
    const run = await bench.pod.run({ input: 'now', preempt: true });
    expect(run).toMatchObject({ outcome: 'finished', text: 'two', sessionId });
    expect(bench.pod.status()).toMatchObject({ phase: 'compacting' });
    expect(await bench.pod.cancel()).toEqual({ runId: null, quiescent: true, survivors: [] });
    expect(told(bench, 'compaction_failed')).toMatchObject([
      { cause: 'cancelled', failures: 0, disabled: false },
      { cause: 'cancelled', failures: 0, disabled: false },
    ]);
    expect(bench.pod.status()).toMatchObject({ state: 'idle', sessionId });
  });

  test('PROTO-21, COMP-9: a Cancel means the compaction that worked when it was asked, not the run that has begun since', async () => {
    const held = new HeldStore(new MemoryDisk().open());
    const answered = deferred<undefined>();
    await using bench = await compactingPod({
      answers: [answers(LONG), answers('two')],
      compactor: [
        async function* () {
          await answered.promise;
          yield* writesSummary();
        },
      ],
      settings,
      store: held.store,
    });
    await bench.pod.run({ input: 'start' });
    const run = bench.pod.run({ input: 'two' });
    await until(() => bench.pod.status().waiting.inputs === 1, 'the queue');
    held.hold();
    answered.resolve(undefined);
    await until(() => held.waiting > 0, 'what the compactor cost on its way to the disk');
    held.letGo();
    held.hold();
    await until(() => held.waiting > 0, 'the new session on its way to the disk');
    const cancel = bench.pod.cancel();
    held.letGo();
    expect(await cancel).toEqual({ runId: null, quiescent: true, survivors: [] });
    expect(await run).toMatchObject({ outcome: 'finished', text: 'two' });
  });

  test('COMP-13, COMP-14: what all fits into the retained part is left as it is, without a word', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG)],
      compactor: [],
      settings: { threshold: 100, retainedTokens: 5000 },
    });
    await bench.pod.run({ input: 'start' });
    expect(bench.pod.status()).toMatchObject({ state: 'idle' });
    expect(told(bench, 'compaction_start')).toEqual([]);
  });

  test('COMP-2: three failures in a row switch it off; one by hand that succeeds switches it on again', async () => {
    const bad = async function* () {
      await Promise.resolve();
      yield* answers('no summary');
    };
    const failing = [bad, bad, bad, bad, bad, bad];
    await using bench = await compactingPod({
      answers: Array.from({ length: 6 }, (_, index) => answers(`${LONG} ${index}`)),
      compactor: [...failing, writesSummary()],
      settings,
    });
    for (const failures of [1, 2, 3]) {
      await bench.pod.run({ input: 'start' });
      await until(() => bench.pod.status().state === 'idle', 'it');
      expect(bench.pod.status().compaction).toMatchObject({
        failures,
        disabled: failures === 3,
        lastFailure: 'the compactor handed in no summary',
      });
    }
    expect(told(bench, 'notification')).toMatchObject([
      { level: 'warn', source: 'compactor' },
      { level: 'warn', source: 'compactor' },
      { level: 'warn', source: 'compactor' },
      { level: 'error', source: 'compactor' },
    ]);
    // Off: nothing begins.
    await bench.pod.run({ input: 'more' });
    expect(bench.pod.status().state).toBe('idle');
    expect(bench.compactorRequests).toHaveLength(6);
    await bench.pod.compact({});
    expect(bench.pod.status().compaction).toMatchObject({ failures: 0, disabled: false });
  });
});

describe('a run over its request threshold', () => {
  const settings = { requestThreshold: 900 };
  const fill = (bytes: number) => asks('Fill', { bytes });

  test('COMP-1, LOOP-7: yields, is compacted and goes on by itself: one run, one start, one end, one sum', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), fill(900), fill(900), fill(900), answers('done')],
      compactor: [writesSummary(), writesSummary()],
      settings,
    });
    await bench.pod.run({ input: 'start' });
    const { sessionId: before } = bench.pod.status();
    const report = await bench.pod.run({ input: 'fill' });
    const { sessionId: after } = bench.pod.status();
    expect(report).toMatchObject({
      outcome: 'finished',
      text: 'done',
      turns: 4,
      sessionId: after,
    });
    expect(after).not.toBe(before);
    const own = bench.entries().filter((entry) => 'runId' in entry && entry.runId === 'run-2');
    expect(own.filter(({ kind }) => kind === 'run_start')).toHaveLength(1);
    expect(own.filter(({ kind }) => kind === 'run_outcome')).toHaveLength(1);
    expect(own.filter(({ kind }) => kind === 'run_yielded').length).toBeGreaterThan(0);
    expect(told(bench, 'run_start')).toHaveLength(2);
    expect(told(bench, 'run_end')).toHaveLength(2);
    const paid = bench.requests.slice(1).length;
    expect(paid).toBe(4);
    const phases = (told(bench, 'state') as { phase?: string }[]).map(({ phase }) => phase);
    expect(phases).toContain('compacting');
    // Asked for nothing twice: each call has one result in what was sent last.
    const last = bench.requests.at(-1)?.items ?? [];
    expect(last.filter(({ type }) => type === 'tool_call').length).toBe(
      last.filter(({ type }) => type === 'tool_result').length,
    );
  });

  test('COMP-1, INV-3: a failure ends the run with its cause, and the session is as it was', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), fill(3000), answers('after')],
      compactor: [answers('no'), answers('no')],
      settings,
    });
    await bench.pod.run({ input: 'start' });
    const { sessionId } = bench.pod.status();
    await expect(bench.pod.run({ input: 'fill' })).rejects.toMatchObject({
      code: 'compaction_failed',
      data: { cause: 'summary_missing', runId: 'run-2' },
    });
    expect(bench.pod.status()).toMatchObject({ state: 'idle', sessionId, lastOutcome: 'error' });
    expect(told(bench, 'notification')).toMatchObject([{ level: 'error', source: 'compactor' }]);
    expect(textsOf(bench.items())).toContain('start');
  });

  test('COMP-2, COMP-14: over it again right after a compaction is thrash, with what fills the window', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG)],
      compactor: [writesSummary()],
      settings: { ...settings, retainedTokens: 0 },
    });
    await bench.pod.run({ input: 'start' });
    await bench.pod.compact({});
    await expect(bench.pod.run({ input: 'x'.repeat(8000) })).rejects.toMatchObject({
      code: 'compaction_thrash',
      message: expect.stringMatching(
        /nothing left to compact.*system prompt and tools.*a message of the user/,
      ) as string,
    });
    expect(bench.pod.status()).toMatchObject({ state: 'idle', lastOutcome: 'error' });
    // It is no failure of the compactor's.
    expect(bench.pod.status().compaction.failures).toBe(0);
  });

  test('COMP-13: a second compaction much later in the same run is no thrash', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), ...Array.from({ length: 8 }, () => fill(900)), answers('done')],
      compactor: [writesSummary(), writesSummary(), writesSummary(), writesSummary()],
      settings,
    });
    await bench.pod.run({ input: 'start' });
    expect(await bench.pod.run({ input: 'fill' })).toMatchObject({ outcome: 'finished', turns: 9 });
    expect(told(bench, 'compaction_done').length).toBeGreaterThan(1);
  });

  test('COMP-9, PROTO-21: a Cancel while it is compacted ends the run as cancelled', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), answers('after')],
      compactor: [(_request, signal) => stuck(signal), writesSummary()],
      settings,
    });
    await bench.pod.run({ input: 'start' });
    const { sessionId } = bench.pod.status();
    const run = bench.pod.run({ input: 'fill' });
    await until(() => bench.compactorRequests.length === 1, 'it');
    expect(bench.pod.status()).toMatchObject({ phase: 'compacting', run: { id: 'run-2' } });
    expect(await bench.pod.cancel()).toMatchObject({ runId: 'run-2', quiescent: true });
    expect(await run).toMatchObject({ outcome: 'cancelled', turns: 0, sessionId });
    expect(await bench.pod.run({ input: 'go' })).toMatchObject({ text: 'after' });
  });
});

async function* stuck(signal: AbortSignal) {
  yield* [];
  await aborted(signal);
}
