import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { DELTAS, EventParams, EVENTS } from '../../../protocol/events.ts';

const NAMES = `turn_start turn_end text_delta text_done reasoning_delta reasoning_done tool_call_start
  tool_call_args_delta tool_call_done tool_output tool_result usage run_start run_end state queue error notification
  retry history approval_requested approval_resolved compaction_start compaction_done compaction_failed
  session_changed child fenced lagged shutdown`;

const REPORT = {
  runId: 'r',
  outcome: 'finished',
  text: 'done',
  turns: 1,
  usage: { inputTotal: 1, cacheRead: 0, cacheWrite: 0, output: 1 },
  sessionId: 's',
};

describe('EVENTS', () => {
  test('PROTO-11: the events are those of the spec, no more and no fewer', () => {
    expect(Object.keys(EVENTS).sort()).toEqual(NAMES.split(/\s+/).sort());
  });

  test('PROTO-3: event names are snake_case, their fields camelCase', () => {
    for (const [name, schema] of Object.entries(EVENTS)) {
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      if (schema.type !== 'strict_object') continue;
      for (const field of Object.keys(schema.entries)) expect(field).toMatch(/^[a-z][a-zA-Z]*$/);
    }
  });

  test('PROTO-10: the deltas are the events that carry an offset', () => {
    const withOffset = Object.entries(EVENTS)
      .filter(([, schema]) => schema.type === 'strict_object' && 'offset' in schema.entries)
      .map(([name]) => name);
    expect(withOffset.sort()).toEqual([...DELTAS].sort());
  });

  test.each([
    ['a report', { runId: 'r', outcome: 'finished', report: REPORT }, true],
    ['an error', { runId: 'r', error: { code: 'provider_error', message: 'm' } }, true],
    ['neither', { runId: 'r' }, false],
    ['both', { runId: 'r', outcome: 'finished', report: REPORT, error: {} }, false],
    ['an unknown code', { runId: 'r', error: { code: 'nope', message: 'm' } }, false],
  ])('PROTO-11: run_end with %s: %#', (_name, data, fits) => {
    expect(v.is(EVENTS.run_end, data)).toBe(fits);
  });

  test('PROTO-10: an Event’s params name epoch, seq, ts, event and data, and nothing else', () => {
    const params = { epoch: 1, seq: 2, ts: 3, event: 'state', data: {} };
    expect(v.is(EventParams, params)).toBe(true);
    expect(v.is(EventParams, { ...params, event: 'mesage' })).toBe(false);
    expect(v.is(EventParams, { ...params, extra: 1 })).toBe(false);
  });
});
