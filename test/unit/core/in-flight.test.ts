import { describe, expect, test } from 'vitest';
import { InFlightView } from '../../../daemon/core/in-flight.ts';

describe('InFlightView', () => {
  test('INV-9 PROTO-10: pieces add up, and each whole takes its own piece out', () => {
    const view = new InFlightView();
    view.applyDelta({ event: 'text_delta', data: { block: 1, offset: 0, text: 'he' } });
    view.applyDelta({ event: 'text_delta', data: { block: 1, offset: 2, text: 'y' } });
    view.applyDelta({ event: 'reasoning_delta', data: { block: 2, offset: 0, text: 'hm' } });
    view.apply({ event: 'tool_call_start', data: { block: 3, callId: 'c', name: 'Read' } });
    view.applyDelta({
      event: 'tool_call_args_delta',
      data: { block: 3, callId: 'c', offset: 0, json: '{"a' },
    });
    view.applyDelta({ event: 'tool_output', data: { callId: 'd', offset: 0, text: 'out' } });
    expect(view.list()).toEqual([
      { block: 1, kind: 'text', offset: 0, text: 'hey' },
      { block: 2, kind: 'reasoning', offset: 0, text: 'hm' },
      { block: 3, kind: 'tool_call', offset: 0, text: '{"a', callId: 'c', name: 'Read' },
      { kind: 'tool_output', offset: 0, text: 'out', callId: 'd' },
    ]);
    view.apply({ event: 'text_done', data: { block: 1, text: 'hey' } });
    view.apply({ event: 'retry', data: { attempt: 1, delayMs: 0, reason: 'x', discarded: [3] } });
    view.apply({
      event: 'tool_result',
      data: { callId: 'd', name: 'Bash', summary: 's', isError: false },
    });
    expect(view.list()).toEqual([{ block: 2, kind: 'reasoning', offset: 0, text: 'hm' }]);
    view.apply({
      event: 'run_end',
      data: { runId: 'r', error: { code: 'provider_error', message: 'gone' } },
    });
    expect(view.list()).toEqual([]);
  });
});
