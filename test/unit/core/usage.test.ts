import { describe, expect, test } from 'vitest';
import { addUsage, estimateOccupancy, NO_USAGE } from '../../../daemon/core/usage.ts';

describe('estimateOccupancy', () => {
  test.each([
    ['no request was answered yet', 400, 0, null, { tokens: 100, source: 'no_data' }],
    ['the newest record covers all', 400, 400, 130, { tokens: 130, source: 'measured' }],
    ['items came since', 600, 400, 200, { tokens: 300, source: 'extrapolated' }],
    ['the record was of an empty history', 40, 0, 7, { tokens: 17, source: 'extrapolated' }],
  ] as const)('PROTO-9: %s', (_when, bytes, measuredBytes, measuredTokens, expected) => {
    expect(estimateOccupancy({ bytes, measuredBytes, measuredTokens })).toEqual(expected);
  });
});

test('PROTO-7: usage adds up field by field', () => {
  const one = { inputTotal: 1, cacheRead: 2, cacheWrite: 3, output: 4 };
  expect(addUsage(addUsage(NO_USAGE, one), one)).toEqual({
    inputTotal: 2,
    cacheRead: 4,
    cacheWrite: 6,
    output: 8,
  });
});
