import { expect, test } from 'vitest';
import { addUsage, NO_USAGE } from '../../../daemon/core/usage.ts';

test('PROTO-7: usage adds up field by field', () => {
  const one = { inputTotal: 1, cacheRead: 2, cacheWrite: 3, output: 4 };
  expect(addUsage(addUsage(NO_USAGE, one), one)).toEqual({
    inputTotal: 2,
    cacheRead: 4,
    cacheWrite: 6,
    output: 8,
  });
});
