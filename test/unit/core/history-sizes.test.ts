import { expect, test } from 'vitest';
import { HistorySizes } from '../../../daemon/core/history-sizes.ts';
import { pruneItem } from '../../../daemon/core/pruned-items.ts';
import { itemBytes } from '../../../daemon/core/item-bytes.ts';
import { call, result, said, user } from '../../support/items.ts';

const big = result('a', 'ü'.repeat(300));
const items = [user('go'), call('a'), big, said('ok')];

test('TOK-1: bytes of any beginning, with old content left out or not', () => {
  const sizes = HistorySizes.of(items);
  expect(sizes.length).toBe(4);
  expect(sizes.bytesAt(0)).toBe(0);
  expect(sizes.bytesAt(2)).toBe(2 + 4 + 2);
  expect(sizes.bytesAt(3)).toBe(8 + 'read a'.length + 600);
  expect(sizes.bytesAt(3, 3)).toBe(8 + itemBytes(pruneItem(big)));
  // A mark saves nothing of what lies behind it.
  expect(sizes.bytesAt(3, 2)).toBe(sizes.bytesAt(3));
  expect(sizes.bytesAt(99, 99)).toBe(sizes.bytesAt(4, 3));
});

test('PRUNE-2: what moving the mark saves', () => {
  const sizes = HistorySizes.of(items);
  expect(sizes.savedBetween(0, 3)).toBe(sizes.bytesAt(4) - sizes.bytesAt(4, 3));
  expect(sizes.savedBetween(3, 4)).toBe(0);
  expect(sizes.savedBetween(4, 0)).toBe(0);
});
