import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isWellFormedItem, toWellFormedItem } from '../../../daemon/core/well-formed.ts';
import type { ToolCallItem } from '../../../protocol/items.ts';

const call = (text: string): ToolCallItem => ({
  type: 'tool_call',
  callId: 'c',
  name: 'Write',
  arguments: text,
});

describe('toWellFormedItem', () => {
  test.each([
    ['{"x":"\\ud83d"}', '{"x":"\uFFFD"}'],
    ['{"\\uDE00":1}', '{"\uFFFD":1}'],
    ['{"x":"\uD83D"}', '{"x":"\uFFFD"}'],
    ['{"x":"\\ud83d\\ud83d"}', '{"x":"\uFFFD\uFFFD"}'],
    // A backslash, and then letters.
    ['{"x":"\\\\ud83d"}', '{"x":"\\\\ud83d"}'],
    ['{"x":"\\\\\\ud83d"}', '{"x":"\\\\\uFFFD"}'],
    // A whole pair, and what has none, stays as it was written.
    ['{ "x": "\\ud83d\\ude00" }', '{ "x": "\\ud83d\\ude00" }'],
    ['{ "x" : 1.0 }', '{ "x" : 1.0 }'],
    ['{"x":"\\ud83d', '{"x":"\\ud83d'],
  ])('INV-5: the arguments %s are sent as %s', (given, sent) => {
    expect(toWellFormedItem(call(given))).toEqual(call(sent));
  });

  test('INV-5: of any texts in it, what is sent is each of them well formed', () => {
    const unit = fc.constantFrom('\\', 'u', '"', 'd83d', '\uD83D', '\uDE00');
    fc.assert(
      fc.property(fc.array(fc.string({ unit })), (texts) => {
        const item = toWellFormedItem(call(JSON.stringify({ texts })));
        expect(isWellFormedItem(item)).toBe(true);
        const sent = JSON.parse(item.arguments) as unknown;
        expect(sent).toEqual({ texts: texts.map((text) => text.toWellFormed()) });
      }),
      { numRuns: 1_000 },
    );
  });
});
