import { describe, expect, test } from 'vitest';
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
});
