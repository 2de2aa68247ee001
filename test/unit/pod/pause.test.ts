import { describe, expect, test } from 'vitest';
import type { KeyValueStore } from '../../../daemon/session/store.ts';
import { deferred } from '../../../daemon/support/deferred.ts';
import { HeldStore } from '../../support/held-store.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { nextLife } from '../../support/next-life.ts';
import { type BenchAnswer, calls, podBench, says, tool } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

describe('Pause', () => {
  /** Runs up to a call, is told to pause there, and lets the call end. */
  async function pausedBench(answers: readonly BenchAnswer[], store?: KeyValueStore) {
    const gate = deferred<undefined>();
    const slow = tool('Slow', async () => {
      await gate.promise;
      return { summary: 'slow' };
    });
    const bench = await podBench({
      answers: [calls(['Slow', {}]), ...answers],
      tools: [slow],
      ...(store === undefined ? {} : { store }),
    });
    await expect(bench.pod.pause()).rejects.toMatchObject({ code: 'not_running' });
    const run = bench.pod.run({ input: 'go' });
    await until(() => bench.pod.view().phase === 'tools', 'the call');
    await expect(bench.pod.pause()).resolves.toEqual({ runId: 'run-1' });
    gate.resolve(undefined);
    await expect(run).resolves.toMatchObject({ outcome: 'paused', turns: 1, pending: [] });
    expect(bench.pod.view()).toEqual({ state: 'paused' });
    return bench;
  }

  test('PROTO-18 PROTO-20: a run stops between two requests with the outcome paused, and Resume goes on', async () => {
    await using bench = await pausedBench([says('ok')]);
    await expect(bench.pod.notify({ message: 'n' })).resolves.toMatchObject({ started: false });
    await expect(bench.pod.resume({})).resolves.toMatchObject({
      outcome: 'finished',
      continues: 'run-1',
    });
    expect(bench.pod.view()).toEqual({ state: 'idle' });
    expect(bench.requests).toHaveLength(2);
  });

  test('PROTO-19: Run on a paused Pod is already_running, and with abandonPaused it goes on', async () => {
    await using bench = await pausedBench([says('ok')]);
    await expect(bench.pod.run({ input: 'x' })).rejects.toMatchObject({
      code: 'already_running',
      data: { state: 'paused' },
    });
    await expect(bench.pod.run({ input: 'x', abandonPaused: true })).resolves.toMatchObject({
      text: 'ok',
    });
    await expect(bench.pod.resume({})).rejects.toMatchObject({ code: 'nothing_to_resume' });
  });

  test('PROTO-20 INV-3: Cancel ends a pause for good, with a record of its own; a restart keeps it paused', async () => {
    const disk = new MemoryDisk();
    {
      await using _bench = await pausedBench([], disk.open());
    }
    await using again = await nextLife(disk.open(), [says('now')]);
    expect(again.pod.view()).toEqual({ state: 'paused' });
    await expect(again.pod.cancel()).resolves.toEqual({
      runId: 'later-1',
      quiescent: true,
      survivors: [],
    });
    expect(again.pod.view()).toEqual({ state: 'idle' });
    expect(again.pod.status().lastOutcome).toBe('cancelled');
    const kinds = again.entries().map(({ kind }) => kind);
    expect(kinds.slice(-2)).toEqual(['run_start', 'run_outcome']);
    await expect(again.pod.run({ input: 'x' })).resolves.toMatchObject({ text: 'now' });
  });

  test('PROTO-18 PROTO-20: cancelling a pause twice ends it once, and answers twice', async () => {
    const disk = new MemoryDisk();
    {
      await using _bench = await pausedBench([], disk.open());
    }
    const held = new HeldStore(disk.open());
    await using again = await nextLife(held.store, []);
    held.hold();
    const one = again.pod.cancel();
    await until(() => held.waiting > 0, 'the record of the end');
    const two = again.pod.cancel();
    held.letGo();
    await expect(one).resolves.toMatchObject({ quiescent: true });
    await expect(two).rejects.toMatchObject({ code: 'not_running' });
  });
});
