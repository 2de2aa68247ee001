import { afterEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../../daemon/core/fault.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { HeldStore } from '../../support/held-store.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { failing } from '../../support/failing-store.ts';
import { aborted, calls, podBench, says, stalls, tool } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

afterEach(() => {
  vi.useRealTimers();
});

const kinds = (bench: { entries: () => readonly { readonly kind: string }[] }): string[] =>
  bench.entries().map(({ kind }) => kind);

describe('Pod', () => {
  test('PROTO-6 INV-1: accepted is answered when the input is on disk, and not before', async () => {
    const held = new HeldStore(new MemoryDisk().open());
    await using bench = await podBench({ answers: [says('ok')], store: held.store });
    held.hold();
    let answered = false;
    const answer = bench.pod.run({ input: 'go', wait: 'accepted' }).then((reply) => {
      answered = true;
      return reply;
    });
    await until(() => held.waiting === 1, 'the write of the input');
    for (let turns = 0; turns < 20; turns += 1)
      await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    expect(bench.published.map(({ event }) => event)).not.toContain('history');
    expect(bench.requests).toHaveLength(0);
    expect(bench.pod.status().committingSince).not.toBeNull();
    held.letGo();
    await expect(answer).resolves.toEqual({ runId: 'run-1' });
  });

  test('PROTO-20: a Run while one is open is refused and says which is, and the open one goes on', async () => {
    await using bench = await podBench({ answers: [stalls('a')] });
    const first = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    await expect(bench.pod.run({ input: 'too' })).rejects.toMatchObject({
      code: 'already_running',
      data: { state: 'running', run: { id: 'run-1' } },
    });
    await expect(bench.pod.resume({})).rejects.toMatchObject({ code: 'already_running' });
    await bench.pod.cancel();
    await expect(first).resolves.toMatchObject({ outcome: 'cancelled' });
  });

  test('PROTO-18 INV-12: work over the limit of the lane is busy; control is taken all the same', async () => {
    const held = new HeldStore(new MemoryDisk().open());
    await using bench = await podBench({ answers: [says('ok')], store: held.store });
    held.hold();
    const first = bench.pod.run({ input: 'go' });
    await until(() => held.waiting === 1, 'the loop to wait for the disk');
    const more = Array.from({ length: LIMITS.workLane }, () =>
      bench.pod.run({ input: 'x' }).catch((error: unknown) => error),
    );
    await expect(bench.pod.run({ input: 'x' })).rejects.toMatchObject({ code: 'busy' });
    const cancelled = bench.pod.cancel();
    held.letGo();
    await expect(cancelled).resolves.toMatchObject({ quiescent: true });
    await expect(first).resolves.toMatchObject({ outcome: 'cancelled' });
    // The cancel went first, so whatever waited behind it found an idle Pod or another run.
    await Promise.all(more);
  });

  test('PROTO-20 INV-3: a cancel while the run is prepared leaves no record and no event of a run', async () => {
    await using bench = await podBench({
      answers: [says('ok')],
      parts: { renderSystemPrompt: (signal) => aborted(signal) },
    });
    const report = bench.pod.run({ input: 'go' });
    await until(() => bench.pod.status().phase === 'preparing', 'preparing');
    await expect(bench.pod.cancel()).resolves.toMatchObject({ runId: 'run-1', quiescent: true });
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled', turns: 0, text: '' });
    expect(kinds(bench)).toEqual([]);
    expect(new Set(bench.published.map(({ event }) => event))).toEqual(new Set(['state']));
    expect(bench.pod.status()).toMatchObject({ state: 'idle', lastOutcome: null, headHash: null });
  });

  test('PROTO-8 INV-3: a prompt that fails is prompt_error, leaves no record, and the next Run renders again', async () => {
    let renders = 0;
    await using bench = await podBench({
      answers: [says('ok')],
      parts: {
        renderSystemPrompt: () => {
          renders += 1;
          return renders === 1
            ? Promise.reject(new Fault('prompt_error', 'no such variable'))
            : Promise.resolve('second');
        },
      },
    });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({ code: 'prompt_error' });
    expect(kinds(bench)).toEqual([]);
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ outcome: 'finished' });
    expect(bench.requests[0]?.systemPrompt).toBe('second');
    await expect(bench.pod.run({ input: 'go' })).rejects.toThrow();
    expect(renders).toBe(2);
  });

  test('INV-6: a prompt that hangs is ended by its deadline', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using bench = await podBench({
      answers: [],
      parts: { renderSystemPrompt: (signal) => aborted(signal) },
    });
    const report = bench.pod.run({ input: 'go' }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(LIMITS.prepareMs + 1);
    expect(await report).toMatchObject({
      code: 'prompt_error',
      message: expect.stringContaining('60000 ms') as string,
    });
    vi.useRealTimers();
  });

  test('INV-6: a model that says nothing for ever is ended by its deadline', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using bench = await podBench({ answers: [stalls('a')] });
    const report = bench.pod.run({ input: 'go' }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(LIMITS.requestTotalMs + 1);
    expect(await report).toMatchObject({ code: 'provider_error', data: { reason: 'deadline' } });
    vi.useRealTimers();
  });

  test('LOG-9 INV-1: an input that the disk refuses is storage_error and leaves nothing; the next Run goes through', async () => {
    const store = failing(new MemoryDisk().open(), (write) => (write === 2 ? 'fails' : 'ok'));
    await using bench = await podBench({ answers: [says('ok')], store });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({ code: 'storage_error' });
    expect(bench.items()).toEqual([]);
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ text: 'ok' });
  });

  test('INV-3 LOG-9: a terminal record that the disk refuses is made up by the next run', async () => {
    // 1: the start, 2: the input, 3: the answer, 4: the terminal record.
    const store = failing(new MemoryDisk().open(), (write) => (write === 4 ? 'fails' : 'ok'));
    await using bench = await podBench({ answers: [says('ok'), says('next')], store });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({
      code: 'storage_error',
      data: { runId: 'run-1' },
    });
    expect(bench.published.at(-1)).toMatchObject({ event: 'state', data: { state: 'idle' } });
    expect(bench.published.slice(-3, -1)).toMatchObject([
      { event: 'error', data: { runId: 'run-1' } },
      { event: 'run_end', data: { runId: 'run-1', error: { code: 'storage_error' } } },
    ]);
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ text: 'next' });
    const ends = bench.entries().filter(({ kind }) => kind === 'run_outcome');
    expect(ends).toMatchObject([
      { runId: 'run-1', outcome: 'interrupted' },
      { runId: 'run-2', outcome: 'finished' },
    ]);
  });

  test('PROTO-20 ITEM-2: where the model had the last word, a resumed run begins with a stored one to go on', async () => {
    await using bench = await podBench({ answers: [stalls('so far'), says('ok'), says('and')] });
    const report = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    await bench.pod.cancel();
    await report;
    await bench.pod.resume({});
    await bench.pod.run({ input: 'more' });
    expect(bench.items()).toMatchObject([
      { role: 'user' },
      { role: 'assistant', status: 'incomplete' },
      { role: 'system' },
      { role: 'assistant' },
      { role: 'user' },
      { role: 'assistant' },
    ]);
    const told = bench.published.flatMap((one) => (one.event === 'history' ? one.data.items : []));
    expect(told).toEqual(bench.items());
  });

  test('PROTO-20: behind a result or an input a resumed run adds nothing', async () => {
    const fine = tool('Fine', () => Promise.resolve({ summary: 'done' }));
    const broken = says('half').slice(0, 2);
    await using bench = await podBench({
      answers: [broken, calls(['Fine', {}]), says('ok')],
      tools: [fine],
      maxTurns: 1,
    });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({ code: 'provider_error' });
    await expect(bench.pod.resume({})).resolves.toMatchObject({ outcome: 'limit_reached' });
    await expect(bench.pod.resume({})).resolves.toMatchObject({ outcome: 'finished' });
    expect(bench.items().map((item) => ('role' in item ? item.role : item.type))).toEqual([
      'user',
      'tool_call',
      'tool_result',
      'assistant',
    ]);
  });

  test('PROTO-20: there is nothing to resume before the first run, and after one that finished', async () => {
    await using bench = await podBench({ answers: [says('ok')] });
    await expect(bench.pod.resume({})).rejects.toMatchObject({ code: 'nothing_to_resume' });
    await bench.pod.run({ input: 'go' });
    await expect(bench.pod.resume({})).rejects.toMatchObject({ code: 'nothing_to_resume' });
    await expect(bench.pod.cancel()).rejects.toMatchObject({ code: 'not_running' });
  });

  test('PROTO-18: cancelling twice answers twice', async () => {
    await using bench = await podBench({ answers: [stalls('a')] });
    const report = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    const both = await Promise.all([bench.pod.cancel(), bench.pod.cancel()]);
    expect(both).toMatchObject([{ quiescent: true }, { quiescent: true }]);
    await report;
  });

  test('PROTO-21 INV-6: a call that ignores its signal is named as a survivor, and the Pod is idle again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const deaf = tool('Deaf', () => new Promise<never>(() => undefined));
    await using bench = await podBench({ answers: [calls(['Deaf', {}])], tools: [deaf] });
    const report = bench.pod.run({ input: 'go' });
    await vi.advanceTimersByTimeAsync(1);
    const cancelled = bench.pod.cancel();
    await vi.advanceTimersByTimeAsync(LIMITS.toolAbortMs + 1);
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled' });
    await vi.advanceTimersByTimeAsync(LIMITS.cancelMs);
    await expect(cancelled).resolves.toEqual({
      runId: 'run-1',
      quiescent: false,
      survivors: [{ kind: 'tool_call', id: 'c1' }],
    });
    expect(bench.pod.view()).toEqual({ state: 'idle' });
    vi.useRealTimers();
  });

  test('LOG-13: a stop ends the run, records itself, then answers; what comes after is refused', async () => {
    await using bench = await podBench({ answers: [stalls('a')] });
    const report = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    const stopped = bench.pod.shutdown({});
    const late = bench.pod.run({ input: 'late' }).catch((error: unknown) => error);
    await stopped;
    await bench.served;
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled' });
    expect(await late).toMatchObject({ code: 'shutting_down' });
    expect(bench.batches.at(-1)).toMatchObject({
      journal: [{ kind: 'stopped', reason: 'client' }],
    });
    expect(bench.published.at(-1)).toEqual({ event: 'shutdown', data: { reason: 'client' } });
    await expect(bench.pod.shutdown({})).resolves.toBeUndefined();
  });

  test('INV-6: a graceful stop lets the run end in its time, cancels it near the deadline, and leaves what is deaf', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using quick = await podBench({ answers: [stalls('a')] });
    const report = quick.pod.run({ input: 'go' });
    await vi.advanceTimersByTimeAsync(1);
    const stopped = quick.pod.shutdown({ mode: 'graceful', deadlineMs: 10_000 });
    await vi.advanceTimersByTimeAsync(10_000 - LIMITS.stopCancelMs - 10);
    expect(quick.pod.view()).toMatchObject({ state: 'stopping' });
    await vi.advanceTimersByTimeAsync(20);
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled' });
    await stopped;

    const deaf = tool('Deaf', () => new Promise<never>(() => undefined));
    await using stuck = await podBench({
      // Deaf to everything: even the Worker's own patience is longer than this stop.
      answers: [calls(['Deaf', {}])],
      tools: [deaf],
    });
    const lost = stuck.pod.run({ input: 'go' }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(1);
    const gone = stuck.pod.shutdown({ mode: 'now', deadlineMs: LIMITS.stopAbandonMs + 100 });
    await vi.advanceTimersByTimeAsync(200);
    expect(await lost).toMatchObject({ code: 'shutting_down' });
    await gone;
    vi.useRealTimers();
  });

  test.each([
    ['now', LIMITS.shutdownNowMs],
    ['graceful', LIMITS.shutdownGracefulMs],
  ] as const)('INV-6: a stop, %s, ends the run by a deadline of its own', async (mode, ms) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await using bench = await podBench({ answers: [stalls('a')] });
    const report = bench.pod.run({ input: 'go' });
    await vi.advanceTimersByTimeAsync(1);
    const stopped = bench.pod.shutdown({ mode });
    if (mode === 'graceful') {
      await vi.advanceTimersByTimeAsync(ms - LIMITS.stopCancelMs - 10);
      expect(bench.pod.view().state).toBe('stopping');
      await vi.advanceTimersByTimeAsync(20);
    }
    await stopped;
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled' });
    vi.useRealTimers();
  });

  test('INV-8 PROTO-8: a bug ends the loop; whoever waited gets an error that says nothing of it', async () => {
    await using bench = await podBench({ answers: [] });
    const report = bench.pod.run({ input: 'go' }).catch((error: unknown) => error);
    // The bench has no answer: its model throws what no model may throw.
    await expect(bench.served).rejects.toThrow(TypeError);
    expect(await report).toBeInstanceOf(TypeError);
  });

  test('INV-8 PROTO-8: a bug in what a request is answered by is told to who asked', async () => {
    await using bench = await podBench({
      answers: [],
      parts: {
        newNoteId: () => {
          throw new TypeError('no id');
        },
      },
    });
    const asked = bench.pod.notify({ message: 'a' }).catch((error: unknown) => error);
    await expect(bench.served).rejects.toThrow(TypeError);
    expect(await asked).toBeInstanceOf(TypeError);
  });

  test('LOG-6: a manifest that differs from the session is recorded and told once', async () => {
    const disk = new MemoryDisk();
    {
      await using bench = await podBench({ answers: [says('ok')], store: disk.open() });
      await bench.pod.run({ input: 'go' });
    }
    await using bench = await podBench({
      answers: [says('ok'), says('ok')],
      store: disk.open(),
      maxTurns: 3,
    });
    await bench.pod.run({ input: 'go' });
    await bench.pod.run({ input: 'go' });
    expect(kinds(bench).filter((kind) => kind === 'config_changed')).toHaveLength(1);
    expect(bench.published.filter(({ event }) => event === 'notification')).toMatchObject([
      { data: { source: 'manifest', message: expect.stringContaining('maxTurns') as string } },
    ]);
  });

  test('PROTO-9 LOG-16: a fresh Pod has an id but no history and no hash; a page of another session is refused', async () => {
    await using bench = await podBench({ answers: [says('ok')] });
    expect(bench.pod.status()).toMatchObject({ headHash: null, items: 0, turnCount: 0 });
    const { sessionId } = bench.pod.status();
    await bench.pod.run({ input: 'go' });
    expect(bench.pod.status()).toMatchObject({
      sessionId,
      items: 2,
      turnCount: 1,
      lastOutcome: 'finished',
    });
    expect(bench.pod.history({ from: 1 })).toMatchObject({ sessionId, from: 1, total: 2 });
    await expect(bench.pod.history({ sessionId: 'other' })).rejects.toMatchObject({
      code: 'unknown_session',
    });
  });
});
