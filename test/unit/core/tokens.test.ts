import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import type { SentBytes, UsageRecord } from '../../../daemon/core/entry.ts';
import { HistorySizes } from '../../../daemon/core/history-sizes.ts';
import { calibrate, estimateAll, estimateAt, type Measured } from '../../../daemon/core/tokens.ts';
import { call, said, user } from '../../support/items.ts';

const text = (bytes: number): string => 'x'.repeat(bytes);
/** Ten items of a hundred bytes. */
const TEN: readonly Item[] = Array.from({ length: 10 }, (_, index) =>
  index % 2 === 0 ? user(text(100)) : said(text(100)),
);

const record = (
  historyLen: number,
  inputTotal: number,
  sent: Partial<SentBytes> = {},
  kind: UsageRecord['kind'] = 'run',
): UsageRecord => ({
  inputTotal,
  cacheRead: 0,
  cacheWrite: 0,
  output: 1,
  historyLen,
  kind,
  sent: { constant: 400, items: historyLen * 100, passing: 0, ...sent },
});

const measured = (records: readonly UsageRecord[], changes: Partial<Measured> = {}): Measured => ({
  sizes: HistorySizes.of(TEN),
  pruneMark: 0,
  records,
  calibration: null,
  promptBytes: 400,
  ...changes,
});

describe('estimateAt', () => {
  test('TOK-1: without a record a token is four bytes, the constant part too', () => {
    expect(estimateAt(measured([]), 0)).toEqual({ tokens: 100, source: 'no_data' });
    expect(estimateAt(measured([]), 10)).toEqual({ tokens: 350, source: 'no_data' });
  });

  test('TOK-1: exact where a record sits; of two there, the newer', () => {
    const history = measured([record(4, 300), record(4, 310)]);
    expect(estimateAt(history, 4)).toEqual({ tokens: 310, source: 'measured' });
  });

  test('TOK-1: between two records by bytes, and before the first from the constant part on', () => {
    // (400 + 800) bytes are 600 tokens: the constant part is 200 of them.
    const history = measured([record(4, 400), record(8, 600)]);
    expect(estimateAt(history, 6)).toEqual({ tokens: 500, source: 'interpolated' });
    expect(estimateAt(history, 0)).toEqual({ tokens: 200, source: 'interpolated' });
    expect(estimateAt(history, 2)).toEqual({ tokens: 300, source: 'interpolated' });
  });

  test('TOK-1: after the last record only what is new is reckoned, by its rate', () => {
    const history = measured([record(2, 300)]);
    // 600 bytes are 300 tokens; 800 bytes more are 400.
    expect(estimateAt(history, 10)).toEqual({ tokens: 700, source: 'extrapolated' });
    expect(estimateAll(history)).toEqual({ tokens: 700, source: 'extrapolated' });
    expect(estimateAll(history, 200)).toEqual({ tokens: 800, source: 'extrapolated' });
  });

  test('TOK-1: a short history is not overestimated by a large constant part', () => {
    const large = record(1, 10_000, { constant: 39_900 });
    expect(estimateAt(measured([large]), 10).tokens).toBe(10_225);
  });

  test('TOK-1: thrown-away attempts, the compactor and servers that count nothing say nothing', () => {
    const records = [
      record(2, 9000, {}, 'discarded'),
      record(2, 9000, {}, 'compactor'),
      record(2, 0),
    ];
    expect(estimateAt(measured(records), 2)).toEqual({ tokens: 150, source: 'no_data' });
  });

  test('TOK-1: a note that went along once is no part of the history', () => {
    // 400 + 200 + 600 bytes are 300 tokens: the note's half is taken off.
    const history = measured([record(2, 300, { passing: 600 })]);
    expect(estimateAt(history, 2)).toEqual({ tokens: 150, source: 'measured' });
  });

  test('TOK-1: a record of content that is left out by now is exact no more', () => {
    const items: Item[] = [
      user(text(100)),
      call('a'),
      { type: 'tool_result', callId: 'a', summary: 'read', content: text(4000) },
      said(text(100)),
    ];
    const sizes = HistorySizes.of(items);
    const whole = sizes.bytesAt(4);
    const before = measured([record(4, 2000, { constant: 0, items: whole })], { sizes });
    expect(estimateAll(before)).toEqual({ tokens: 2000, source: 'measured' });
    const after = estimateAll({ ...before, pruneMark: 3 });
    expect(after.source).toBe('extrapolated');
    expect(after.tokens).toBe(Math.ceil((2000 * sizes.bytesAt(4, 3)) / whole));
    expect(after.tokens).toBeLessThan(200);
  });

  test('TOK-3: a calibration is worth an estimate where there is no record yet', () => {
    const calibration = { tokensPerByte: 0.5, constantTokens: 1000 };
    const history = measured([], { calibration });
    expect(estimateAt(history, 10)).toEqual({ tokens: 1500, source: 'extrapolated' });
    expect(calibrate(history)).toEqual(calibration);
    expect(calibrate(measured([record(6, 500)], { calibration })).tokensPerByte).toBe(0.5);
  });
});
