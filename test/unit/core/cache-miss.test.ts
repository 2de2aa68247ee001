import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { type CacheFacts, cacheMiss } from '../../../daemon/core/cache-miss.ts';
import type { TimedUsage } from '../../../daemon/core/entry.ts';
import { HistorySizes } from '../../../daemon/core/history-sizes.ts';
import { call, said, user } from '../../support/items.ts';

const items: Item[] = [
  user('go'),
  call('a'),
  { type: 'tool_result', callId: 'a', summary: 'read', content: 'x'.repeat(1000) },
  said('ok'),
];
const sizes = HistorySizes.of(items);
const previous: TimedUsage = {
  inputTotal: 900,
  cacheRead: 500,
  cacheWrite: 400,
  output: 1,
  historyLen: 3,
  kind: 'run',
  model: 'm',
  at: 1,
  sent: { constant: 100, items: sizes.bytesAt(3), passing: 0 },
};
const facts = (changes: Partial<CacheFacts> = {}): CacheFacts => ({
  previous,
  isCompacted: false,
  sizes,
  pruneMark: 0,
  model: 'm',
  constant: 100,
  changedAt: null,
  ...changes,
});
const read = (cacheRead: number) => ({ inputTotal: 1000, cacheRead, cacheWrite: 0, output: 1 });

describe('cacheMiss', () => {
  test.each<readonly [string, number, Partial<CacheFacts>, string | null]>([
    ['all that was kept is found', 900, {}, null],
    ['more than that', 950, { pruneMark: 3 }, null],
    ['the first of a session', 0, { previous: null }, 'first_request'],
    ['the first of a compacted one', 300, { previous: null, isCompacted: true }, 'compacted'],
    ['content was left out since', 500, { pruneMark: 3 }, 'pruned'],
    ['the model is another', 0, { model: 'n' }, 'changed_at_item_0'],
    ['prompt or tools are others', 0, { constant: 101 }, 'changed_at_item_0'],
    ['an item is another', 500, { changedAt: 2 }, 'changed_at_item_2'],
    ['all is the same, and the provider has it no more', 0, {}, 'expired'],
  ])('CACHE-3: %s', (_when, cacheRead, changes, reason) => {
    expect(cacheMiss(read(cacheRead), facts(changes))).toBe(reason);
  });

  test('CACHE-3: a provider that tells nothing of its cache misses nothing', () => {
    const untold = { ...previous, cacheRead: 0, cacheWrite: 0 };
    expect(cacheMiss(read(0), facts({ previous: untold }))).toBeNull();
  });
});
