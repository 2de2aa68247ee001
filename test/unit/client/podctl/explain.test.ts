import { describe, expect, test } from 'vitest';
import { PodError } from '../../../../client/pod-error.ts';
import { explain } from '../../../../client/podctl/explain.ts';

describe('explain', () => {
  test('CLI-3: a Pod that is not there: which, where it was looked for, how to start it', () => {
    const error = new PodError('unreachable', 'there is no socket at /run/x/sock');
    expect(explain(error, 'x')).toBe(
      'no Pod x is running: there is no socket at /run/x/sock; start it with: podd --manifest FILE',
    );
  });

  test('CLI-3: the socket of another user is not a Pod to start', () => {
    const error = new PodError('unreachable', 'the socket belongs to another user at /s', {
      data: { code: 'EACCES' },
    });
    expect(explain(error, 'x')).toMatch(/run podctl as that user$/);
  });

  test('CLI-3: what the Pod refused has the Pod, its words and its code', () => {
    expect(explain(new PodError('already_running', 'a run is open'), 'x')).toBe(
      'Pod x: a run is open (already_running); try again when it is done; what it does now: podctl status x',
    );
    expect(explain(new PodError('prompt_error', 'no prompt'), 'x')).toBe(
      'Pod x: no prompt (prompt_error)',
    );
  });

  test.each([
    ['summary_missing', /wrote no summary; .*--instructions TEXT$/],
    ['nothing_to_compact', /keep less: podctl compact x --retained-tokens N$/],
    ['not_smaller', /no shorter/],
    ['invalid', /no history to go on with; try again$/],
    ['provider', /provider did not answer/],
    ['storage', /could not be written; the cause is in its podd.log$/],
    ['cancelled', /was cancelled/],
    ['deadline', /took too long/],
    ['input_cap', /compaction.worker_max_input_tokens/],
    ['of a later podd', /the session is as it was; its podd.log has more$/],
    ['toString', /the session is as it was; its podd.log has more$/],
  ])('CLI-3: a compaction that failed by %s says what may be done about it', (cause, says) => {
    const error = new PodError('compaction_failed', 'no', { data: { cause } });
    expect(explain(error, 'x')).toMatch(/^Pod x: no \(compaction_failed\); /);
    expect(explain(error, 'x')).toMatch(says);
  });

  test('CLI-3: the causes of a compaction are looked for in its own errors only', () => {
    expect(explain(new PodError('conflict', 'no', { data: { cause: 'storage' } }), 'x')).toBe(
      'Pod x: no (conflict)',
    );
    expect(explain(new PodError('compaction_thrash', 'no'), 'x')).toMatch(/keep less/);
  });
});
