import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import type { UsageRecord } from '../../../daemon/core/entry.ts';
import { HistorySizes } from '../../../daemon/core/history-sizes.ts';
import { PrunedItems } from '../../../daemon/core/pruned-items.ts';
import { itemBytes } from '../../../daemon/core/item-bytes.ts';
import {
  estimateAll,
  estimateAt,
  type Measured,
  toEstimator,
} from '../../../daemon/core/tokens.ts';
import { anyHistory } from '../../support/any-history.ts';

/** Any numbers that a server may tell, also none and nonsense. */
const anyCount = fc.oneof(fc.nat(1_000_000), fc.constantFrom(0, 1, Number.NaN, 1e15));

const anyMeasured: fc.Arbitrary<Measured & { readonly items: readonly Item[] }> = fc
  .record({
    items: anyHistory,
    mark: fc.nat(30),
    calibration: fc.option(
      fc.record({
        tokensPerByte: fc.double({ min: 0.01, max: 2, noNaN: true }),
        constantTokens: fc.nat(10_000),
      }),
    ),
    promptBytes: fc.nat(10_000),
    records: fc.array(
      fc.record({
        historyLen: fc.nat(40),
        inputTotal: anyCount,
        kind: fc.constantFrom('run' as const, 'discarded' as const, 'compactor' as const),
        markThen: fc.nat(30),
        constant: fc.nat(10_000),
        passing: fc.nat(500),
        lacksSent: fc.boolean(),
      }),
      { maxLength: 12 },
    ),
  })
  .map(({ items, mark, records, ...rest }) => {
    const sizes = HistorySizes.of(items);
    return {
      ...rest,
      items,
      sizes,
      pruneMark: mark,
      records: records.map(
        ({
          historyLen,
          inputTotal,
          kind,
          markThen,
          constant,
          passing,
          lacksSent,
        }): UsageRecord => ({
          inputTotal,
          cacheRead: 0,
          cacheWrite: 0,
          output: 0,
          historyLen,
          kind,
          ...(lacksSent
            ? {}
            : { sent: { constant, items: sizes.bytesAt(historyLen, markThen), passing } }),
        }),
      ),
    };
  });

test('TOK-1: whatever was recorded, an estimate is a finite number that never falls with the index', () => {
  fc.assert(
    fc.property(anyMeasured, (measured) => {
      const at = toEstimator(measured);
      let before = 0;
      for (let index = 0; index <= measured.items.length; index += 1) {
        const { tokens, source } = at(index);
        expect(Number.isFinite(tokens)).toBe(true);
        expect(tokens).toBeGreaterThanOrEqual(before);
        expect(['measured', 'interpolated', 'extrapolated', 'no_data']).toContain(source);
        before = tokens;
      }
    }),
  );
});

test('TOK-1: the estimate of the whole is that of the last index', () => {
  fc.assert(
    fc.property(anyMeasured, (measured) => {
      expect(estimateAll(measured)).toEqual(estimateAt(measured, measured.items.length));
    }),
  );
});

test('TOK-1, PRUNE-1: sizes are those of the items as they are sent, each measured once', () => {
  fc.assert(
    fc.property(anyHistory, fc.nat(30), fc.nat(30), (items, mark, index) => {
      const sent = new PrunedItems().of(items, Math.min(mark, items.length));
      const sizes = HistorySizes.of(items);
      const sum = sent.slice(0, index).reduce((bytes, item) => bytes + itemBytes(item), 0);
      expect(sizes.bytesAt(index, Math.min(mark, items.length))).toBe(sum);
    }),
  );
});
