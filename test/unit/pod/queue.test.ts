import { once } from 'node:events';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../../daemon/core/fault.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { failing } from '../../support/failing-store.ts';
import { HeldStore } from '../../support/held-store.ts';
import { nextLife } from '../../support/next-life.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { type Bench, podBench, says, stalls } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

const inputs = (bench: Bench): unknown[] =>
  bench
    .items()
    .flatMap((item) => (item.type === 'message' && item.role === 'user' ? item.content : []));

afterEach(() => {
  vi.useRealTimers();
});

describe('Run with an inputId', () => {
  test('PROTO-17: asked again while it runs it is answered by the same run; another text is a conflict', async () => {
    await using bench = await podBench({ answers: [stalls('so'), says('again')] });
    const first = bench.pod.run({ input: 'go', inputId: 'a' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    const second = bench.pod.run({ input: 'go', inputId: 'a' });
    await expect(bench.pod.run({ input: 'go', inputId: 'a', wait: 'accepted' })).resolves.toEqual({
      runId: 'run-1',
    });
    await expect(bench.pod.run({ input: 'other', inputId: 'a' })).rejects.toMatchObject({
      code: 'conflict',
    });
    await bench.pod.cancel();
    expect(await second).toEqual(await first);
    expect(inputs(bench)).toHaveLength(1);
  });

  test('PROTO-17: asked again before its first commit it is one run all the same', async () => {
    await using bench = await podBench({ answers: [says('ok')] });
    const both = [1, 2, 3].map(() => bench.pod.run({ input: 'go', inputId: 'a' }));
    const [one, two, three] = await Promise.all(both);
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    expect(bench.requests).toHaveLength(1);
  });

  test('PROTO-17: asked again when it is over, it is answered from the log, also by another process', async () => {
    const disk = new MemoryDisk();
    let first: unknown;
    {
      await using bench = await podBench({
        answers: [says('ok'), says('more')],
        store: disk.open(),
      });
      first = await bench.pod.run({ input: 'go', inputId: 'a' });
      await bench.pod.run({ input: 'more' });
      await expect(bench.pod.run({ input: 'go', inputId: 'a' })).resolves.toEqual(first);
      expect(bench.requests).toHaveLength(2);
    }
    await using again = await nextLife(disk.open(), []);
    await expect(again.pod.run({ input: 'go', inputId: 'a' })).resolves.toEqual(first);
    await expect(again.pod.run({ input: 'x', inputId: 'a' })).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(again.requests).toHaveLength(0);
  });

  test('PROTO-17: a run that failed fails again the same way, without a request', async () => {
    const broken = says('half').slice(0, 2);
    await using bench = await podBench({ answers: [broken] });
    const failure = { code: 'provider_error', data: { runId: 'run-1' } };
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).rejects.toMatchObject(failure);
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).rejects.toMatchObject(failure);
    expect(bench.requests).toHaveLength(1);
  });

  test('PROTO-17 LOG-13: a run that its process died in is taken up by whoever asks again, once', async () => {
    const disk = new MemoryDisk();
    const dead = await podBench({ answers: [stalls('so far')], store: disk.open() });
    const lost = dead.pod.run({ input: 'go', inputId: 'a' });
    lost.catch(() => undefined);
    await until(() => dead.deltas.length > 0, 'the first piece');
    // What the disk holds at this moment is what a kill -9 leaves.
    const left = disk.copy();
    await dead[Symbol.asyncDispose]();
    await using bench = await nextLife(left.open(), [says('whole')]);
    const answers = await Promise.all([
      bench.pod.run({ input: 'go', inputId: 'a' }),
      bench.pod.run({ input: 'go', inputId: 'a' }),
    ]);
    expect(answers[0]).toMatchObject({ text: 'whole', continues: 'run-1' });
    expect(answers[1]).toEqual(answers[0]);
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).resolves.toEqual(answers[0]);
    expect(inputs(bench)).toHaveLength(1);
    expect(bench.requests).toHaveLength(1);
  });

  test('PROTO-17: a run that its process died in is taken up also by who waits for acceptance only', async () => {
    const disk = new MemoryDisk();
    const dead = await podBench({ answers: [stalls('so far')], store: disk.open() });
    dead.pod.run({ input: 'go', inputId: 'a' }).catch(() => undefined);
    await until(() => dead.deltas.length > 0, 'the first piece');
    const left = disk.copy();
    await dead[Symbol.asyncDispose]();
    await using bench = await nextLife(left.open(), [says('whole')]);
    const accepted = { input: 'go', inputId: 'a', wait: 'accepted' } as const;
    await expect(bench.pod.run(accepted)).resolves.toEqual({ runId: 'later-1' });
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).resolves.toMatchObject({
      text: 'whole',
      continues: 'run-1',
    });
  });

  test('PROTO-17: Resume has ids too', async () => {
    await using bench = await podBench({ answers: [stalls('so'), says('done')] });
    const run = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    await bench.pod.cancel();
    await run;
    const resumed = await bench.pod.resume({ requestId: 'r' });
    expect(resumed).toMatchObject({ text: 'done', continues: 'run-1' });
    await expect(bench.pod.resume({ requestId: 'r' })).resolves.toEqual(resumed);
    await expect(bench.pod.resume({ requestId: 's' })).rejects.toMatchObject({
      code: 'nothing_to_resume',
    });
  });
});

