import { beforeAll, describe, expect, test } from 'vitest';
import { deadline } from '../support/slowness.ts';
import type { KernelCall, Trace } from './traced-run.ts';
import { traceStory } from './traced-run.ts';

/** What an unmodified Pod asks of the kernel in one run, in which order: what a power loss would leave follows from it. */
describe('the order of writes and syncs in a run', () => {
  const traced: { trace?: Trace } = {};
  const kernel = (): Trace => {
    if (traced.trace === undefined) throw new Error('nothing was traced');
    return traced.trace;
  };

  beforeAll(async () => {
    traced.trace = await traceStory();
  }, deadline(60_000));

  test('LOG-4, LOG-12: a call and its intent are durable before its file is touched', () => {
    const trace = kernel();
    expectInOrder([
      trace.stored(/"assistant_items".*"name":"Edit"/),
      trace.stored(/"call_started".*a\.txt/),
      trace.first(CREATE, /\/\.podd-.*O_CREAT/),
    ]);
    expectInOrder([
      trace.stored(/"assistant_items".*"name":"Write"/),
      trace.stored(/"call_started".*new\.txt/),
      trace.first(['mkdir', 'mkdirat'], /\/sub"/),
    ]);
  });

  test('TOOL-2, SCOPE-15: an edited file is synced before it is renamed into place', () => {
    const trace = kernel();
    const written = trace.first(['write', 'pwrite64'], /^\d+<[^>]*\/ws\/\.podd-/);
    const synced = trace.first(['fsync'], /\/ws\/\.podd-/, written);
    expectInOrder([written, synced, trace.first(RENAME, /\/a\.txt"/)]);
  });

  test('TOOL-2, LOG-4: the folder of an edited file is synced before the result is stored', () => {
    const trace = kernel();
    const renamed = trace.first(RENAME, /\/a\.txt"/);
    expectInOrder([
      renamed,
      trace.first(['fsync'], /^\d+<[^>]*\/ws>/, renamed),
      trace.stored(/"tool_results".*Edited/),
    ]);
  });

  test('TOOL-2: a new file is synced before it is linked, and each folder after its new entry', () => {
    const trace = kernel();
    const made = trace.first(['mkdir', 'mkdirat'], /\/sub"/);
    const synced = trace.first(['fsync'], /^\d+<[^>]*\/ws>/, made);
    const written = trace.first(['write', 'pwrite64'], /^\d+<[^>]*\/sub\/\.podd-/);
    const linked = trace.first(['link', 'linkat'], /new\.txt"/);
    expectInOrder([made, synced, written]);
    expectInOrder([written, trace.first(['fsync'], /\/sub\/\.podd-/, written), linked]);
    expectInOrder([
      linked,
      trace.first(['fsync'], /^\d+<[^>]*\/sub>/, linked),
      trace.stored(/"tool_results".*Created/),
    ]);
  });

  test.each<[string, RegExp, RegExp]>([
    ['the answer "accepted"', /"result":\{"runId"/, /"user_input"/],
    ['run_start', /"event":"run_start"/, /"run_start"/],
    ['the history of an input', /"event":"history"/, /"user_input"/],
    ['tool_call_done', /"tool_call_done".*"Edit"/, /"assistant_items".*"Edit"/],
    ['text_done', /"text_done".*the mark is missing/, /"assistant_items".*the mark is missing/],
    ['usage', /"event":"usage"/, /"llm_usage"/],
    ['tool_result', /"event":"tool_result".*Edited/, /"tool_results".*Edited/],
    ['turn_end', /"event":"turn_end"/, /"turn_end"/],
    ['run_end', /"event":"run_end"/, /"run_outcome"/],
    ['shutdown', /"event":"shutdown"/, /"stopped"/],
  ])('INV-1, LOG-4: %s is told only after it is durable', (_what, line, entry) => {
    const trace = kernel();
    expectInOrder([trace.stored(entry), trace.told(line)]);
  });
});

const CREATE = ['open', 'openat'];
const RENAME = ['rename', 'renameat', 'renameat2'];

/** Each call began after the one before it had ended. */
function expectInOrder(calls: readonly KernelCall[]): void {
  for (const [index, call] of calls.slice(1).entries()) {
    const before = calls[index];
    const says = `${call.name} ${call.text.slice(0, 200)}\nbegan before the end of\n${before?.name ?? ''} ${before?.text.slice(0, 200) ?? ''}`;
    expect(call.began, says).toBeGreaterThan(before?.ended ?? Infinity);
  }
}
