import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { PrunedItems, pruneItem } from '../../../daemon/core/pruned-items.ts';
import { anyHistory } from '../../support/any-history.ts';
import { call, result, said, user } from '../../support/items.ts';

const big = (callId: string, bytes = 4000): Item => result(callId, 'x'.repeat(bytes));
const turn = (name: string): Item[] => [user(name), call(name), big(name), said('done')];

describe('PrunedItems', () => {
  test('PRUNE-1: results before the mark keep their summaries, everything else is as it was', () => {
    const items = [...turn('a'), ...turn('b')];
    const sent = new PrunedItems().of(items, 4);
    expect(sent).toHaveLength(8);
    expect(sent[2]).toMatchObject({ summary: 'read a', callId: 'a' });
    expect(JSON.stringify(sent[2])).toMatch(/left out/);
    expect(sent.filter((item, index) => item !== items[index])).toHaveLength(1);
  });

  test('CACHE-1: an item that was sent before is the same object again, however the history grew', () => {
    fc.assert(
      fc.property(anyHistory, anyHistory, fc.nat(20), (items, more, mark) => {
        const pruned = new PrunedItems();
        const history: Item[] = [...items];
        const first = [...pruned.of(history, Math.min(mark, items.length))];
        history.push(...more);
        const second = pruned.of(history, Math.min(mark, items.length));
        expect(second).toHaveLength(history.length);
        expect(first.every((item, index) => item === second[index])).toBe(true);
      }),
    );
  });

  test('PRUNE-1: a short content is not replaced by a longer mark', () => {
    const short = big('a', 10);
    expect(pruneItem(short)).toBe(short);
  });
});
