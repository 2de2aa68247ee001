import { expect, test } from 'vitest';
import { costOf } from '../../../daemon/core/cost.ts';

const PRICES = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 };

test('PROTO-11: what is read from the cache, written to it and neither has each its price', () => {
  const usage = { inputTotal: 1_000_000, cacheRead: 500_000, cacheWrite: 100_000, output: 10_000 };
  expect(costOf(usage, PRICES)).toBeCloseTo(0.4 * 3 + 0.15 + 0.375 + 0.15, 10);
});

test('PROTO-11: a model of unknown price costs nobody knows what', () => {
  expect(costOf({ inputTotal: 1, cacheRead: 0, cacheWrite: 0, output: 1 }, undefined)).toBeNull();
});

test('PROTO-11: a server that counts more cached than whole makes no cost below nothing', () => {
  const odd = { inputTotal: 10, cacheRead: 50, cacheWrite: 0, output: 0 };
  expect(costOf(odd, PRICES)).toBeGreaterThan(0);
});
