import { afterEach, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { failing } from '../../support/failing-store.ts';
import { aborted, calls, podBench, says, tool } from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

const fine = tool('Fine', () => Promise.resolve({ summary: 'done' }));

function results(items: readonly { readonly type: string }[]): unknown[] {
  return items.filter(({ type }) => type === 'tool_result');
}

afterEach(() => {
  vi.useRealTimers();
});

describe('runCalls', () => {
  test('LOOP-2 INV-4: calls run side by side, and results stand in call order whoever ends first', async () => {
    const ended: string[] = [];
    let release = (): void => undefined;
    const slow = tool('Slow', async () => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      ended.push('Slow');
      return { summary: 'slow' };
    });
    const quick = tool('Quick', () => {
      ended.push('Quick');
      release();
      return Promise.resolve({ summary: 'quick' });
    });
    await using bench = await podBench({
      answers: [calls(['Slow', {}], ['Quick', {}]), says('ok')],
      tools: [slow, quick],
    });
    await bench.pod.run({ input: 'go' });
    expect(ended).toEqual(['Quick', 'Slow']);
    expect(results(bench.items())).toMatchObject([
      { callId: 'c1', summary: 'slow' },
      { callId: 'c2', summary: 'quick' },
    ]);
  });

  test('LOOP-2: calls that touch one file take turns, in call order', async () => {
    const log: string[] = [];
    const touch = tool('Touch', async ({ n }) => {
      log.push(`begin ${String(n)}`);
      await new Promise((resolve) => setImmediate(resolve));
      log.push(`end ${String(n)}`);
      return { summary: 'touched' };
    });
    await using bench = await podBench({
      answers: [
        calls(
          ['Touch', { path: '/a', n: 1 }],
          ['Touch', { path: '/a', n: 2 }],
          ['Touch', { path: '/a', n: 3 }],
        ),
        says('ok'),
      ],
      tools: [touch],
    });
    await bench.pod.run({ input: 'go' });
    expect(log).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
  });

  test('LOOP-2 INV-4: unknown tools and bad arguments are results that a model can read', async () => {
    await using bench = await podBench({
      answers: [calls(['Nope', {}], ['Fine', { path: 7 }]), says('ok')],
      tools: [fine],
    });
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ outcome: 'finished' });
    expect(results(bench.items())).toMatchObject([
      { isError: true, summary: expect.stringContaining('there is no tool Nope') as string },
      { isError: true, summary: expect.stringContaining('path') as string },
    ]);
  });

  test('INV-12: a call over the limit of one answer is not run', async () => {
    const many = Array.from({ length: LIMITS.callsPerTurn + 1 }, () => ['Fine', {}] as const);
    await using bench = await podBench({ answers: [calls(...many), says('ok')], tools: [fine] });
    await bench.pod.run({ input: 'go' });
    const all = results(bench.items());
    expect(all).toHaveLength(LIMITS.callsPerTurn + 1);
    expect(all.at(-2)).toMatchObject({ summary: 'done' });
    expect(all.at(-1)).toMatchObject({
      isError: true,
      summary: expect.stringContaining('not run') as string,
    });
  });

  test('INV-12: at most so many calls of an answer run at once', async () => {
    let now = 0;
    let most = 0;
    const busy = tool('Busy', async () => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setImmediate(resolve));
      now -= 1;
      return { summary: 'done' };
    });
    const many = Array.from({ length: 3 * LIMITS.callsAtOnce }, () => ['Busy', {}] as const);
    await using bench = await podBench({ answers: [calls(...many), says('ok')], tools: [busy] });
    await bench.pod.run({ input: 'go' });
    expect(most).toBe(LIMITS.callsAtOnce);
  });

  test('SCOPE-2 PERM-2: a call that the gate denies never reaches its tool', async () => {
    let ran = 0;
    const write = tool('Write', () => {
      ran += 1;
      return Promise.resolve({ summary: 'written' });
    });
    await using bench = await podBench({
      answers: [calls(['Write', { path: '/readable' }], ['Write', { path: '/other' }]), says('ok')],
      tools: [write],
      deniedPath: '/readable',
    });
    await bench.pod.run({ input: 'go' });
    expect(ran).toBe(1);
    expect(results(bench.items())).toMatchObject([
      { isError: true, summary: expect.stringContaining('may be read, not written') as string },
      { summary: 'written' },
    ]);
  });

  test('TOOL-7: a tool that throws is an error result that says nothing of why', async () => {
    const bad = tool('Bad', () => Promise.reject(new Error('/secret/path')));
    await using bench = await podBench({ answers: [calls(['Bad', {}]), says('ok')], tools: [bad] });
    await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ outcome: 'finished' });
    expect(results(bench.items())).toMatchObject([{ isError: true }]);
    expect(JSON.stringify(bench.items())).not.toContain('secret');
  });

  test.each([
    ['ends at its signal', (signal: AbortSignal) => aborted(signal)],
    ['never ends', () => new Promise<never>(() => undefined)],
  ])('TOOL-7 INV-6: a tool that hangs and %s is ended by its deadline', async (_how, hang) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const stuck = tool('Stuck', async (_args, _ports, signal) => await hang(signal));
    await using bench = await podBench({
      answers: [calls(['Stuck', {}]), says('ok')],
      tools: [stuck],
    });
    const report = bench.pod.run({ input: 'go' });
    await vi.advanceTimersByTimeAsync(LIMITS.toolMs + LIMITS.toolAbortMs + 1);
    await expect(report).resolves.toMatchObject({ outcome: 'finished' });
    expect(results(bench.items())).toMatchObject([
      { isError: true, summary: expect.stringContaining(`${LIMITS.toolMs} ms`) as string },
    ]);
    vi.useRealTimers();
  });

  test('LOG-12: a tool whose intent the disk refuses does nothing, and the run fails with storage_error', async () => {
    let effects = 0;
    const write = tool('Write', async (_args, ports) => {
      await ports.intend({ kind: 'write_file', path: '/a', hash: 'h', before: null });
      effects += 1;
      return { summary: 'written' };
    });
    // 1: the start, 2: the input, 3: the answer, 4: the intent.
    const store = failing(new MemoryDisk().open(), (write) => (write === 4 ? 'fails' : 'ok'));
    await using bench = await podBench({ answers: [calls(['Write', {}])], tools: [write], store });
    await expect(bench.pod.run({ input: 'go' })).rejects.toMatchObject({ code: 'storage_error' });
    expect(effects).toBe(0);
  });

  test('LOG-4 LOG-12: the answer is stored before its tool runs, the intent before the effect', async () => {
    const seen: string[][] = [];
    const write = tool('Write', async (_args, ports) => {
      seen.push(bench.entries().map(({ kind }) => kind));
      await ports.intend({ kind: 'write_file', path: '/a', hash: 'h', before: null });
      seen.push(bench.entries().map(({ kind }) => kind));
      return { summary: 'written' };
    });
    await using bench = await podBench({
      answers: [calls(['Write', {}]), says('ok')],
      tools: [write],
    });
    await bench.pod.run({ input: 'go' });
    expect(seen[0]?.slice(-2)).toEqual(['assistant_items', 'llm_usage']);
    expect(seen[1]?.at(-1)).toBe('call_started');
  });

  test('LOOP-3 INV-4: a cancel gives each call one result: done, unknown, or never begun', async () => {
    const stuck = tool('Stuck', async (_args, _ports, signal) => await aborted(signal));
    await using bench = await podBench({
      answers: [
        calls(['Fine', {}], ['Stuck', { path: '/a' }], ['Stuck', { path: '/a' }]),
        says('again'),
      ],
      tools: [fine, stuck],
    });
    const report = bench.pod.run({ input: 'go' });
    await until(() => bench.pod.status().phase === 'tools', 'the tools to run');
    await expect(bench.pod.cancel()).resolves.toMatchObject({ quiescent: true, survivors: [] });
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled' });
    expect(results(bench.items())).toMatchObject([
      { callId: 'c1', summary: 'done' },
      { callId: 'c2', isError: true, summary: 'cancelled; outcome unknown' },
      { callId: 'c3', isError: true, summary: 'cancelled before it ran' },
    ]);
    await expect(bench.pod.run({ input: 'again' })).resolves.toMatchObject({ outcome: 'finished' });
  });

  test('LOOP-4 INV-12: content, summary and error text are cut with a mark, and a notice says so', async () => {
    const big = tool('Big', ({ bad }) =>
      Promise.resolve({
        summary: 's'.repeat(9000),
        content: 'c'.repeat(5000),
        isError: bad === true,
      }),
    );
    await using bench = await podBench({
      answers: [calls(['Big', {}], ['Big', { bad: true }]), says('ok')],
      tools: [big],
    });
    await bench.pod.run({ input: 'go' });
    const [first, second] = bench.items().filter((item) => item.type === 'tool_result');
    expect(Buffer.byteLength(first?.summary ?? '')).toBeLessThanOrEqual(LIMITS.resultSummaryBytes);
    expect(Buffer.byteLength(second?.summary ?? '')).toBeLessThanOrEqual(LIMITS.errorTextBytes);
    expect(Buffer.byteLength(first?.content ?? '')).toBeLessThanOrEqual(1000);
    expect(first?.content).toMatch(/\[cut: \d+ more bytes; [^\n]+\]$/);
    expect(bench.published.filter(({ event }) => event === 'notification')).toHaveLength(2);
  });
});