describe('the queue of inputs', () => {
  test('PROTO-17: inputs that are queued run one after the other, each with its own answer', async () => {
    await using bench = await podBench({ answers: [stalls('so'), says('two'), says('three')] });
    const first = bench.pod.run({ input: 'one' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    const second = bench.pod.run({ input: 'two', queue: true });
    await expect(
      bench.pod.run({ input: 'three', queue: true, wait: 'accepted', inputId: 'c' }),
    ).resolves.toEqual({ runId: 'run-3' });
    const third = bench.pod.run({ input: 'three', queue: true, inputId: 'c' });
    await expect(bench.pod.run({ input: 'four' })).rejects.toMatchObject({
      code: 'already_running',
    });
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 2 });
    await bench.pod.cancel();
    await expect(first).resolves.toMatchObject({ outcome: 'cancelled' });
    await expect(second).resolves.toMatchObject({ runId: 'run-2', text: 'two' });
    await expect(third).resolves.toMatchObject({ runId: 'run-3', text: 'three' });
    const waiting = bench.published.flatMap((one) =>
      one.event === 'queue' ? [one.data.waiting] : [],
    );
    expect(waiting).toEqual([1, 2, 1, 0]);
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 0 });
  });

  test('PROTO-17: the queue outlives its process, and goes on by itself', async () => {
    const disk = new MemoryDisk();
    {
      await using bench = await podBench({ answers: [stalls('so')], store: disk.open() });
      bench.pod.run({ input: 'one' }).catch(() => undefined);
      await until(() => bench.deltas.length > 0, 'the first piece');
      const waits = bench.pod.run({ input: 'two', queue: true, inputId: 'b' });
      const said = expect(waits).rejects.toMatchObject({ code: 'shutting_down' });
      await bench.pod.run({ input: 'three', queue: true, wait: 'accepted' });
      await bench.pod.shutdown({});
      await said;
    }
    await using again = await nextLife(disk.open(), [says('two'), says('three')]);
    await expect(again.pod.run({ input: 'two', queue: true, inputId: 'b' })).resolves.toMatchObject(
      {
        runId: 'run-2',
        text: 'two',
      },
    );
    await until(() => again.pod.status().waiting.inputs === 0, 'the end of the queue');
    await until(() => again.pod.view().state === 'idle', 'the end of the last run');
    expect(again.pod.status().lastOutcome).toBe('finished');
    expect(again.items().at(-1)).toMatchObject({ content: [{ text: 'three' }] });
  });

  test('PROTO-17 INV-1: a stop that comes while an input from the queue is prepared keeps it for the next start', async () => {
    const disk = new MemoryDisk();
    let renders = 0;
    {
      await using bench = await podBench({
        answers: [],
        store: disk.open(),
        parts: {
          renderSystemPrompt: async (signal) => {
            await new Promise((resolve) => setImmediate(resolve));
            renders += 1;
            if (renders === 1) throw new Fault('prompt_error', 'no');
            await once(signal, 'abort');
            return 'too late';
          },
        },
      });
      bench.pod.run({ input: 'zero' }).catch(() => undefined);
      const one = bench.pod.run({ input: 'one', queue: true, inputId: 'a' });
      const told = expect(one).rejects.toMatchObject({ code: 'shutting_down' });
      await until(() => renders === 2, 'the prompt of the one that waited');
      await bench.pod.shutdown({});
      await told;
    }
    await using again = await nextLife(disk.open(), [says('done')]);
    await expect(again.pod.run({ input: 'one', inputId: 'a' })).resolves.toMatchObject({
      text: 'done',
    });
    expect(inputs(again)).toHaveLength(1);
  });

  test('PROTO-17: Cancel with clearQueue on a disk that refuses says so, and clears nothing', async () => {
    let down = false;
    const store = failing(new MemoryDisk().open(), () => (down ? 'fails' : 'ok'));
    await using bench = await podBench({ answers: [stalls('so'), says('two')], store });
    bench.pod.run({ input: 'one' }).catch(() => undefined);
    await until(() => bench.deltas.length > 0, 'the first piece');
    await bench.pod.run({ input: 'two', queue: true, wait: 'accepted' });
    down = true;
    await expect(bench.pod.cancel({ clearQueue: true })).rejects.toMatchObject({
      code: 'storage_error',
    });
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 1 });
  });

  test('PROTO-17: Cancel with clearQueue ends the run and takes out what waits', async () => {
    await using bench = await podBench({ answers: [stalls('so'), says('after')] });
    const first = bench.pod.run({ input: 'one' });
    await until(() => bench.deltas.length > 0, 'the first piece');
    const second = bench.pod.run({ input: 'two', queue: true, inputId: 'b' });
    await until(() => bench.pod.status().waiting.inputs === 1, 'the queue');
    await expect(bench.pod.cancel({ clearQueue: true })).resolves.toMatchObject({
      quiescent: true,
    });
    await expect(first).resolves.toMatchObject({ outcome: 'cancelled' });
    const none = { runId: 'run-2', outcome: 'cancelled', turns: 0, text: '' };
    await expect(second).resolves.toMatchObject(none);
    await expect(bench.pod.run({ input: 'two', inputId: 'b' })).resolves.toMatchObject(none);
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 0 });
    await expect(bench.pod.cancel({ clearQueue: true })).rejects.toMatchObject({
      code: 'not_running',
    });
  });

  test('PROTO-17 INV-12: a queue that is full is busy, by number and by size', async () => {
    await using bench = await podBench({ answers: [stalls('so'), stalls('so')] });
    bench.pod.run({ input: 'one' }).catch(() => undefined);
    await until(() => bench.deltas.length > 0, 'the first piece');
    const queue = (input: string) => bench.pod.run({ input, queue: true, wait: 'accepted' });
    await queue('x'.repeat(LIMITS.queuedInputUnits - 10));
    await expect(queue('x'.repeat(11))).rejects.toMatchObject({ code: 'busy' });
    await bench.pod.cancel({ clearQueue: true });
    bench.pod.run({ input: 'one' }).catch(() => undefined);
    for (let n = 0; n < LIMITS.queuedInputs; n += 1) await queue(`${n}`).catch(() => undefined);
    await expect(queue('over')).rejects.toMatchObject({ code: 'busy' });
  });

  test('PROTO-17: a prompt that fails does not hold up the inputs behind it', async () => {
    let renders = 0;
    await using bench = await podBench({
      answers: [says('two'), says('one')],
      parts: {
        renderSystemPrompt: async () => {
          renders += 1;
          await new Promise((resolve) => setImmediate(resolve));
          if (renders > 2) return 'be good';
          throw new Fault('prompt_error', 'no');
        },
      },
    });
    const zero = bench.pod.run({ input: 'zero' });
    const first = bench.pod.run({ input: 'one', inputId: 'a', queue: true });
    const second = bench.pod.run({ input: 'two', queue: true });
    await expect(zero).rejects.toMatchObject({ code: 'prompt_error' });
    await expect(first).rejects.toMatchObject({ code: 'prompt_error' });
    await expect(second).resolves.toMatchObject({ text: 'two' });
    // It left no record: the same id may be used again.
    await expect(bench.pod.run({ input: 'one', inputId: 'a' })).resolves.toMatchObject({
      text: 'one',
    });
  });

  test('PROTO-17 INV-1: an input that could not be stored is refused, and does not wait', async () => {
    let down = false;
    const store = failing(new MemoryDisk().open(), () => (down ? 'fails' : 'ok'));
    await using bench = await podBench({ answers: [stalls('so'), says('ok')], store });
    const first = bench.pod.run({ input: 'one' });
    first.catch(() => undefined);
    await until(() => bench.deltas.length > 0, 'the first piece');
    down = true;
    await expect(bench.pod.run({ input: 'two', queue: true })).rejects.toMatchObject({
      code: 'storage_error',
    });
    down = false;
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 0 });
    await bench.pod.cancel();
    await expect(bench.pod.run({ input: 'three' })).resolves.toMatchObject({ text: 'ok' });
  });

  test('PROTO-21: an input that is cancelled while the disk refuses its begin does not begin later', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let down = false;
    const held = new HeldStore(failing(new MemoryDisk().open(), () => (down ? 'fails' : 'ok')));
    await using bench = await podBench({ answers: [stalls('so'), says('two')], store: held.store });
    bench.pod.run({ input: 'one' }).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1);
    const second = bench.pod.run({ input: 'two', queue: true });
    await vi.advanceTimersByTimeAsync(1);
    await bench.pod.cancel();
    held.hold();
    await vi.advanceTimersByTimeAsync(1);
    const cancel = bench.pod.cancel();
    await vi.advanceTimersByTimeAsync(1);
    down = true;
    held.letGo();
    await expect(cancel).resolves.toEqual({ runId: 'run-2', quiescent: true, survivors: [] });
    await expect(second).resolves.toMatchObject({ outcome: 'cancelled', turns: 0 });
    down = false;
    await vi.advanceTimersByTimeAsync(LIMITS.queueRetryMs + 1);
    expect(bench.requests).toHaveLength(1);
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 0 });
  });

  test('PROTO-17 INV-6: an input whose begin the disk refuses stays, and is tried again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let down = false;
    const store = failing(new MemoryDisk().open(), () => (down ? 'fails' : 'ok'));
    await using bench = await podBench({ answers: [stalls('so'), says('two')], store });
    const first = bench.pod.run({ input: 'one' });
    first.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1);
    const second = bench.pod.run({ input: 'two', queue: true });
    await vi.advanceTimersByTimeAsync(1);
    down = true;
    await expect(bench.pod.cancel()).resolves.toMatchObject({ quiescent: true });
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 1 });
    expect(bench.pod.view()).toEqual({ state: 'idle' });
    down = false;
    await vi.advanceTimersByTimeAsync(LIMITS.queueRetryMs + 1);
    expect(bench.pod.status().waiting).toMatchObject({ inputs: 0 });
    // Who waits was told no failure that was none, or would send it again.
    await expect(second).resolves.toMatchObject({ text: 'two' });
    expect(inputs(bench)).toHaveLength(2);
  });
});
