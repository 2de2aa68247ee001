import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median } from './median.js';

test('the median of an odd number of values is the one in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
});

test('the median of an even number of values lies between the two in the middle', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

test('the median does not depend on how many digits the values have', () => {
  assert.equal(median([9, 100, 10]), 10);
});
