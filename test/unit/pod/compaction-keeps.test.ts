import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../../daemon/ports/model.ts';
import {
  answers,
  asks,
  compactingPod,
  told,
  writesSummary,
} from '../../support/compacting-bench.ts';
import { allText } from '../../support/item-text.ts';
import { refuseTooLong } from '../../support/too-long-answer.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { aborted } from '../../support/pod-bench.ts';

const LONG = 'words of the model, many of them. '.repeat(60);
const TASK = `Write a page about ${'the sea and '.repeat(30)}nothing else.`;
const many = (count: number): ModelEvent[][] =>
  Array.from({ length: count }, () => writesSummary());
const fill = (bytes: number): ModelEvent[] => asks('Fill', { bytes });

describe('what a compaction keeps', () => {
  test('COMP-6, COMP-11: what the run was begun with stays word for word while it is under way, however often it is compacted', async () => {
    await using bench = await compactingPod({
      answers: [answers('hello'), ...Array.from({ length: 12 }, () => fill(1200)), answers('done')],
      compactor: many(6),
      settings: { requestThreshold: 2000, retainedTokens: 350 },
    });
    await bench.pod.run({ input: 'hi' });
    expect(await bench.pod.run({ input: TASK })).toMatchObject({ text: 'done', turns: 13 });
    expect(told(bench, 'compaction_done').length).toBeGreaterThan(1);
    const last = allText(bench.requests.at(-1)?.items ?? []);
    expect(last.split(TASK)).toHaveLength(2);
    expect(last).toContain('First request:\nhi');
  });

  test('COMP-6: so it does for a run that can be taken up again, and the model is told to go on', async () => {
    await using bench = await compactingPod({
      answers: [
        answers(LONG),
        fill(900),
        async function* (_request, signal) {
          yield* [];
          await aborted(signal);
        },
        answers('resumed'),
      ],
      compactor: many(1),
      settings: { retainedTokens: 0 },
    });
    await bench.pod.run({ input: 'start' });
    const run = bench.pod.run({ input: TASK });
    await expect.poll(() => bench.requests.length).toBe(3);
    await bench.pod.cancel();
    await run;
    await bench.pod.compact({});
    await bench.pod.resume({});
    expect(allText(bench.requests.at(-1)?.items ?? [])).toContain(TASK);
  });

  test('TOK-2, COMP-1: results that no model has seen are kept while they leave room', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), fill(1500), answers('done')],
      compactor: many(2),
      settings: { requestThreshold: 900, retainedTokens: 50 },
    });
    await bench.pod.run({ input: 'start' });
    await bench.pod.run({ input: 'fill' });
    expect(allText(bench.requests.at(-1)?.items ?? [])).toContain('x'.repeat(1500));
  });

  test('COMP-2: a compaction a turn, again and again, is thrash: what comes with one turn is too much', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), ...Array.from({ length: 20 }, () => fill(6000))],
      compactor: many(20),
      settings: { requestThreshold: 900 },
    });
    await bench.pod.run({ input: 'start' });
    await expect(bench.pod.run({ input: 'fill' })).rejects.toMatchObject({
      code: 'compaction_thrash',
    });
    expect(bench.compactorRequests.length).toBeLessThan(6);
  });

  test('COMP-12, INV-3: a prompt that is called too long in the middle of an answer is taken back, and paid for', async () => {
    const usage: ModelEvent = {
      kind: 'usage',
      usage: { inputTotal: 500, cacheRead: 0, cacheWrite: 0, output: 1 },
    };
    await using bench = await compactingPod({
      answers: [
        answers(LONG),
        () =>
          refuseTooLong(
            usage,
            { kind: 'textStarted', block: 0 },
            { kind: 'delta', block: 0, text: 'so' },
          ),
        answers('after'),
      ],
      compactor: many(1),
      contextWindow: 400,
    });
    await bench.pod.run({ input: 'start' });
    const { sessionId } = bench.pod.status();
    expect(await bench.pod.run({ input: 'go' })).toMatchObject({ text: 'after', turns: 1 });
    const [retry] = told(bench, 'retry') as { reason: string; discarded: number[] }[];
    expect(retry).toMatchObject({ reason: 'prompt_too_long' });
    expect(retry?.discarded).toHaveLength(1);
    const { records } = await bench.pod.usage({ sessionId });
    expect(records.map(({ kind }) => kind)).toEqual(['run', 'discarded', 'compactor']);
  });

  test('PROTO-18, INV-12: a Resume during a compaction waits for it; over the limit it is busy', async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    await using bench = await compactingPod({
      answers: [answers(LONG), answers('resumed')],
      compactor: [
        async function* () {
          await gate;
          yield* writesSummary();
        },
      ],
      settings: { retainedTokens: 0 },
    });
    await bench.pod.run({ input: 'start' });
    const compacted = bench.pod.compact({});
    await expect.poll(() => bench.compactorRequests.length).toBe(1);
    const resumes = Array.from({ length: LIMITS.workLane + 3 }, () => bench.pod.resume({}));
    const settled = Promise.allSettled(resumes);
    await expect.poll(() => bench.pod.status().phase).toBe('compacting');
    go();
    await compacted;
    const codes = (await settled).map((one) =>
      one.status === 'rejected' ? (one.reason as { code: string }).code : 'ok',
    );
    expect(codes.filter((code) => code === 'busy').length).toBeGreaterThanOrEqual(3);
    expect(codes.filter((code) => code === 'nothing_to_resume')).toHaveLength(
      codes.length - codes.filter((code) => code === 'busy').length,
    );
  });
});
