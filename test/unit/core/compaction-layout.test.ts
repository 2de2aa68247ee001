import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import {
  headLength,
  layoutHistory,
  summaryOf,
  withoutBody,
  type AutoRead,
} from '../../../daemon/core/compaction-layout.ts';
import { anyHistory } from '../../support/any-history.ts';
import { anyText } from '../../support/any-text.ts';
import { said, system, user } from '../../support/items.ts';

const someText = fc.oneof(
  anyText(60),
  fc.constantFrom('', '\n', '[Ledger]\n', '[Compacted context summary]\n\n', '- a', '\uD83D'),
);
const anyRead: fc.Arbitrary<AutoRead> = fc.record(
  {
    path: someText,
    offset: fc.nat(50),
    limit: fc.integer({ min: 1, max: 50 }),
    text: someText,
    lines: fc.nat(100),
  },
  { requiredKeys: ['path', 'text', 'lines'] },
);
const anyParts = fc.record({
  summary: someText,
  ledger: someText,
  autoReads: fc.array(anyRead, { maxLength: 4 }),
  references: fc.array(someText, { maxLength: 4 }),
  tail: anyHistory,
});

const textOf = (item: Item | undefined): string =>
  item?.type === 'message' && item.content[0]?.type === 'text' ? item.content[0].text : '';

describe('layoutHistory', () => {
  test('COMP-6: summary, ledger, files in their order, references and the tail, each under its head', () => {
    const history = layoutHistory({
      summary: 'What was done.',
      ledger: 'First request: x',
      autoReads: [
        { path: '/b c.ts', text: 'b\n', lines: 1 },
        { path: '/a:1.ts', text: 'a', lines: 9 },
      ],
      references: ['/x', '/y z'],
      tail: [user('go on'), said('yes')],
    });
    expect(history).toEqual([
      system('[Compacted context summary]\n\nWhat was done.'),
      system('[Ledger]\nFirst request: x'),
      system('[Auto-read file: /b c.ts]\nb\n'),
      system('[Auto-read file: /a:1.ts]\na'),
      system(
        '- /x\n- /y z\nThese files were of use and are not shown here. Use Read where one is needed.',
      ),
      user('go on'),
      said('yes'),
    ]);
  });

  test.each([
    ['all of it', {}, ''],
    ['from a line on', { offset: 4 }, ':5-'],
    ['the first lines', { limit: 3 }, ':1-3'],
    ['some lines', { offset: 4, limit: 3 }, ':5-7'],
    ['to behind the end', { offset: 4, limit: 30 }, ':5-10'],
    ['the first lines and more than there are', { limit: 30 }, ':1-10'],
    ['from the first on', { offset: 0 }, ':1-'],
  ])('COMP-6: the head of a file says which of its lines follow: %s', (_, range, suffix) => {
    const [, , file] = layoutHistory({
      summary: '',
      ledger: '',
      autoReads: [{ path: '/f', text: 'x', lines: 10, ...range }],
      references: [],
      tail: [],
    });
    expect(file).toEqual(system(`[Auto-read file: /f${suffix}]\nx`));
  });

  test('COMP-6: no references, no message of them', () => {
    const parts = { summary: 's', ledger: 'l', autoReads: [], references: [], tail: [user('a')] };
    expect(layoutHistory(parts)).toHaveLength(3);
  });
});

describe('headLength and summaryOf', () => {
  test('COMP-6: find what a compaction laid out, whatever is in it', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const history = layoutHistory(parts);
        expect(headLength(history)).toBe(history.length - parts.tail.length);
        expect(summaryOf(history)).toBe(parts.summary);
        expect(history.slice(headLength(history))).toEqual(parts.tail);
        expect(history.every((item) => item.type !== 'message' || item.content.length <= 3)).toBe(
          true,
        );
      }),
    );
  });

  test('COMP-4: of a ledger and a file the first line is left, of the others all', () => {
    fc.assert(
      fc.property(anyParts, (parts) => {
        const history = layoutHistory(parts);
        const heads = history
          .slice(0, headLength(history))
          .map((item) => withoutBody(textOf(item)));
        expect(heads[0]).toBe(textOf(history[0]));
        expect(heads[1]).toBe('[Ledger]');
        for (const head of heads.slice(2, 2 + parts.autoReads.length))
          expect(head).toMatch(/^\[Auto-read file: [^\n]*\]$/);
        if (parts.references.length > 0)
          expect(heads.at(-1)).toBe(textOf(history.at(heads.length - 1)));
      }),
    );
  });

  test('COMP-6: a history that was never compacted has no head', () => {
    fc.assert(
      fc.property(anyHistory, (items) => {
        expect(headLength(items)).toBe(0);
        expect(summaryOf(items)).toBeNull();
      }),
    );
    // What a user writes is no head, and what stands behind the tail's first item is none either.
    expect(headLength([user('[Compacted context summary]\n\nx')])).toBe(0);
    expect(headLength([system('[Ledger]\nx')])).toBe(0);
    const parts = { summary: 's', ledger: 'l', autoReads: [], references: [], tail: [] };
    expect(headLength([...layoutHistory(parts), user('a'), system('[Ledger]\nx')])).toBe(2);
  });
});
