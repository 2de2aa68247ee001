import { describe, expect, test } from 'vitest';
import type { Item } from '../../../../protocol/items.ts';
import { toAnthropicRequest } from '../../../../daemon/model/anthropic/request.ts';
import type { Settings } from '../../../../daemon/model/anthropic/settings.ts';
import { call, user } from '../../../support/items.ts';

const SETTINGS: Settings = {
  maxTokens: 9,
  thinking: null,
  effort: null,
  stop: [],
  systemMessages: false,
};
const TOOLS = ['Edit', 'Read'].map((name) => ({
  name,
  description: '',
  parameters: { type: 'object' },
}));

const body = (items: readonly Item[], settings: Partial<Settings> = {}) =>
  toAnthropicRequest({ systemPrompt: 'Be good.', tools: TOOLS, items }, 'm', {
    ...SETTINGS,
    ...settings,
  });

const result = (callId: string, isError?: true): Item => ({
  type: 'tool_result',
  callId,
  summary: `of ${callId}`,
  content: 'all',
  ...(isError === undefined ? {} : { isError }),
});

const assistant = (text: string): Item => ({
  type: 'message',
  role: 'assistant',
  content: [{ type: 'text', text }],
});

/** Where the marks for the cache stand: `system`, `tools` or the number of a message, each at its end. */
function marks(made: ReturnType<typeof body>): string[] {
  const isMarked = (block: unknown): boolean => Object.hasOwn(block as object, 'cache_control');
  const places = new Map<string, readonly unknown[]>([
    ['system', made.system as unknown[]],
    ['tools', made.tools ?? []],
    ...made.messages.map(({ content }, index): [string, readonly unknown[]] => [
      String(index),
      content as unknown[],
    ]),
  ]);
  return [...places].flatMap(([place, blocks]) => {
    const marked = blocks.filter(isMarked);
    if (marked.length > 0) expect(marked).toEqual([blocks.at(-1)]);
    return marked.map(() => place);
  });
}

