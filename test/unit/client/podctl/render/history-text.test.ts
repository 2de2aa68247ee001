import { expect, test } from 'vitest';
import { renderItem } from '../../../../../client/podctl/render/history-text.ts';
import { styleFor } from '../../../../../client/podctl/render/style.ts';
import type { Item } from '../../../../../protocol/items.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';

const plain = styleFor(new FakeShell().shell.out, {});
const terminal = styleFor(new FakeShell({ terminal: true }).shell.out, { NO_COLOR: '1' });
const message = (role: 'user' | 'assistant' | 'system', text: string): Item => ({
  type: 'message',
  role,
  content: [{ type: 'text', text }],
});

test.each<[string, Item, string]>([
  ['what was asked is marked', message('user', 'one\ntwo'), '> one\n> two\n'],
  ['a note is marked otherwise', message('system', 'note'), '# note\n'],
  ['what the model said is whole', message('assistant', 'one\n\n  two\n'), 'one\n\n  two\n'],
  [
    'what was cut off says so',
    { ...message('assistant', 'half'), status: 'incomplete' } as Item,
    'half (cut off)\n',
  ],
  [
    'a refusal is told',
    { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
    '(refused) no\n',
  ],
  [
    'a call is a line',
    { type: 'tool_call', callId: 'c', name: 'Read', arguments: `{"a":"${'x'.repeat(300)}"}` },
    `→ Read {"a":"${'x'.repeat(153)}…\n`,
  ],
  ['a result is a line', { type: 'tool_result', callId: 'c', summary: 'a\nb' }, '  a b\n'],
  [
    'a failed one is marked',
    { type: 'tool_result', callId: 'c', summary: 'a', isError: true },
    '  ✗ a\n',
  ],
  ['reasoning is a line', { type: 'reasoning', text: 'hm\nhm' }, '(thinks) hm hm\n'],
  ['reasoning without text is none', { type: 'reasoning', text: '' }, ''],
])('CLI-2: %s', (_what, item, text) => {
  expect(renderItem(item, plain)).toBe(text);
});

test('CLI-2: nothing that a model said moves the terminal', () => {
  const hostile = '\u001b[2J\u009b1A\u0007x';
  const items: Item[] = [
    message('user', hostile),
    message('assistant', hostile),
    { type: 'tool_call', callId: 'c', name: hostile, arguments: hostile },
    { type: 'tool_result', callId: 'c', summary: hostile },
    { type: 'reasoning', text: hostile },
  ];
  for (const item of items)
    expect(renderItem(item, terminal)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
