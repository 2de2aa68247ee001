import fc from 'fast-check';
import type { Item } from '../../protocol/items.ts';

/** Few ids and short texts, so that doubles, gaps and strangers are common. */
const text = fc.constantFrom('', ' \n', 'a', 'b c', '😀', 'd\uD83D', '\uDE00');
const callId = fc.constantFrom('', 'a', 'b', 'c', 'a_2', 'a.2', 'x'.repeat(70));
const part = fc.oneof(
  text.map((value) => ({ type: 'text' as const, text: value })),
  text.map((value) => ({ type: 'refusal' as const, refusal: value })),
);
const message = fc.record(
  {
    type: fc.constant('message' as const),
    role: fc.constantFrom('user' as const, 'assistant' as const, 'system' as const),
    content: fc.array(part, { maxLength: 3 }),
    status: fc.constantFrom('complete' as const, 'incomplete' as const),
  },
  { requiredKeys: ['type', 'role', 'content'] },
);
const call = fc.record({
  type: fc.constant('tool_call' as const),
  callId,
  name: fc.constantFrom('Read', '', 'a b'),
  arguments: fc.constantFrom(
    ...['{}', '{"x":1}', '', 'null', '[]', '{"x', '3'],
    ...['{"x":"\uD83D"}', '{"x":"\\ud83d"}', '{"\\uDE00":"\\ud83d\\ude00"}', '{"x":"\\\\ud83d"}'],
  ),
});
const result = fc.record(
  {
    type: fc.constant('tool_result' as const),
    callId,
    summary: text,
    content: text,
    isError: fc.boolean(),
  },
  { requiredKeys: ['type', 'callId', 'summary'] },
);
const reasoning = fc.record(
  {
    type: fc.constant('reasoning' as const),
    text,
    opaque: fc.record({
      provider: fc.constantFrom('p', 'q'),
      model: fc.constantFrom('m', 'n'),
      data: fc.constant('sig'),
    }),
  },
  { requiredKeys: ['type', 'text'] },
);
/** Any item, legal or not. */
export const anyItem: fc.Arbitrary<Item> = fc.oneof(message, call, result, reasoning);
export const anyHistory = fc.array(anyItem, { maxLength: 14 });
