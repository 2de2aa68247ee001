import { describe, expect, test } from 'vitest';
import { Fault } from '../../../daemon/core/fault.ts';
import { HeldStore } from '../../support/held-store.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { failing } from '../../support/failing-store.ts';
import {
  aborted,
  type BenchAnswer,
  calls,
  podBench,
  says,
  stalls,
  tool,
} from '../../support/pod-bench.ts';
import { deadline } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';

const fine = tool('Fine', () => Promise.resolve({ summary: 'done' }));

describe('runTurns', () => {
  test('LOOP-1 INV-3: a run goes on until the model asks for no tool, with one start and one terminal record', async () => {
    await using bench = await podBench({
      answers: [calls(['Fine', {}]), calls(['Fine', {}]), says('ok')],
      tools: [fine],
    });
    const report = await bench.pod.run({ input: 'go' });
    expect(report).toMatchObject({
      outcome: 'finished',
      text: 'ok',
      turns: 3,
      stopReason: 'end',
      usage: { inputTotal: 30, cacheRead: 12, cacheWrite: 0, output: 6 },
    });
    expect(bench.entries().map(({ kind }) => kind)).toEqual([
      'session_start',
      'run_start',
      'user_input',
      'assistant_items',
      'llm_usage',
      'tool_results',
      'turn_end',
      'assistant_items',
      'llm_usage',
      'tool_results',
      'turn_end',
      'assistant_items',
      'llm_usage',
      'turn_end',
      'run_outcome',
    ]);
  });

  test('LOG-4 INV-1: a request leaves while the results are synced, and nothing of its answer is used before', async () => {
    const held = new HeldStore(new MemoryDisk().open());
    const lastTool = tool('Last', () => {
      held.hold();
      return Promise.resolve({ summary: 'done' });
    });
    await using bench = await podBench({
      answers: [calls(['Last', {}]), says('ok')],
      tools: [lastTool],
      store: held.store,
    });
    const report = bench.pod.run({ input: 'go' });
    await until(() => bench.requests.length === 2 && held.waiting === 1, 'the second request');
    expect(bench.requests[1]?.items.at(-1)).toMatchObject({ type: 'tool_result', callId: 'c1' });
    // The answer is there; a few turns of the event loop would be enough to show it.
    for (let turns = 0; turns < 20; turns += 1)
      await new Promise((resolve) => setImmediate(resolve));
    expect(bench.deltas.map(({ event }) => event)).not.toContain('text_delta');
    expect(bench.published.map(({ event }) => event)).not.toContain('tool_result');
    held.letGo();
    await expect(report).resolves.toMatchObject({ outcome: 'finished', text: 'ok' });
    const events = bench.published.map(({ event }) => event);
    expect(events.indexOf('tool_result')).toBeLessThan(events.indexOf('text_done'));
  });

  test('LOG-4 LOG-9: results that the disk refuses fail the run with storage_error, whatever the model answered', async () => {
    // 1: the start, 2: the input, 3: the answer, 4: the results.
    const store = failing(new MemoryDisk().open(), (write) => (write === 4 ? 'fails' : 'ok'));
    await using bench = await podBench({
      answers: [calls(['Fine', {}]), says('ok'), says('next')],
      tools: [fine],
      store,
    });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({ code: 'storage_error' });
    expect(bench.published.some(({ event }) => event === 'tool_result')).toBe(false);
    expect(bench.pod.status()).toMatchObject({ state: 'idle', lastOutcome: 'error' });
    await expect(bench.pod.run({ input: 'more' })).resolves.toMatchObject({ outcome: 'finished' });
    const counts = bench
      .items()
      .filter((item) => item.type === 'tool_result' && item.callId === 'c1');
    expect(counts).toHaveLength(1);
  });

  test('LOOP-3 LOOP-7: max_turns ends a run, not the session: the next one has as many again', async () => {
    await using bench = await podBench({
      answers: [calls(['Fine', {}]), calls(['Fine', {}]), calls(['Fine', {}]), says('ok')],
      tools: [fine],
      maxTurns: 2,
    });
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({
      outcome: 'limit_reached',
      turns: 2,
    });
    await expect(bench.pod.resume({})).resolves.toMatchObject({
      outcome: 'finished',
      turns: 2,
      continues: 'run-1',
    });
  });

  test('LOOP-6 INV-3: an empty answer is asked for once more, then it is a provider_error', async () => {
    const empty = [{ kind: 'stopped', reason: 'end' }] as const;
    await using bench = await podBench({ answers: [empty, says('ok'), empty, empty] });
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ text: 'ok', turns: 1 });
    expect(bench.published.filter(({ event }) => event === 'retry')).toHaveLength(1);
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({
      code: 'provider_error',
      data: { reason: 'empty_answer', runId: 'run-2' },
    });
  });

  test.each([
    ['max_tokens', 'worker.max_tokens'],
    ['refusal', 'declined'],
    ['content_filter', 'filter'],
  ] as const)('LOOP-6: an empty answer that ended by %s says so', async (reason, says) => {
    const empty = [{ kind: 'stopped', reason }] as const;
    await using bench = await podBench({ answers: [empty, empty] });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({
      message: expect.stringContaining(says) as string,
      data: { reason: 'empty_answer', stopReason: reason },
    });
  });

  test.each(['max_tokens', 'refusal', 'content_filter'] as const)(
    'LOOP-6: a call in the middle of which the answer ended by %s is not run, even if it looks whole; those before it are',
    async (reason) => {
      const ran: unknown[] = [];
      const note = tool('Note', ({ n }) => {
        ran.push(n);
        return Promise.resolve({ summary: 'noted' });
      });
      const cut = calls(['Note', { n: 1 }], ['Note', {}]).slice(0, -1);
      await using bench = await podBench({
        answers: [[...cut, { kind: 'stopped', reason }], says('ok')],
        tools: [note],
      });
      await bench.pod.run({ input: 'go' });
      expect(ran).toEqual([1]);
      const results = bench.items().filter(({ type }) => type === 'tool_result');
      expect(results).toMatchObject([
        { callId: 'c1', summary: 'noted' },
        { callId: 'c2', isError: true, summary: expect.stringContaining('not run') as string },
      ]);
    },
  );

  test('LOOP-6: a text that the limit cut off is kept as incomplete, and the report says why it ended', async () => {
    const cut = says('and so').slice(0, -1);
    await using bench = await podBench({
      answers: [[...cut, { kind: 'stopped', reason: 'max_tokens' }]],
    });
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({
      outcome: 'finished',
      text: 'and so',
      stopReason: 'max_tokens',
    });
    expect(bench.items().at(-1)).toMatchObject({ role: 'assistant', status: 'incomplete' });
  });

  test('PROV-9 INV-3: a stream that ends without its end is no finished answer, and nothing of it is kept', async () => {
    await using bench = await podBench({ answers: [says('half').slice(0, 3)] });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({
      code: 'provider_error',
      data: { reason: 'no_terminal_event' },
    });
    expect(bench.items()).toHaveLength(1);
    expect(bench.entries().at(-1)).toMatchObject({ kind: 'run_outcome', outcome: 'error' });
  });

  describe('a request that fails', () => {
    const passing = (data: Readonly<Record<string, unknown>> = { status: 529 }): BenchAnswer =>
      async function* () {
        yield* says('half').slice(0, 2);
        await Promise.resolve();
        throw new Fault('provider_error', 'overloaded', { data: { retryable: true, ...data } });
      };

    test('PROTO-7 PROV-2: what a discarded and a cancelled answer cost is counted, in the session and in the report', async () => {
      const paid = { inputTotal: 10, cacheRead: 4, cacheWrite: 0, output: 1 };
      const usage = { kind: 'usage', usage: paid } as const;
      const breaks: BenchAnswer = async function* () {
        yield usage;
        await Promise.resolve();
        throw new Fault('provider_error', 'overloaded', { data: { retryable: true } });
      };
      const stuck: BenchAnswer = async function* (_request, signal) {
        yield usage;
        yield* says('so far').slice(0, 2);
        await aborted(signal);
      };
      await using bench = await podBench({ answers: [breaks, stuck], retries: 1 });
      const report = bench.pod.run({ input: 'go' });
      await until(() => bench.deltas.length > 0, 'the first piece');
      await bench.pod.cancel();
      await expect(report).resolves.toMatchObject({
        outcome: 'cancelled',
        usage: { inputTotal: 20, cacheRead: 8, cacheWrite: 0, output: 2 },
      });
      expect(bench.pod.status().usage).toEqual({
        inputTotal: 20,
        cacheRead: 8,
        cacheWrite: 0,
        output: 2,
      });
      const records = bench.entries().filter(({ kind }) => kind === 'llm_usage');
      expect(records).toMatchObject([
        { record: { kind: 'discarded', historyLen: 1 } },
        { record: { kind: 'discarded', historyLen: 1 } },
      ]);
    });

    test('PROV-4: it is sent again; what had come is told as discarded, and nothing of it is kept', async () => {
      await using bench = await podBench({
        answers: [passing(), says('half').slice(0, 3), says('ok')],
        retries: 2,
      });
      await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ text: 'ok', turns: 1 });
      const retries = bench.published.filter(({ event }) => event === 'retry');
      expect(retries.map(({ data }) => data)).toMatchObject([
        { attempt: 1, delayMs: 0, reason: 'status 529', discarded: [1] },
        { attempt: 2, delayMs: 0, reason: 'no_terminal_event', discarded: [2] },
      ]);
      expect(bench.items()).toHaveLength(2);
      expect(JSON.stringify(bench.entries())).not.toContain('half');
    });

    test('PROV-4: after max_retries the run fails with the last failure', async () => {
      await using bench = await podBench({
        answers: [passing(), passing(), passing()],
        retries: 2,
      });
      await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({
        message: 'overloaded',
        data: { status: 529 },
      });
      expect(bench.requests).toHaveLength(3);
      expect(bench.items()).toHaveLength(1);
    });

    test('PROV-4: one that would fail again, or pass only after hours, is not sent again', async () => {
      for (const data of [{ retryable: false }, { status: 429, retryAfterMs: 7_200_000 }]) {
        await using bench = await podBench({ answers: [passing(data)], retries: 5 });
        await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({
          code: 'provider_error',
        });
        expect(bench.requests).toHaveLength(1);
      }
    });

    test('PROV-4 PROV-5: a cancel ends the wait for the next attempt at once', async () => {
      const slow = passing({ status: 429, retryAfterMs: 200_000 });
      await using bench = await podBench({ answers: [slow, says('ok')], retries: 5 });
      const run = bench.pod.run({ input: 'go' });
      await until(() => bench.published.some(({ event }) => event === 'retry'), 'a retry');
      const begun = performance.now();
      await bench.pod.cancel();
      await expect(run).resolves.toMatchObject({ outcome: 'cancelled', text: '' });
      expect(performance.now() - begun).toBeLessThan(deadline(1000));
      expect(bench.requests).toHaveLength(1);
    });
  });

  test('INV-3: a provider that fails ends the run with its own message, once', async () => {
    await using bench = await podBench({
      answers: [
        // eslint-disable-next-line @typescript-eslint/require-await -- a stream that fails at once
        async function* () {
          throw new Fault('provider_error', 'overloaded', { data: { status: 529 } });
        },
      ],
    });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({
      message: 'overloaded',
      data: { status: 529, runId: 'run-1' },
    });
    const ends = bench.published.filter(({ event }) => event === 'run_end');
    expect(ends).toMatchObject([{ data: { error: { code: 'provider_error' } } }]);
  });

  test('LOOP-3 INV-1: a cancel keeps the text that came, told whole once it is stored', async () => {
    await using bench = await podBench({ answers: [stalls('so far'), says('ok')] });
    const report = bench.pod.run({ input: 'go' });
    await until(() => bench.deltas.length === 1, 'the first piece');
    await bench.pod.cancel();
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled', text: 'so far', turns: 1 });
    expect(bench.items().at(-1)).toMatchObject({ status: 'incomplete' });
    expect(bench.published).toContainEqual({
      event: 'text_done',
      data: { block: 1, text: 'so far' },
    });
    await expect(bench.pod.resume({})).resolves.toMatchObject({ text: 'ok', continues: 'run-1' });
  });

  test('PROTO-11: no block number is used twice, across attempts and runs', async () => {
    const thinks = [
      { kind: 'reasoningStarted', block: 0 },
      { kind: 'delta', block: 0, text: 'hm' },
      { kind: 'stopped', reason: 'end' },
    ] as const;
    await using bench = await podBench({ answers: [thinks, says('a'), says('b')] });
    await bench.pod.run({ input: 'go' });
    await bench.pod.run({ input: 'go' });
    const shown = bench.deltas.flatMap(({ data }) => ('block' in data ? [data.block] : []));
    expect(shown).toEqual([1, 2, 3]);
    expect(bench.published.find(({ event }) => event === 'retry')).toMatchObject({
      data: { discarded: [1] },
    });
  });
});
