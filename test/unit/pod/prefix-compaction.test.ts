import { describe, expect, test } from 'vitest';
import type { ModelEvent } from '../../../daemon/ports/model.ts';
import { allText } from '../../support/item-text.ts';
import {
  answers,
  asks,
  compactingPod,
  SUMMARY,
  writesSummary,
} from '../../support/compacting-bench.ts';
import type { Files } from '../../../daemon/ports/files.ts';
import { memoryFiles } from '../../support/memory-files.ts';
import { tooLong } from '../../support/too-long-answer.ts';

const LONG = 'words of the model, many of them. '.repeat(60);
const settings = { strategy: 'prefix' as const, retainedTokens: 0 };

/** An answer that ended for another reason than that all was said. */
const cutOff = (reason: 'max_tokens' | 'refusal' | 'content_filter'): ModelEvent[] =>
  answers('## Completed Tasks\n- half').map((event) =>
    event.kind === 'stopped' ? { kind: 'stopped', reason } : event,
  );

describe('a compaction by the session’s own conversation', () => {
  test('COMP-16: is one more request on what was last sent, whose files are read through scope and budget', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), answers(`${SUMMARY}\n\nREFERENCE: /outside`)],
      compactor: [],
      settings,
      parts: { files: memoryFiles(new Map()) as Files },
    });
    await bench.pod.run({ input: 'start' });
    await bench.pod.compact({ instructions: 'mind the tests' });
    const [first, summary] = bench.requests;
    expect(summary?.tools).toEqual(first?.tools);
    expect(summary?.systemPrompt).toBe(first?.systemPrompt);
    expect(summary?.items.slice(0, 1)).toEqual(first?.items);
    expect(summary?.items).toHaveLength(3);
    expect(allText(summary?.items ?? [])).toContain('mind the tests');
    expect(bench.compactorRequests).toEqual([]);
    expect(allText(bench.items())).toContain('- all of it');
    expect(allText(bench.items())).not.toContain('/outside');
  });

  test('COMP-16: a tool that it calls does not run; it is asked for the summary once more', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), asks('Fill', { bytes: 9 }), answers(SUMMARY)],
      compactor: [],
      settings,
    });
    await bench.pod.run({ input: 'start' });
    await bench.pod.compact({});
    const last = bench.requests[2]?.items ?? [];
    expect(last.at(-2)).toMatchObject({ type: 'tool_result', isError: true });
    expect(allText(last.slice(-1))).toContain('no whole summary');
  });

  test.each(['max_tokens', 'refusal', 'content_filter'] as const)(
    'COMP-5, COMP-16: an answer ended by %s is no summary, and asked for once more it may be one',
    async (reason) => {
      await using bench = await compactingPod({
        answers: [answers(LONG), cutOff(reason), cutOff(reason), cutOff(reason), answers(SUMMARY)],
        compactor: [],
        settings,
      });
      await bench.pod.run({ input: 'start' });
      await expect(bench.pod.compact({})).rejects.toMatchObject({
        data: { cause: 'summary_missing' },
      });
      expect(allText(bench.items())).toContain(LONG);
      await bench.pod.compact({});
      expect(allText(bench.items())).toContain('- all of it');
    },
  );

  test('COMP-12, COMP-16: where its prompt does not fit, the compactor that has a bound writes it', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), tooLong, answers('after'), tooLong],
      compactor: [writesSummary(), writesSummary()],
      settings: { ...settings, retainedTokens: 20 },
      contextWindow: 400,
    });
    await bench.pod.run({ input: 'start' });
    expect(await bench.pod.run({ input: 'more' })).toMatchObject({ text: 'after' });
    expect(bench.compactorRequests).toHaveLength(1);
    // Asked for by hand it is the question that does not fit any more.
    await bench.pod.compact({ retainedTokens: 0 });
    expect(bench.requests).toHaveLength(4);
    expect(bench.compactorRequests).toHaveLength(2);
  });
});
