import { afterEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../../daemon/core/fault.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { failing } from '../../support/failing-store.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { nextLife } from '../../support/next-life.ts';
import { type Bench, calls, podBench, says, stalls, tool } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('Notify', () => {
  const texts = (bench: Bench): string[] =>
    bench.items().map((item) => {
      const [part] = item.type === 'message' ? item.content : [];
      return part?.type === 'text' ? part.text : item.type;
    });

  test('FAM-11: an idle Pod begins a run by it, of which the note is the first item', async () => {
    await using bench = await podBench({ answers: [says('noted')] });
    await expect(bench.pod.notify({ message: 'rain', from: 'weather' })).resolves.toEqual({
      queued: false,
      started: true,
      duplicate: false,
    });
    await until(() => bench.pod.view().state === 'idle', 'the end of the run');
    expect(texts(bench)).toEqual(['Note from weather: rain', 'noted']);
    const start = bench.published.find(({ event }) => event === 'run_start');
    expect(start?.data).toEqual({ runId: 'run-1', trigger: 'notify' });
    expect(bench.pod.status().waiting).toMatchObject({ notes: 0 });
  });

  test('FAM-11: in a run it waits for the next request, stands behind the results, and is told once', async () => {
    let release = (): void => undefined;
    const slow = tool('Slow', async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return { summary: 'slow' };
    });
    await using bench = await podBench({
      answers: [calls(['Slow', {}]), says('ok'), says('more')],
      tools: [slow],
    });
    const run = bench.pod.run({ input: 'go' });
    await until(() => bench.pod.view().phase === 'tools', 'the call');
    await expect(bench.pod.notify({ message: 'a' })).resolves.toMatchObject({ queued: true });
    await bench.pod.notify({ message: 'b' });
    expect(bench.pod.status().waiting).toMatchObject({ notes: 2 });
    release();
    await run;
    await bench.pod.run({ input: 'go on' });
    expect(texts(bench)).toEqual([
      'go',
      'tool_call',
      'tool_result',
      'Note: a',
      'Note: b',
      'ok',
      'go on',
      'more',
    ]);
    const told = bench.published.flatMap((one) => (one.event === 'history' ? one.data.items : []));
    expect(told).toEqual(bench.items());
  });

  test('PROTO-17: a notifyId makes it one note; with another text it is a conflict', async () => {
    await using bench = await podBench({ answers: [stalls('so'), says('ok')] });
    const run = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    await bench.pod.notify({ message: 'a', notifyId: 'n' });
    await expect(bench.pod.notify({ message: 'a', notifyId: 'n' })).resolves.toMatchObject({
      duplicate: true,
    });
    await expect(bench.pod.notify({ message: 'b', notifyId: 'n' })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(bench.pod.status().waiting).toMatchObject({ notes: 1 });
    await bench.pod.cancel();
    await run;
  });

  test('FAM-11: notes that are left when a run ends begin one of their own', async () => {
    await using bench = await podBench({ answers: [stalls('so'), says('noted')] });
    const run = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    await bench.pod.notify({ message: 'late' });
    await bench.pod.cancel();
    await run;
    await until(() => bench.requests.length === 2, 'the run of the note');
    await until(() => bench.pod.view().state === 'idle', 'its end');
    expect(texts(bench)).toEqual(['go', 'so', 'Note: late', 'noted']);
  });

  test('FAM-11: a note whose run fails is in the history, and is no reason for another run', async () => {
    await using bench = await podBench({ answers: [says('half').slice(0, 2), says('ok')] });
    await bench.pod.notify({ message: 'a' });
    await until(() => bench.pod.status().lastOutcome === 'error', 'the failure');
    await until(() => bench.pod.view().state === 'idle', 'the end');
    expect(bench.requests).toHaveLength(1);
    expect(texts(bench)).toEqual(['Note: a']);
    await bench.pod.run({ input: 'go' });
    expect(texts(bench)).toEqual(['Note: a', 'go', 'ok']);
  });

  test('FAM-11 INV-6: a note whose run the disk refuses to begin is tried again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let writes = 0;
    // The note itself is taken; the run that it begins is not.
    const store = failing(new MemoryDisk().open(), () => ((writes += 1) === 3 ? 'fails' : 'ok'));
    await using bench = await podBench({ answers: [says('noted')], store });
    await bench.pod.notify({ message: 'a' });
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.pod.view()).toEqual({ state: 'idle' });
    expect(bench.requests).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(LIMITS.queueRetryMs + 1);
    expect(texts(bench)).toEqual(['Note: a', 'noted']);
  });

  test('FAM-11 INV-12: so is one whose prompt fails, later each time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let tries = 0;
    const renderSystemPrompt = (): Promise<string> => {
      tries += 1;
      return tries < 10
        ? Promise.reject(new Fault('prompt_error', 'late'))
        : Promise.resolve('be good');
    };
    await using bench = await podBench({ answers: [says('noted')], parts: { renderSystemPrompt } });
    await bench.pod.notify({ message: 'a' });
    await vi.advanceTimersByTimeAsync(1);
    expect(tries).toBe(1);
    await vi.advanceTimersByTimeAsync(LIMITS.queueRetryMs);
    expect(tries).toBe(2);
    await vi.advanceTimersByTimeAsync(LIMITS.queueRetryMs);
    expect(tries).toBe(2);
    await vi.advanceTimersByTimeAsync(10 * LIMITS.noteRetryMaxMs);
    expect(tries).toBe(10);
    expect(texts(bench)).toEqual(['Note: a', 'noted']);
  });

  test('FAM-11 PROTO-17: it holds up no input, and many are tried again by one timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let [isBad, tries] = [true, 0];
    const renderSystemPrompt = async (): Promise<string> => {
      tries += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (isBad) throw new Fault('prompt_error', 'no');
      return 'be good';
    };
    await using bench = await podBench({ answers: [says('two')], parts: { renderSystemPrompt } });
    for (let n = 0; n < 50; n += 1) {
      await bench.pod.notify({ message: `n${n}` });
      await vi.advanceTimersByTimeAsync(1_000);
    }
    await vi.advanceTimersByTimeAsync(10 * LIMITS.noteRetryMaxMs);
    tries = 0;
    await vi.advanceTimersByTimeAsync(LIMITS.noteRetryMaxMs + 100);
    expect(tries).toBeLessThanOrEqual(2);
    // Once more a run is being prepared for them.
    await bench.pod.notify({ message: 'last' });
    expect(bench.pod.view()).toMatchObject({ state: 'running' });
    const answer = bench.pod.run({ input: 'two', queue: true });
    await vi.advanceTimersByTimeAsync(51);
    isBad = false;
    await vi.advanceTimersByTimeAsync(100);
    await expect(answer).resolves.toMatchObject({ text: 'two' });
  });

  test('FAM-11: transient notes go with one request and are no part of the history; one that failed gives them back', async () => {
    const broken = says('half').slice(0, 2);
    await using bench = await podBench({
      answers: [broken, says('ok'), says('more')],
      parts: { notifications: 'transient' },
    });
    await bench.pod.notify({ message: 'a' });
    await until(() => bench.pod.status().lastOutcome === 'error', 'the failure');
    expect(bench.pod.status().waiting).toMatchObject({ notes: 1 });
    await bench.pod.run({ input: 'go' });
    expect(bench.requests[1]).toMatchObject({ passing: 1 });
    expect(bench.requests[1]?.items).toMatchObject([{ role: 'user' }, { role: 'system' }]);
    expect(bench.pod.status().waiting).toMatchObject({ notes: 0 });
    await bench.pod.run({ input: 'more' });
    expect(bench.requests[2]).toMatchObject({ passing: 0 });
    expect(texts(bench)).toEqual(['go', 'ok', 'more', 'more']);
  });

  test('FAM-11: notes outlive their process', async () => {
    const disk = new MemoryDisk();
    {
      await using bench = await podBench({ answers: [stalls('so')], store: disk.open() });
      bench.pod.run({ input: 'go' }).catch(() => undefined);
      await until(() => bench.deltas.length > 0, 'the first piece');
      await bench.pod.notify({ message: 'kept' });
    }
    await using again = await nextLife(disk.open(), [says('noted')]);
    await until(() => again.pod.status().lastOutcome === 'finished', 'the run of the note');
    expect(texts(again).slice(-2)).toEqual(['Note: kept', 'noted']);
  });
});
