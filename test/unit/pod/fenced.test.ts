import { describe, expect, test } from 'vitest';
import type { ToolOutcome } from '../../../daemon/ports/tool.ts';
import { deferred } from '../../../daemon/support/deferred.ts';
import { calls, podBench, says, stalls, tool } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

describe('Pod', () => {
  test('SCOPE-19: whoever waits for a run learns that the Pod was fenced, and so does every subscriber', async () => {
    await using bench = await podBench({ answers: [stalls('half')] });
    const run = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length > 0, 'the run to stream');
    await bench.pod.stop('fenced', 'now');
    await expect(run).rejects.toMatchObject({ code: 'fenced', data: { runId: 'run-1' } });
    await bench.served;
    const told = bench.published.map(({ event }) => event);
    expect(told).toContain('fenced');
    expect(bench.published.at(-1)).toEqual({ event: 'shutdown', data: { reason: 'fenced' } });
  });

  test('SCOPE-19: no tool runs once the lease is lost; its call says why', async () => {
    let ran = 0;
    const touch = tool('Touch', () => {
      ran += 1;
      return Promise.resolve({ summary: 'touched' });
    });
    let fence: 'held' | 'lost' = 'held';
    await using bench = await podBench({
      answers: [calls(['Touch', { path: '/a' }]), calls(['Touch', { path: '/b' }]), says('done')],
      tools: [touch],
      fence: () => {
        const now = fence;
        fence = 'lost';
        return now;
      },
    });
    await bench.pod.run({ input: 'go' });
    expect(ran).toBe(1);
    const results = bench.items().filter((item) => item.type === 'tool_result');
    expect(results.at(-1)).toMatchObject({
      isError: true,
      summary: 'this Pod’s scope is no longer its own: nothing more is touched',
    });
  });

  test('INV-11: after a bug a call that goes on counts as one that may touch a file', async () => {
    const hung = deferred<ToolOutcome>();
    const touch = tool('Touch', () => hung.promise);
    await using bench = await podBench({
      answers: [calls(['Touch', { path: '/a' }])],
      tools: [touch],
    });
    const run = bench.pod.run({ input: 'go' });
    run.catch(() => undefined);
    await until(() => bench.published.some(({ event }) => event === 'tool_call_done'), 'the call');
    await until(() => bench.pod.hasSurvivors(), 'the tool to work');
    bench.pod.meetBug(new TypeError('a bug'));
    await expect(bench.served).rejects.toThrow('a bug');
    expect(bench.pod.hasSurvivors()).toBe(true);
    hung.resolve({ summary: 'late' });
    await until(() => !bench.pod.hasSurvivors(), 'the tool to end');
  });
});
