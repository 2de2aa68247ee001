import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { retryDelay } from '../../../daemon/core/retry-delay.ts';

test('PROV-4: waits grow by powers of two to an end, anywhere from nothing to the whole of it', () => {
  expect([1, 2, 3, 4].map((attempt) => retryDelay(attempt, null, 0.5))).toEqual([
    250, 500, 1000, 2000,
  ]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (n, random) => {
        const delay = retryDelay(n, null, random) ?? -1;
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(LIMITS.retryMaxMs);
      },
    ),
  );
});

test('PROV-4 INV-6: what the server asks for is waited, but not for ever', () => {
  expect(retryDelay(1, 7000, 0)).toBe(7000);
  expect(retryDelay(1, 0, 0.9)).toBe(0);
  expect(retryDelay(1, LIMITS.retryAfterMs, 0)).toBe(LIMITS.retryAfterMs);
  expect(retryDelay(1, LIMITS.retryAfterMs + 1, 0)).toBeNull();
});
