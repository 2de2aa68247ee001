import { afterEach, expect, test, vi } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { answers, asks, compactingPod, writesSummary } from '../../support/compacting-bench.ts';
import { aborted } from '../../support/pod-bench.ts';

const LONG = 'words of the model, many of them. '.repeat(60);

afterEach(() => {
  vi.useRealTimers();
});

test('COMP-15, INV-6: a compactor that reads for ever is ended after 20 requests (compactorTurns)', async () => {
  await using bench = await compactingPod({
    answers: [answers(LONG)],
    compactor: Array.from({ length: 30 }, () => asks('read_file', { file_path: '/a' })),
    settings: { retainedTokens: 0, workerMaxInputTokens: 1_000_000 },
  });
  await bench.pod.run({ input: 'start' });
  await expect(bench.pod.compact({})).rejects.toMatchObject({
    code: 'compaction_failed',
    data: { cause: 'deadline' },
  });
  expect(bench.compactorRequests).toHaveLength(LIMITS.compactorTurns);
});

test('COMP-15: what it has handed in by then counts', async () => {
  const reads = Array.from({ length: 30 }, () => asks('read_file', { file_path: '/a' }));
  await using bench = await compactingPod({
    answers: [answers(LONG)],
    compactor: [...reads.slice(0, 19), writesSummary()],
    settings: { retainedTokens: 0, workerMaxInputTokens: 1_000_000 },
  });
  await bench.pod.run({ input: 'start' });
  expect(await bench.pod.compact({})).toMatchObject({ sessionId: bench.pod.status().sessionId });
});

test('COMP-15, INV-6: one that does not answer is ended after ten minutes (compactorMs)', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await using bench = await compactingPod({
    answers: [answers(LONG)],
    compactor: [
      async function* (_request, signal) {
        yield* [];
        await aborted(signal);
      },
    ],
    settings: { retainedTokens: 0 },
  });
  await bench.pod.run({ input: 'start' });
  const compaction = bench.pod.compact({});
  const failed = expect(compaction).rejects.toMatchObject({ data: { cause: 'deadline' } });
  await vi.waitUntil(() => bench.compactorRequests.length === 1);
  await vi.advanceTimersByTimeAsync(LIMITS.compactorMs);
  await failed;
  expect(bench.pod.status().state).toBe('idle');
});

test('COMP-15: over its cap on input it is told once to come to an end, then it has failed', async () => {
  await using bench = await compactingPod({
    answers: [answers(LONG)],
    compactor: [
      asks('read_file', { file_path: '/a' }, 60_000),
      asks('read_file', { file_path: '/b' }, 60_000),
    ],
    settings: { retainedTokens: 0 },
  });
  await bench.pod.run({ input: 'start' });
  await expect(bench.pod.compact({})).rejects.toMatchObject({ data: { cause: 'input_cap' } });
  expect(JSON.stringify(bench.compactorRequests[1]?.items)).toContain('as much as you may');
});

test('COMP-15: over its cap and told so, it may still hand in what it has', async () => {
  await using bench = await compactingPod({
    answers: [answers(LONG)],
    compactor: [asks('read_file', { file_path: '/a' }, 60_000), writesSummary()],
    settings: { retainedTokens: 0 },
  });
  await bench.pod.run({ input: 'start' });
  await bench.pod.compact({});
  expect(bench.compactorRequests).toHaveLength(2);
});
