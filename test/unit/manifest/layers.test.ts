import { describe, expect, test } from 'vitest';
import { isTable, mergeLayers } from '../../../daemon/manifest/layers.ts';

describe('mergeLayers', () => {
  test('MAN-2: tables merge key by key, the higher layer wins, scope rules are concatenated with the higher last', () => {
    const { table, origins } = mergeLayers([
      {
        source: 'user',
        table: { pod: { name: 'a' }, worker: { max_turns: 1 }, scope: { allow: [1], deny: [9] } },
      },
      { source: 'project', table: { worker: { tool_output: { per_tool: { Read: 5 } } } } },
      {
        source: 'overlay',
        table: {
          pod: { name: 'b' },
          worker: { tool_output: { per_tool: { Edit: 6 } } },
          scope: { allow: [2, 3] },
        },
      },
    ]);
    expect(table).toEqual({
      pod: { name: 'b' },
      worker: { max_turns: 1, tool_output: { per_tool: { Read: 5, Edit: 6 } } },
      scope: { allow: [1, 2, 3], deny: [9] },
    });
    expect(Object.fromEntries(origins)).toEqual({
      'pod.name': 'overlay',
      'worker.max_turns': 'user',
      'worker.tool_output.per_tool.Read': 'project',
      'worker.tool_output.per_tool.Edit': 'overlay',
      'scope.allow[0]': 'user',
      'scope.allow[1]': 'overlay',
      'scope.allow[2]': 'overlay',
      'scope.deny[0]': 'user',
    });
  });

  test('MAN-2: a key named like a part of every object is a key like any other', () => {
    const upper = JSON.parse('{"__proto__": {"constructor": 1}}') as Record<string, unknown>;
    const { table } = mergeLayers([{ source: 'a', table: upper }]);
    expect(Object.keys(table)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['constructor']).toBe(Object);
  });

  test('MAN-2: a date and a list are values, not tables', () => {
    expect([new Date(), [], null, 'x', {}].map(isTable)).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });
});
