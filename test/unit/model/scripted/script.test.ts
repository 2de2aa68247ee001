import { describe, expect, test } from 'vitest';
import { parseScript } from '../../../../daemon/model/scripted/script.ts';
import { script } from '../../../support/script.ts';

function problems(text: string): readonly string[] {
  const parsed = parseScript(text);
  return parsed.ok ? [] : parsed.error;
}

describe('parseScript', () => {
  test('PROV-6: a step with every key', () => {
    const { steps, loop } = script(`
      loop = true
      [[steps]]
      when = 'go\\b'
      text = "on it"
      reasoning = "hm"
      delay_ms = 5
      chunk_bytes = 2
      usage = { input_total = 9, output = 1 }
      stop_reason = "max_tokens"
      [[steps.tool_calls]]
      name = "Read"
      arguments = { file_path = "/a", limit = 3, deep = { list = [1, "x"] }, day = 2026-01-02 }
    `);
    expect(loop).toBe(true);
    expect(steps).toEqual([
      {
        when: /go\b/,
        text: 'on it',
        reasoning: 'hm',
        calls: [
          {
            name: 'Read',
            arguments: { file_path: '/a', limit: 3, deep: { list: [1, 'x'] }, day: '2026-01-02' },
          },
        ],
        delayMs: 5,
        chunkBytes: 2,
        usage: { inputTotal: 9, output: 1 },
        failure: null,
        stopReason: 'max_tokens',
      },
    ]);
  });

  test('PROV-6: a step without keys stops with end, one with calls with tool_calls', () => {
    const { steps } = script('[[steps]]\n[[steps]]\ntool_calls = [{ name = "Read" }]');
    expect(steps.map(({ stopReason, calls }) => [stopReason, calls])).toEqual([
      ['end', []],
      ['tool_calls', [{ name: 'Read', arguments: {} }]],
    ]);
  });

  test.each<[string, string[]]>([
    ['[[steps]]\ntext = ', ['2:8 expected a value behind =']],
    ['', ['steps is required, but missing']],
    ['steps = []', ['steps expected at least one [[steps]], got 0']],
    ['looop = true\n[[steps]]', ['looop is not known; did you mean loop?']],
    ['[[steps]]\ntex = "x"', ['steps[0].tex is not known; did you mean text?']],
    ['[[steps]]\ntext = 1', ['steps[0].text expected a string, got 1']],
    [
      '[[steps]]\ndelay_ms = -1',
      ['steps[0].delay_ms expected a whole number of milliseconds from 0 to 86400000, got -1'],
    ],
    [
      '[[steps]]\nchunk_bytes = 0',
      ['steps[0].chunk_bytes expected a whole number of bytes from 1 to 16777216, got 0'],
    ],
    ['[[steps]]\ntool_calls = [{}]', ['steps[0].tool_calls[0].name is required, but missing']],
    [
      '[[steps]]\ntool_calls = [{ name = "R", arguments = { a = [1, nan] } }]',
      ['steps[0].tool_calls[0].arguments.a[1] expected a number that JSON has, got NaN'],
    ],
    [
      '[[steps]]\nerror = "boom"',
      ['steps[0].error expected "disconnect" or { status = 400 to 599 }, got "boom"'],
    ],
    [
      '[[steps]]\nerror = { status = 503 }\ntext = "x"',
      [
        'steps[0].error with a status takes no answer: text, reasoning, tool_calls, usage, stop_reason',
      ],
    ],
    [
      '[[steps]]\nwhen = "("',
      [
        'steps[0].when is not a regular expression: Invalid regular expression: /(/: Unterminated group',
      ],
    ],
    [
      '[[steps]]\ntext = "{{last_reslt}} {{name}}"',
      ['steps[0] has {{last_reslt}}; did you mean {{last_result}}?'],
    ],
    [
      '[[steps]]\nstop_reason = "stop"\n[[steps]]\nusage = { input = 1 }',
      [
        'steps[0].stop_reason expected "end" or "tool_calls" or "max_tokens" or "refusal" or "content_filter", got "stop"',
        'steps[1].usage.input is not known; known here: input_total, cache_read, cache_write, output',
      ],
    ],
  ])('PROV-6: %j is refused in words', (text, says) => {
    expect(problems(text)).toEqual(says);
  });
});
