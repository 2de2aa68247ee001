import { expect, test } from 'vitest';
import { CheckedItems } from '../../../daemon/core/checked-items.ts';
import { itemBytes } from '../../../daemon/core/item-bytes.ts';
import type { Item } from '../../../protocol/items.ts';
import { call, result, said, user } from '../../support/items.ts';

test('INV-5: items that were accepted are not looked at again', () => {
  const checked = new CheckedItems({ provider: 'p', model: 'm' });
  let looks = 0;
  const watched: Item = {
    ...call('a'),
    get arguments() {
      looks += 1;
      return '{}';
    },
  };
  const items: Item[] = [user('x'), watched, result('a')];
  expect(checked.problemsOf(items)).toEqual([]);
  const looksOnce = looks;
  items.push(user('y'));
  expect(checked.problemsOf([...items])).toEqual([]);
  expect(looksOnce).toBeGreaterThan(0);
  expect(looks).toBe(looksOnce);
});

test('INV-5: bytes are those of the accepted items', () => {
  const checked = new CheckedItems({ provider: 'p', model: 'm' });
  const items = [user('xäy'), call('a', '{"p":1}'), result('a', 'text')];
  checked.problemsOf(items.slice(0, 1));
  checked.problemsOf(items);
  expect(checked.bytes).toBe(items.reduce((sum, item) => sum + itemBytes(item), 0));
});

test('CACHE-3: what went along once is no change when it is gone, all else is', () => {
  const checked = new CheckedItems({ provider: 'p', model: 'm' });
  const [first, note, second] = [user('x'), user('a note'), said('y')];
  expect(checked.firstChange([first])).toBe(null);
  checked.problemsOf([first, note], 1);
  expect(checked.firstChange([first, second])).toBe(null);
  expect(checked.firstChange([second, note])).toBe(0);
  checked.problemsOf([first, note]);
  expect(checked.firstChange([first, second])).toBe(1);
});
