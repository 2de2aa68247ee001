import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { layoutHistory } from '../../../daemon/core/compaction-layout.ts';
import { conversationText } from '../../../daemon/core/conversation-text.ts';
import { call, result, said, system, thought, user } from '../../support/items.ts';

const bytes = (text: string): number => Buffer.byteLength(text);
const whole = (items: readonly Item[]): string =>
  conversationText(items, Number.MAX_SAFE_INTEGER).text;
const calls = (name: string, count: number): Item[] =>
  Array.from({ length: count }, (_, n) => [
    { ...call(`c${n}`), name },
    { ...result(`c${n}`), summary: `${name} ${n}` },
  ]).flat();

const compacted = (summary: string, tail: readonly Item[]): Item[] =>
  layoutHistory({
    summary,
    ledger: 'LEDGER BODY',
    autoReads: [{ path: '/a b.ts', offset: 0, limit: 20, text: 'FILE BODY', lines: 99 }],
    references: ['/x', '/y'],
    tail,
  });

describe('conversationText', () => {
  test('COMP-4: a paragraph an item; arguments, contents and reasoning are left out', () => {
    const items: Item[] = [
      user('do it'),
      thought('REASONING'),
      {
        type: 'message',
        role: 'assistant',
        content: [
          { type: 'text', text: 'I' },
          { type: 'text', text: ' will' },
          { type: 'refusal', refusal: ' not' },
        ],
      },
      { ...call('c1', '{"ARGUMENT":1}'), name: 'Edit' },
      { ...result('c1', 'CONTENT'), summary: 'edited /a\n+1 −1' },
      system('Note: x'),
    ];
    expect(conversationText(items, 10_000)).toEqual({
      text: [
        '[User] do it',
        '[Assistant] I will not',
        '[ToolCall] Edit',
        '[ToolResult] edited /a\n+1 −1',
        '[System] Note: x',
      ].join('\n\n'),
      condensed: false,
    });
  });

  test('COMP-4: of an earlier compaction the summary and the references are whole, of the rest the heads', () => {
    expect(whole(compacted('## Active Task\n\nmore', [user('go on')]))).toBe(
      [
        '[System] [Compacted context summary]\n\n## Active Task\n\nmore',
        '[System] [Ledger]',
        '[System] [Auto-read file: /a b.ts:1-20]',
        '[System] - /x\n- /y\nThese files were of use and are not shown here. Use Read where one is needed.',
        '[User] go on',
      ].join('\n\n'),
    );
  });

  test('COMP-4: what the assistant and the tools said is cut first, the oldest of it', () => {
    const items = [
      user('u'.repeat(900)),
      said('a'.repeat(900)),
      user('v'.repeat(900)),
      said('b'.repeat(900)),
    ];
    const { text, condensed } = conversationText(items, bytes(whole(items)) - 500);
    expect(condensed).toBe(true);
    const cut = text.split('\n\n')[1] ?? '';
    expect(bytes(cut)).toBeLessThanOrEqual(200);
    expect(cut).toMatch(/^\[Assistant\] a+\n\[cut: \d+ more bytes\]$/);
    expect(text).toBe(
      [
        '[User] ' + 'u'.repeat(900),
        cut,
        '[User] ' + 'v'.repeat(900),
        '[Assistant] ' + 'b'.repeat(900),
      ].join('\n\n'),
    );
  });

  test('COMP-4: then steps are counted, from the oldest on and no more than needed', () => {
    const items = [
      user('first'),
      ...calls('Read', 8),
      ...calls('Edit', 3),
      said('done'),
      user('second'),
      ...calls('Read', 2),
      said('done too'),
    ];
    const line = '[12 steps condensed: 8 × Read, 3 × Edit, 1 answer]';
    const second = whole(items.slice(items.length - 6));
    const expected = `[User] first\n\n${line}\n\n${second}`;
    expect(conversationText(items, bytes(expected)).text).toBe(expected);
    // With a byte less the second run has to give some of its steps.
    expect(conversationText(items, bytes(expected) - 1).text).toContain('[ToolResult] Read 1');
    const more = conversationText(items, bytes(expected) + 50).text;
    expect(more).toMatch(/^\[User\] first\n\n\[\d+ steps condensed: 8 × Read, \d × Edit\]/);
    expect(more.endsWith(`[Assistant] done\n\n${second}`)).toBe(true);
  });

  test('COMP-4: a result that is left without its call is counted too', () => {
    const items = [...Array.from({ length: 30 }, (_, n) => result(`c${n}`)), user('x')];
    expect(conversationText(items, 200).text).toMatch(/^\[\d+ steps condensed: \d+ results\]/);
  });

  test('COMP-4: then what the user said is cut, at last the oldest is one line', () => {
    const items = [user('u'.repeat(2000)), said('ok'), user('v'.repeat(2000)), said('fine')];
    const cut = conversationText(items, 2700).text;
    expect(cut).toMatch(
      /^\[User\] u+\n\[cut: \d+ more bytes\]\n\n\[Assistant\] ok\n\n\[User\] v+\n\n/,
    );
    expect(cut).toContain('v'.repeat(2000));
    const both = conversationText(items, 1100).text;
    expect(both).toMatch(/u\n\[cut: .*v\n\[cut: /s);
    expect(conversationText(items, 800).text).toMatch(
      /^\[1 user message condensed\]\n\n\[Assistant\] ok\n\n\[User\] v+\n\[cut: \d+ more bytes\]/,
    );
    expect(conversationText(items, 200).text).toBe(
      '[2 user messages and 1 step condensed: 1 answer]\n\n[Assistant] fine',
    );
  });

  test('COMP-4: the previous summary is the last to be cut', () => {
    const summary = 's'.repeat(3000);
    const items = compacted(summary, [user('u'.repeat(3000)), ...calls('Read', 50), said('end')]);
    const rest = conversationText(items, 3200).text;
    expect(rest.startsWith(`[System] [Compacted context summary]\n\n${summary}\n\n[`)).toBe(true);
    expect(rest).toContain('1 user message and');
    const cut = conversationText(items, 400).text;
    expect(cut).toMatch(
      /^\[System\] \[Compacted context summary\]\n\ns+\n\[cut: \d+ more bytes\]\n\n\[1 user message and 54 steps condensed: 50 × Read, 1 answer, 3 system messages\]$/,
    );
    expect(bytes(conversationText(compacted(summary, []).slice(0, 1), 300).text)).toBe(300);
  });

  test('COMP-4: thousands of steps with hundreds of tools fit any bound', () => {
    const items = Array.from({ length: 3_000 }, (_, n) => [
      { ...call(`c${n}`), name: `tool ${n % 500} ${'n'.repeat(100)}` },
      { ...result(`c${n}`), summary: 'r'.repeat(300) },
    ]).flat();
    for (const max of [200, 10_000, 800_000])
      expect(bytes(conversationText(items, max).text)).toBeLessThanOrEqual(max);
  });
});
