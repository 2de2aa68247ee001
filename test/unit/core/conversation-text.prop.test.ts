import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { layoutHistory } from '../../../daemon/core/compaction-layout.ts';
import { conversationText } from '../../../daemon/core/conversation-text.ts';
import { anyItem } from '../../support/any-history.ts';
import { anyText } from '../../support/any-text.ts';
import { call, said, system, user } from '../../support/items.ts';

const bytes = (text: string): number => Buffer.byteLength(text);
const someText = fc.oneof(
  anyText(40),
  fc
    .tuple(fc.constantFrom('a', 'ü', '😀', '\uD83D', '\n'), fc.nat(700))
    .map(([unit, count]) => unit.repeat(count)),
);
const longItem: fc.Arbitrary<Item> = fc.oneof(
  someText.map(user),
  someText.map(said),
  someText.map(system),
  someText.map((name) => ({ ...call('c'), name })),
  someText.map((summary) => ({ type: 'tool_result' as const, callId: 'c', summary })),
);
const tail = fc.array(fc.oneof(anyItem, longItem), { maxLength: 25 });
const anyConversation = fc.oneof(
  tail,
  fc
    .record({
      summary: someText,
      ledger: someText,
      autoReads: fc.array(fc.record({ path: someText, text: someText, lines: fc.nat(9) }), {
        maxLength: 3,
      }),
      references: fc.array(someText, { maxLength: 3 }),
      tail,
    })
    .map(layoutHistory),
);
const anyMax = fc.oneof(fc.integer({ min: 200, max: 1000 }), fc.integer({ min: 200, max: 20_000 }));

const textOf = (item: Item): string =>
  item.type === 'message'
    ? item.content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('')
    : '';

describe('conversationText, of anything', () => {
  test('COMP-4 INV-12: is never over the bound, and whole where it fits', () => {
    fc.assert(
      fc.property(anyConversation, anyMax, (items, max) => {
        const whole = conversationText(items, Number.MAX_SAFE_INTEGER);
        const bounded = conversationText(items, max);
        expect(whole.condensed).toBe(false);
        expect(bytes(bounded.text)).toBeLessThanOrEqual(max);
        expect(bounded.condensed).toBe(bytes(whole.text) > max);
        if (!bounded.condensed) expect(bounded.text).toBe(whole.text);
      }),
    );
  });

  test('COMP-4: what a user said is there whole, or cut with a mark, or counted', () => {
    fc.assert(
      fc.property(anyConversation, anyMax, (items, max) => {
        const said = items.filter((item) => item.type === 'message' && item.role === 'user');
        const { text } = conversationText(items, max);
        const counted = Number(/\[(\d+) user messages? /.exec(text)?.[1] ?? 0);
        const cutOrGone = said.filter((item) => !text.includes(`[User] ${textOf(item)}`));
        if (cutOrGone.length > counted) expect(text).toMatch(/\[cut: \d+ more bytes\]/);
        expect(counted).toBeLessThanOrEqual(said.length);
      }),
    );
  });

  test('COMP-4: every item is a paragraph or is counted', () => {
    const plain = fc.array(fc.constantFrom(user('u'), said('s'), call('c'), system('n')), {
      maxLength: 120,
    });
    fc.assert(
      fc.property(plain, anyMax, (items, max) => {
        const { text } = conversationText(items, max);
        const standing = text.split('\n\n').map((one) => {
          const steps = Number(/(\d+) steps? condensed/.exec(one)?.[1] ?? 0);
          const users = Number(/(\d+) user messages? /.exec(one)?.[1] ?? 0);
          return one === '' ? 0 : one.includes(' condensed') ? steps + users : 1;
        });
        expect(standing.reduce((sum, one) => sum + one, 0)).toBe(items.length);
      }),
    );
  });

  test('COMP-4: what the user said last stays as it is while something older can give', () => {
    const request = anyText(120).map(user);
    fc.assert(
      fc.property(fc.array(longItem, { maxLength: 20 }), request, anyMax, (older, last, max) => {
        const alone = conversationText([last], max).text;
        // A line that counts all the rest is 120 bytes at most.
        if (bytes(alone) <= Math.min(500, max - 122))
          expect(conversationText([...older, last], max).text.endsWith(alone)).toBe(true);
      }),
    );
  });
});
