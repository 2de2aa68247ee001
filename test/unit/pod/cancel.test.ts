import { afterEach, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { deferred } from '../../../daemon/support/deferred.ts';
import { failing, type WriteFate } from '../../support/failing-store.ts';
import { HeldStore } from '../../support/held-store.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { type BenchAnswer, calls, podBench, says, stalls, tool } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

afterEach(() => {
  vi.useRealTimers();
});

describe('Cancel', () => {
  test('PROTO-18: of a Pod that has stopped is answered at once, and leaves no timer', async () => {
    await using bench = await podBench({ answers: [] });
    await bench.pod.shutdown({});
    await bench.served;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await expect(bench.pod.cancel()).rejects.toMatchObject({ code: 'not_running' });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('PROTO-21 INV-6: a Cancel is answered in its time also where the loop waits for a disk that hangs', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let fate: WriteFate = 'ok';
    const store = failing(new MemoryDisk().open(), () => fate);
    await using bench = await podBench({ answers: [stalls('so')], store });
    const run = bench.pod.run({ input: 'one' });
    run.catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1);
    await bench.pod.run({ input: 'two', queue: true, wait: 'accepted' });
    fate = 'hangs';
    const cancel = bench.pod.cancel({ clearQueue: true });
    await vi.advanceTimersByTimeAsync(LIMITS.cancelMs + 1);
    await expect(cancel).resolves.toMatchObject({ runId: 'run-1', quiescent: false });
    const failed = expect(run).rejects.toMatchObject({ code: 'storage_error' });
    await vi.advanceTimersByTimeAsync(LIMITS.commitMs + 1);
    await failed;
  });

  test('PROTO-21: a Cancel means the run that was open when it was asked, not the one that has begun since', async () => {
    const held = new HeldStore(new MemoryDisk().open());
    const end = deferred<undefined>();
    const waitsToEnd: BenchAnswer = async function* () {
      yield* says('one').slice(0, 1);
      await end.promise;
      yield* says('one').slice(1);
    };
    await using bench = await podBench({ answers: [waitsToEnd, says('two')], store: held.store });
    const one = bench.pod.run({ input: 'one' });
    await until(() => bench.requests.length === 1, 'the request');
    const two = bench.pod.run({ input: 'two', queue: true });
    await until(() => bench.pod.status().waiting.inputs === 1, 'the queue');
    held.hold();
    end.resolve(undefined);
    await until(() => held.waiting > 0, 'the answer on its way to the disk');
    held.letGo();
    held.hold();
    await until(() => held.waiting > 0, 'the end of the run on its way to the disk');
    const cancel = bench.pod.cancel();
    held.letGo();
    await expect(one).resolves.toMatchObject({ outcome: 'finished' });
    await expect(cancel).resolves.toEqual({ runId: 'run-1', quiescent: true, survivors: [] });
    await expect(two).resolves.toMatchObject({ outcome: 'finished', text: 'two' });
  });

  test('PROTO-21 INV-7: a Cancel that waits for a survivor is answered when the Pod stops', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stuck = tool('Stuck', () => new Promise(() => undefined));
    await using bench = await podBench({ answers: [calls(['Stuck', {}])], tools: [stuck] });
    bench.pod.run({ input: 'go' }).catch(() => undefined);
    await vi.advanceTimersByTimeAsync(1);
    const cancel = bench.pod.cancel();
    await vi.advanceTimersByTimeAsync(LIMITS.toolAbortMs + 100);
    const stop = bench.pod.shutdown({});
    await vi.advanceTimersByTimeAsync(10);
    await stop;
    await expect(cancel).resolves.toMatchObject({ quiescent: false, survivors: [{ id: 'c1' }] });
  });
});