describe('toAnthropicRequest', () => {
  test('PROV-11: parts of one answer are one message in their order, with its reasoning; errors are marked', () => {
    const reasoning = (data: unknown): Item => ({
      type: 'reasoning',
      text: 'hm',
      opaque: { provider: 'anthropic', model: 'm', data },
    });
    const made = body([
      user('go'),
      reasoning({ kind: 'thinking', signature: 's' }),
      reasoning({ kind: 'redacted', data: 'x' }),
      assistant('Now.'),
      call('a'),
      call('b'),
      result('a'),
      result('b', true),
      user('and?'),
    ]);
    expect(made.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(made.messages[1]?.content).toMatchObject([
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'text', text: 'Now.' },
      { type: 'tool_use', id: 'a' },
      { type: 'tool_use', id: 'b' },
    ]);
    expect(made.messages[2]?.content).toEqual([
      { type: 'tool_result', tool_use_id: 'a', content: 'of a\nall' },
      { type: 'tool_result', tool_use_id: 'b', content: 'of b\nall', is_error: true },
      { type: 'text', text: 'and?', cache_control: { type: 'ephemeral' } },
    ]);
    expect(JSON.stringify(made)).not.toContain('files');
  });

  const note = (text: string): Item => ({
    type: 'message',
    role: 'system',
    content: [{ type: 'text', text }],
  });
  const texts = (items: readonly Item[], settings: Partial<Settings> = {}) =>
    body(items, settings).messages.map(({ role, content }) => [
      role,
      ...(content as { readonly type: string; readonly text?: string }[]).map(
        ({ type, text }) => text ?? type,
      ),
    ]);

  test('PROV-8: the summary of a compacted history has the mark that the tools have else, for as long as it is there', () => {
    const head = [note('summary'), note('ledger')];
    const marked = (items: readonly Item[]): unknown[] =>
      body(items).messages.flatMap(({ content }) =>
        (content as { text?: string; cache_control?: unknown }[]).flatMap((block) =>
          block.cache_control === undefined ? [] : [block.text ?? 'result'],
        ),
      );
    const short = body([...head, user('go')]);
    expect(JSON.stringify(short.tools)).not.toContain('cache_control');
    expect(marked([...head, user('go')])).toEqual(['<system>\nsummary\n</system>', 'go']);
    const long = [...head, user('go'), call('a'), result('a'), call('b'), result('b')];
    expect(marked(long)).toEqual(['<system>\nsummary\n</system>', 'result', 'result']);
    expect(JSON.stringify(body([user('go')]).tools)).toContain('cache_control');
  });

  test('PROV-8, CACHE-1: where content was left out there is a mark; the request that leaves out more has the place before too', () => {
    const turns = (...names: string[]): Item[] =>
      names.flatMap((name) => [user(name), call(name), result(name), assistant(`did ${name}`)]);
    const history = turns('a', 'b', 'c', 'd');
    const marked = (items: readonly Item[], pruned?: { before: number; now: number }) => {
      const made = toAnthropicRequest(
        { systemPrompt: 's', tools: TOOLS, items, ...(pruned === undefined ? {} : { pruned }) },
        'm',
        SETTINGS,
      );
      expect(JSON.stringify(made).split('"cache_control"').length - 1).toBeLessThanOrEqual(4);
      const places = made.messages.flatMap(({ content }) =>
        (
          content as {
            type: string;
            text?: string;
            tool_use_id?: string;
            cache_control?: unknown;
          }[]
        )
          .filter((block) => block.cache_control !== undefined)
          .map((block) => block.text ?? block.tool_use_id ?? block.type),
      );
      const of = (part: unknown): boolean => JSON.stringify(part).includes('cache_control');
      return { system: of(made.system), tools: of(made.tools), places };
    };
    const items = [...history, user('e')];
    expect(marked(items)).toEqual({ system: true, tools: true, places: ['d', 'e'] });
    expect(marked(items, { before: 4, now: 4 })).toEqual({
      system: true,
      tools: false,
      places: ['did a', 'd', 'e'],
    });
    expect(marked(items, { before: 0, now: 8 })).toEqual({
      system: true,
      tools: false,
      places: ['did b', 'e'],
    });
    expect(marked(items, { before: 4, now: 8 })).toEqual({
      system: true,
      tools: false,
      places: ['did a', 'did b', 'e'],
    });
    const compacted = [note('summary'), ...items];
    expect(marked(compacted, { before: 5, now: 9 })).toEqual({
      system: false,
      tools: false,
      places: ['<system>\nsummary\n</system>', 'did a', 'did b', 'e'],
    });
  });

  test('COMP-3, PROV-10: the compactor’s answers are short, and it is sent neither a temperature nor a budget', () => {
    const sampling = { temperature: 0, maxTokens: 4096 };
    const made = toAnthropicRequest(
      { systemPrompt: 's', tools: [], items: [user('go')], sampling },
      'm',
      {
        maxTokens: 64_000,
        thinking: { type: 'enabled', budget_tokens: 2000 },
        effort: null,
        stop: [],
        systemMessages: false,
      },
    );
    expect(made.max_tokens).toBe(4096);
    expect(made).not.toHaveProperty('thinking');
    expect(made).not.toHaveProperty('temperature');
  });

  test('PROV-3: a system message behind the first is the user’s, in a marked block, where the model has none', () => {
    expect(texts([user('go'), note('noted')])).toEqual([
      ['user', 'go', '<system>\nnoted\n</system>'],
    ]);
  });

  test('PROV-3: where the model has them they are the API’s own, wherever the API takes one', () => {
    const own = { systemMessages: true };
    const marked = '<system>\nnoted\n</system>';
    expect(texts([user('go'), note('a'), note('b')], own)).toEqual([
      ['user', 'go'],
      ['system', 'a', 'b'],
    ]);
    expect(texts([user('go'), note('noted'), assistant('yes'), user('on')], own)).toEqual([
      ['user', 'go'],
      ['system', 'noted'],
      ['assistant', 'yes'],
      ['user', 'on'],
    ]);
    // Not as the first, not behind an answer, not before the user.
    expect(texts([note('noted'), user('go')], own)).toEqual([['user', marked, 'go']]);
    expect(texts([user('go'), assistant('yes'), note('noted')], own)).toEqual([
      ['user', 'go'],
      ['assistant', 'yes'],
      ['user', marked],
    ]);
    expect(texts([user('go'), note('noted'), user('on')], own)).toEqual([
      ['user', 'go', marked, 'on'],
    ]);
    expect(texts([call('a'), result('a'), note('noted')], own)).toEqual([
      ['assistant', 'tool_use'],
      ['user', 'tool_result'],
      ['system', 'noted'],
    ]);
  });

  test('PROV-10 PROV-11: what the settings say is sent, and a budget only where thinking can go on', () => {
    const thinking = { type: 'enabled', budget_tokens: 2000 } as const;
    const made = body([user('go')], { thinking, effort: 'low', stop: ['END'] });
    expect(made).toMatchObject({
      max_tokens: 9,
      thinking,
      output_config: { effort: 'low' },
      stop_sequences: ['END'],
    });
    expect(Object.keys(body([user('go')])).sort()).toEqual(
      ['max_tokens', 'messages', 'model', 'stream', 'system', 'tools'].sort(),
    );
    const thought: Item = {
      type: 'reasoning',
      text: 'hm',
      opaque: { provider: 'anthropic', model: 'm', data: { kind: 'thinking', signature: 's' } },
    };
    const loop = [user('go'), call('a'), result('a')];
    const asked = (items: readonly Item[]) => body(items, { thinking }).thinking;
    expect(asked(loop)).toBeUndefined();
    expect(asked([user('go'), thought, call('a'), result('a')])).toEqual(thinking);
    expect(asked([...loop, assistant('done'), user('and?')])).toEqual(thinking);
    // It thinks once in a loop of calls; what is said to it in between begins a new one.
    const more = [user('go'), thought, call('a'), result('a'), call('b'), result('b')];
    expect(asked(more)).toEqual(thinking);
    expect(asked([...more, note('noted')])).toEqual(thinking);
    expect(asked([...more, note('noted'), call('c'), result('c')])).toBeUndefined();
    expect(body(loop, { thinking: { type: 'adaptive' } }).thinking).toEqual({ type: 'adaptive' });
  });

  test.each([1, 20, 40])(
    'PROV-8: with %i calls in a turn what was marked at the end of a request is marked in the next',
    (calls) => {
      const ids = Array.from({ length: calls }, (_, n) => `c${n}`);
      const first = [user('go')];
      const turn = (n: number): Item[] => [
        ...ids.map((id) => call(`${id}-${n}`)),
        ...ids.map((id) => result(`${id}-${n}`)),
      ];
      const second = [...first, ...turn(1)];
      const third = [...second, ...turn(2)];
      expect(marks(body(first))).toEqual(['system', 'tools', '0']);
      expect(marks(body(second))).toEqual(['system', 'tools', '0', '2']);
      expect(marks(body(third))).toEqual(['system', 'tools', '2', '4']);
      // What comes before stays as it was, byte for byte, marks aside.
      const bare = (made: unknown): string =>
        JSON.stringify(made, (key, value: unknown) =>
          key === 'cache_control' ? undefined : value,
        );
      const [before, after] = [body(second), body(third)].map(({ messages }) => messages);
      expect(bare(after?.slice(0, 3))).toBe(bare(before));
    },
  );
});
