import { expect, test } from 'vitest';
import { itemBytes } from '../../../daemon/core/item-bytes.ts';

test('PROTO-9: an item counts what a model reads of it, in UTF-8', () => {
  expect(
    itemBytes({
      type: 'message',
      role: 'user',
      content: [
        { type: 'text', text: 'ü' },
        { type: 'refusal', refusal: 'no' },
      ],
    }),
  ).toBe(4);
  expect(itemBytes({ type: 'tool_call', callId: 'long id', name: 'Read', arguments: '{}' })).toBe(
    6,
  );
  const files = [{ path: '/a', hash: 'h', op: 'read' as const }];
  expect(itemBytes({ type: 'tool_result', callId: 'c', summary: 'ab', content: 'c', files })).toBe(
    3,
  );
  expect(itemBytes({ type: 'tool_result', callId: 'c', summary: 'ab' })).toBe(2);
  expect(itemBytes({ type: 'reasoning', text: 'abc' })).toBe(3);
});
