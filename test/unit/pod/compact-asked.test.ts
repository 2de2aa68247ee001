import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { Fault } from '../../../daemon/core/fault.ts';
import { allText } from '../../support/item-text.ts';
import {
  answers,
  asks,
  compactingPod,
  SUMMARY,
  writesSummary,
} from '../../support/compacting-bench.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { until } from '../../support/until.ts';

const LONG = 'words of the model, many of them. '.repeat(60);

function textsOf(items: readonly Item[] | undefined): string {
  return allText(items ?? []);
}

describe('Compact', () => {
  test('LOG-16: a Pod without a session has nothing to compact', async () => {
    await using bench = await compactingPod({ answers: [], compactor: [] });
    await expect(bench.pod.compact({})).rejects.toMatchObject({ code: 'unknown_session' });
  });

  test('COMP-12: in a run it waits for the next safe point, and the run goes on', async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    await using bench = await compactingPod({
      answers: [
        answers(LONG),
        async function* () {
          await gate;
          yield* asks('Fill', { bytes: 2000 });
        },
        answers('done'),
      ],
      compactor: [writesSummary()],
    });
    await bench.pod.run({ input: 'start' });
    const run = bench.pod.run({ input: 'fill' });
    await until(() => bench.requests.length === 2, 'it');
    const asked = bench.pod.compact({ instructions: 'keep the tests in mind' });
    await expect(bench.pod.compact({})).rejects.toMatchObject({ code: 'already_running' });
    go();
    const { sessionId } = await asked;
    expect(await run).toMatchObject({ outcome: 'finished', text: 'done', turns: 2, sessionId });
    expect(textsOf(bench.compactorRequests[0]?.items)).toContain('keep the tests in mind');
  });

  test('COMP-12: one that waits for a run that ends first begins then', async () => {
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    await using bench = await compactingPod({
      answers: [
        answers(LONG),
        async function* () {
          await gate;
          yield* answers('last');
        },
      ],
      compactor: [writesSummary()],
    });
    await bench.pod.run({ input: 'start' });
    const run = bench.pod.run({ input: 'start' });
    await until(() => bench.requests.length === 2, 'it');
    const asked = bench.pod.compact({});
    go();
    expect(await run).toMatchObject({ text: 'last' });
    expect((await asked).sessionId).toBe(bench.pod.status().sessionId);
  });

  test('COMP-14: nothing to compact is told as such', async () => {
    await using bench = await compactingPod({ answers: [answers('hi')], compactor: [] });
    await bench.pod.run({ input: 'hello' });
    await expect(bench.pod.compact({})).rejects.toMatchObject({
      code: 'compaction_failed',
      data: { cause: 'nothing_to_compact' },
    });
    expect(bench.pod.status().compaction.failures).toBe(0);
  });

  test('COMP-10: a summary that loses a directive of the one before is asked for again, then refused', async () => {
    const forgetful = SUMMARY.replace('- Be kind.', '- (none)');
    await using bench = await compactingPod({
      answers: [answers(LONG), answers('two')],
      compactor: [
        writesSummary(),
        writesSummary(forgetful),
        writesSummary(forgetful),
        writesSummary(forgetful),
        writesSummary(),
      ],
      settings: { retainedTokens: 0 },
    });
    await bench.pod.run({ input: 'start' });
    await bench.pod.compact({});
    await bench.pod.run({ input: 'start' });
    const { sessionId } = bench.pod.status();
    await expect(bench.pod.compact({})).rejects.toMatchObject({
      data: { cause: 'invalid' },
      message: expect.stringContaining('Be kind.') as string,
    });
    expect(bench.pod.status().sessionId).toBe(sessionId);
    expect(textsOf(bench.compactorRequests[2]?.items)).toContain('missing from it: Be kind.');
    // Told once what is wrong, it mends it.
    await bench.pod.compact({});
    expect(textsOf(bench.items())).toContain('Be kind.');
  });

  test('COMP-10, INV-13: what does not get smaller is refused', async () => {
    const huge = `${SUMMARY}\n${'a word too many '.repeat(500)}`;
    await using bench = await compactingPod({
      answers: [answers(LONG)],
      compactor: [writesSummary(huge), writesSummary(huge)],
      settings: { retainedTokens: 0 },
    });
    await bench.pod.run({ input: 'start' });
    await expect(bench.pod.compact({})).rejects.toMatchObject({ data: { cause: 'not_smaller' } });
  });

  test('PROTO-17: the same id again gets the same answer, also of another process; another question is a conflict', async () => {
    const disk = new MemoryDisk();
    let first: unknown;
    {
      await using bench = await compactingPod({
        answers: [answers(LONG)],
        compactor: [writesSummary()],
        settings: { retainedTokens: 0 },
        store: disk.open(),
      });
      await bench.pod.run({ input: 'start' });
      first = await bench.pod.compact({ requestId: 'c1' });
      expect(await bench.pod.compact({ requestId: 'c1' })).toEqual(first);
    }
    await using bench = await compactingPod({ answers: [], compactor: [], store: disk.open() });
    expect(await bench.pod.compact({ requestId: 'c1' })).toEqual(first);
    await expect(
      bench.pod.compact({ requestId: 'c1', instructions: 'other' }),
    ).rejects.toMatchObject({ code: 'conflict' });
  });

  test('COMP-3: the compactor is paid for in the old session, and counts in no estimate', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG)],
      compactor: [writesSummary()],
      settings: { retainedTokens: 0 },
    });
    await bench.pod.run({ input: 'start' });
    const { sessionId, usage: before } = bench.pod.status();
    await bench.pod.compact({});
    const { records } = await bench.pod.usage({ sessionId });
    expect(records.map(({ kind }) => kind)).toEqual(['run', 'compactor']);
    const { usage: after, occupancy } = bench.pod.status();
    expect(after.inputTotal).toBe(before.inputTotal + (records[1]?.inputTotal ?? 0));
    expect(occupancy.source).toBe('extrapolated');
    expect((await bench.pod.usage({})).records).toEqual([]);
    await expect(bench.pod.usage({ sessionId: 'none' })).rejects.toBeInstanceOf(Fault);
  });
});

describe('a prompt that is refused as too long', () => {
  const tooLong = async function* () {
    await Promise.resolve();
    yield* [];
    throw new Fault('provider_error', 'prompt is too long: 9 tokens > 8', {
      data: { status: 400, retryable: false, reason: 'prompt_too_long' },
    });
  };

  test('COMP-12, PROV-4: is compacted once and sent again, without any threshold', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), tooLong, answers('two')],
      compactor: [writesSummary()],
      contextWindow: 400,
    });
    await bench.pod.run({ input: 'start' });
    expect(await bench.pod.run({ input: 'more' })).toMatchObject({ text: 'two', turns: 1 });
  });

  test('COMP-12: is not compacted a second time for the same request', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), tooLong, tooLong],
      compactor: [writesSummary(), writesSummary()],
      contextWindow: 400,
    });
    await bench.pod.run({ input: 'start' });
    await expect(bench.pod.run({ input: 'more' })).rejects.toMatchObject({
      code: 'provider_error',
    });
    expect(bench.compactorRequests).toHaveLength(1);
  });

  test('COMP-12: with on_refusal = false it fails', async () => {
    await using bench = await compactingPod({
      answers: [answers(LONG), tooLong],
      compactor: [],
      settings: { onRefusal: false },
    });
    await bench.pod.run({ input: 'start' });
    await expect(bench.pod.run({ input: 'more' })).rejects.toMatchObject({
      code: 'provider_error',
    });
  });
});
