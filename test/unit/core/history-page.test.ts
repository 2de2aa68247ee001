import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { pageOf } from '../../../daemon/core/history-page.ts';

const toItem = (text: string): Item => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'text', text }],
});

describe('pageOf', () => {
  test('PROTO-9 INV-12: pages joined by `next` are the whole history, whatever the limits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 50 }), { maxLength: 40 }),
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 400 }),
        (texts, items, bytes) => {
          const history = texts.map(toItem);
          const read: Item[] = [];
          let from: number | undefined = 0;
          while (from !== undefined) {
            const page = pageOf(history, from, { items, bytes });
            expect(page.total).toBe(history.length);
            expect(page.items.length).toBeLessThanOrEqual(items);
            read.push(...page.items);
            from = page.next;
          }
          expect(read).toEqual(history);
        },
      ),
    );
  });

  test('INV-12: an item over the byte limit comes alone, so that a reader gets on', () => {
    const history = ['x'.repeat(1000), 'y'].map(toItem);
    expect(pageOf(history, 0, { items: 10, bytes: 100 })).toMatchObject({ from: 0, next: 1 });
    expect(pageOf(history, 7, { items: 10, bytes: 100 })).toEqual({ items: [], from: 7, total: 2 });
  });
});
